//! A door for the fuzz targets in `tests/fuzz`: what becomes of a request's bytes before any use case sees them. Nothing
//! in the server goes through it.

use std::time::Duration;

use parloir_proto::v1;
use prost::Message;
use tonic::Status;

use super::{calls, status};
use crate::{
    conversations::Caller,
    domain::{self, Identity},
    hub::Hub,
    subscriptions::Settings,
};

/// Of no database that there is.
const EPOCH: u64 = 7;

/// A request that was read.
#[derive(Debug)]
pub struct Checked {
    /// What was understood, encoded again.
    pub encoded: Vec<u8>,
    /// What the caller is told, if something is wrong with it.
    pub refused: Option<Status>,
}

/// Reads and checks a request of the method at `path`. The bytes may be none: `Err`. `None`: the method is read
/// elsewhere, within a service of its own, or there is none.
pub fn check(path: &str, bytes: &[u8]) -> Option<Result<Checked, prost::DecodeError>> {
    let caller = Caller {
        tenant: Identity::anonymous().tenant,
        traceparent: String::new(),
    };
    Some(match path.strip_prefix("/parloir.v1.")? {
        "ConversationService/StartConversation" => read(bytes, calls::start::command),
        "ConversationService/SendMessage" => read(bytes, calls::send::command),
        "ConversationService/UpdateParameters" => read(bytes, calls::update::command),
        "ConversationService/EndConversation" => {
            read(bytes, |message| calls::end::command(&message))
        }
        "ConversationService/RespondToAgent" => read(bytes, calls::respond::command),
        "ConversationService/SetAvailability" => read(bytes, calls::availability::command),
        "ConversationService/TransferConversation" => read(bytes, calls::transfer::command),
        "ConversationService/SendHumanMessage" => read(bytes, calls::human::command),
        "ConversationService/GetConversation" => read(bytes, |message| calls::get::query(&message)),
        "ConversationService/ListConversations" => {
            read(bytes, |message| calls::list::query(message, &caller, EPOCH))
        }
        "ConversationService/ListEvents" => read(bytes, |message| {
            calls::events::query(message, &caller, EPOCH)
        }),
        "ConversationService/ErasePersonalData" => {
            read(bytes, |message| calls::erase::command(&message))
        }
        "ConversationService/GetErasure" => {
            read(bytes, |message| calls::erase::receipt_id(&message))
        }
        "ConversationService/AckEvents" => read(bytes, |message| {
            calls::ack::acks(message, &caller.tenant, EPOCH)
        }),
        "AccountService/ListAccounts" => read(bytes, |_: v1::ListAccountsRequest| Ok(())),
        "AccountService/ListContacts" => read(bytes, |message| {
            calls::contacts::query(message, &caller, EPOCH)
        }),
        "AccountService/LinkContact" => read(bytes, |message| calls::contacts::link(&message)),
        _ => return None,
    })
}

/// As [`check`], of a pull: it depends on the subscribers that there may be.
///
/// # Errors
///
/// The bytes are no such request.
pub fn check_pull(
    bytes: &[u8],
    hub: &Hub,
    settings: &Settings,
) -> Result<Checked, prost::DecodeError> {
    let tenant = Identity::anonymous().tenant;
    read(bytes, |message| {
        calls::pull::pull(message, &tenant, hub, settings, Duration::ZERO)
    })
}

fn read<M: Message + Default + Clone, T>(
    bytes: &[u8],
    check: impl FnOnce(M) -> domain::Result<T>,
) -> Result<Checked, prost::DecodeError> {
    let message = M::decode(bytes)?;
    let encoded = message.encode_to_vec();
    let refused = check(message).err();
    Ok(Checked {
        encoded,
        refused: refused.map(|error| status::status(&error, EPOCH)),
    })
}
