//! `TransferConversation`.

use parloir_proto::v1;

use super::super::{checks::Checks, view};
use crate::{
    conversations::{Transfer, Transferred},
    domain::{Owner, Result},
    wire::enums::{owner, read_owner},
};

/// The longest note, in characters: a page for the one who takes over.
const MAX_NOTE_CHARS: usize = 4000;

pub(in crate::grpc) fn command(request: v1::TransferConversationRequest) -> Result<Transfer> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    let command_id = checks.id("command_id", &request.command_id);
    let to = read_owner(request.to).filter(|to| matches!(to, Owner::Agent | Owner::Human));
    if to.is_none() {
        checks.wrong("to", "must be OWNER_AGENT or OWNER_HUMAN");
    }
    let note = checks.prose("note", request.note, MAX_NOTE_CHARS);
    checks.finish(|| {
        Some(Transfer {
            account: account?,
            conversation_id: conversation_id?,
            command_id: command_id?,
            to: to?,
            note: note?,
            expected_owner_epoch: request.expected_owner_epoch,
        })
    })
}

pub(in crate::grpc) fn response(
    transferred: Transferred,
    epoch: u64,
) -> v1::TransferConversationResponse {
    v1::TransferConversationResponse {
        owner: owner(transferred.owner).into(),
        owner_epoch: transferred.owner_epoch,
        cursor: view::cursor(transferred.position, epoch),
    }
}
