//! `EndConversation`.

use parloir_proto::v1;

use super::super::{checks::Checks, view};
use crate::{
    conversations::{EndConversation, Ended},
    domain::Result,
};

pub(in crate::grpc) fn command(request: &v1::EndConversationRequest) -> Result<EndConversation> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    let command_id = checks.id("command_id", &request.command_id);
    checks.finish(|| {
        Some(EndConversation {
            account: account?,
            conversation_id: conversation_id?,
            command_id: command_id?,
            expected_session: request.expected_session,
        })
    })
}

pub(in crate::grpc) fn response(ended: &Ended, epoch: u64) -> v1::EndConversationResponse {
    v1::EndConversationResponse {
        delivery: ended.delivery.as_ref().map(view::delivery),
        cursor: view::cursor(ended.position, epoch),
    }
}
