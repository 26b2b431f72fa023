//! `StartConversation`.

use parloir_proto::v1;

use super::super::{checks::Checks, view};
use crate::{
    conversations::{StartConversation, Started},
    domain::{Result, Visitor, id::MAX_ID_BYTES},
};

/// The longest BCP 47 tag that the standard tells implementations to expect.
const MAX_LANGUAGE_BYTES: usize = 35;

pub(in crate::grpc) fn command(request: v1::StartConversationRequest) -> Result<StartConversation> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.optional_id("conversation_id", &request.conversation_id);
    let command_id = checks.optional_id("command_id", &request.command_id);
    if request.conversation_id.is_empty() && request.command_id.is_empty() {
        let why = "is required when conversation_id is empty, so that a repeated call finds its conversation";
        checks.wrong("command_id", why);
    }
    let visitor = request.visitor.and_then(|told| visitor(&mut checks, told));
    let parameters = checks.parameters("parameters", request.parameters);
    let kind = checks.kind("kind", request.kind);
    checks.finish(|| {
        Some(StartConversation {
            account: account?,
            conversation_id,
            command_id,
            visitor,
            parameters: parameters?,
            kind,
        })
    })
}

pub(in crate::grpc) fn response(started: &Started, epoch: u64) -> v1::StartConversationResponse {
    v1::StartConversationResponse {
        conversation: Some(view::conversation(
            &started.conversation,
            &started.open_requests,
            started.last,
            epoch,
        )),
        resumed: started.resumed,
        delivery: started.delivery.as_ref().map(view::delivery),
        cursor: view::cursor(started.position, epoch),
    }
}

fn visitor(checks: &mut Checks, told: v1::Visitor) -> Option<Visitor> {
    let visitor_id = checks.line("visitor.visitor_id", told.visitor_id, MAX_ID_BYTES);
    let display_name = checks.line("visitor.display_name", told.display_name, MAX_ID_BYTES);
    let language = checks.line("visitor.language", told.language, MAX_LANGUAGE_BYTES);
    let is_tag = |tag: &String| tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if language.as_ref().is_some_and(|tag| !is_tag(tag)) {
        checks.wrong(
            "visitor.language",
            "must be a BCP 47 tag, for example fr-CA",
        );
    }
    Some(Visitor {
        visitor_id: visitor_id?,
        display_name: display_name?,
        language: language?,
    })
}
