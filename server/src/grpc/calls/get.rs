//! `GetConversation`.

use parloir_proto::v1;

use super::super::{checks::Checks, view};
use crate::{
    conversations::commands::ConversationView,
    domain::{Id, Result},
};

/// The account and the conversation's id.
pub(in crate::grpc) fn query(request: &v1::GetConversationRequest) -> Result<(Id, Id)> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    checks.finish(|| Some((account?, conversation_id?)))
}

pub(in crate::grpc) fn response(
    found: &ConversationView,
    epoch: u64,
) -> v1::GetConversationResponse {
    let ConversationView {
        conversation,
        open_requests,
        last,
    } = found;
    v1::GetConversationResponse {
        conversation: Some(view::conversation(
            conversation,
            open_requests,
            *last,
            epoch,
        )),
    }
}
