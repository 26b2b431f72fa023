//! `SendMessage`.

use parloir_proto::v1::{self, send_message_request::Content};

use super::super::{checks::Checks, view};
use crate::{
    conversations::{SendMessage, SentMessage},
    domain::{Choice, Result, VisitorContent},
};

pub(in crate::grpc) fn command(request: v1::SendMessageRequest) -> Result<SendMessage> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    let message_id = checks.id("message_id", &request.message_id);
    let content = content(&mut checks, request.content);
    let parameters = checks.parameters("parameters", request.parameters);
    let kind = checks.kind("kind", request.kind);
    checks.finish(|| {
        Some(SendMessage {
            account: account?,
            conversation_id: conversation_id?,
            message_id: message_id?,
            content: content?,
            parameters: parameters?,
            resend: request.resend,
            kind,
        })
    })
}

pub(in crate::grpc) fn response(sent: &SentMessage, epoch: u64) -> v1::SendMessageResponse {
    v1::SendMessageResponse {
        delivery: Some(view::delivery(&sent.delivery)),
        new_session: sent.new_session,
        cursor: view::cursor(sent.position, epoch),
    }
}

fn content(checks: &mut Checks, content: Option<Content>) -> Option<VisitorContent> {
    let content = match content {
        Some(Content::Text(text)) => VisitorContent::Text(text),
        Some(Content::Choice(choice)) => VisitorContent::Choice(Choice {
            card_index: card_index(checks, choice.card_index),
            label: choice.label,
            event_id: choice.event_id,
        }),
        None => {
            checks.wrong("content", "is missing: set text or choice");
            return None;
        }
    };
    checks.rule(content.check()).map(|()| content)
}

fn card_index(checks: &mut Checks, index: Option<i32>) -> Option<u32> {
    let index = u32::try_from(index?);
    if index.is_err() {
        let why = "must not be negative: cards count from 0, and a button on no card has no index";
        checks.wrong("choice.card_index", why);
    }
    index.ok()
}
