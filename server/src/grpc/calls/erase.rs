//! `ErasePersonalData` and `GetErasure`.

use parloir_proto::v1::{self, erase_personal_data_request::Subject};

use super::super::checks::Checks;
use crate::{
    conversations::{ErasePersonalData, ErasureSubject},
    domain::{Erasure, Id, Reason, Result, UpstreamErasure, UpstreamState},
    wire::{enums::upstream_state, time::timestamp},
};

/// What no receipt of a server can cover.
const REMAINDER: &str = "Copies of the database that were made before this erasure still hold the data, readable with \
    the master key, until they are deleted. What subscribers, sources and other systems have copied is theirs to erase: \
    the Erased event tells subscribers.";

pub(in crate::grpc) fn command(
    request: &v1::ErasePersonalDataRequest,
) -> Result<ErasePersonalData> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let command_id = checks.id("command_id", &request.command_id);
    let subject = match &request.subject {
        Some(Subject::ConversationId(id)) => checks
            .id("conversation_id", id)
            .map(ErasureSubject::Conversation),
        Some(Subject::ContactId(id)) => checks.id("contact_id", id).map(ErasureSubject::Contact),
        None => {
            checks.wrong("subject", "is missing: set conversation_id or contact_id");
            None
        }
    };
    checks.finish(|| {
        Some(ErasePersonalData {
            account: account?,
            subject: subject?,
            command_id: command_id?,
        })
    })
}

pub(in crate::grpc) fn receipt_id(request: &v1::GetErasureRequest) -> Result<Id> {
    let mut checks = Checks::default();
    let receipt_id = checks.id("receipt_id", &request.receipt_id);
    checks.finish(|| receipt_id)
}

pub(in crate::grpc) fn receipt(erasure: &Erasure) -> v1::Erasure {
    let state = match erasure.erased_at {
        Some(_) => v1::ErasureState::Erased,
        None => v1::ErasureState::Pending,
    };
    let conversations = erasure.conversations.iter();
    v1::Erasure {
        receipt_id: erasure.receipt_id.to_string(),
        account: erasure.account.to_string(),
        command_id: erasure.command_id.to_string(),
        conversations: conversations
            .map(|conversation| v1::ErasedConversation {
                conversation_id: conversation.id.to_string(),
                through_sequence: conversation.through_sequence,
            })
            .collect(),
        state: state.into(),
        request_time: Some(timestamp(erasure.requested_at)),
        erase_time: erasure.erased_at.map(timestamp),
        upstream: erasure.upstream.iter().map(upstream).collect(),
        remainder: REMAINDER.to_owned(),
    }
}

fn upstream(erasure: &UpstreamErasure) -> v1::UpstreamErasure {
    let is_asked = erasure.state == UpstreamState::Requested;
    v1::UpstreamErasure {
        agent: erasure.agent.to_string(),
        conversation_id: erasure.key.id.to_string(),
        internal_id_sha256: erasure.internal_id_sha256(),
        state: upstream_state(erasure.state).into(),
        reason: erasure.reason.map_or("", Reason::as_str).to_owned(),
        attempts: erasure.attempts,
        next_try_time: is_asked.then(|| timestamp(erasure.not_before.max(erasure.requested_at))),
        end_time: erasure.ended_at.map(timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Error;

    #[test]
    fn an_erasure_names_what_it_erases() {
        let Err(Error::Invalid(wrong)) = command(&v1::ErasePersonalDataRequest::default()) else {
            panic!("an empty request was taken");
        };
        let fields: Vec<_> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["account", "command_id", "subject"]);
    }
}
