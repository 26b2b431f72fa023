//! `SendHumanMessage`.

use parloir_proto::v1::{self, send_human_message_request::Content};

use super::super::{checks::Checks, view};
use crate::{
    conversations::{SendHumanMessage, SentHumanMessage},
    domain::{HumanMessage, HumanMessageKind, Result},
    wire::time::read_duration,
};

pub(in crate::grpc) fn command(request: v1::SendHumanMessageRequest) -> Result<SendHumanMessage> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    let message_id = checks.id("message_id", &request.message_id);
    let message = message(&mut checks, request.content, &request.message_id);
    checks.finish(|| {
        Some(SendHumanMessage {
            account: account?,
            conversation_id: conversation_id?,
            message_id: message_id?,
            message: message?,
            expected_owner_epoch: request.expected_owner_epoch,
        })
    })
}

pub(in crate::grpc) fn response(
    sent: &SentHumanMessage,
    epoch: u64,
) -> v1::SendHumanMessageResponse {
    v1::SendHumanMessageResponse {
        delivery: sent.delivery.as_ref().map(view::delivery),
        cursor: view::cursor(sent.position, epoch),
    }
}

fn message(
    checks: &mut Checks,
    content: Option<Content>,
    message_id: &str,
) -> Option<HumanMessage> {
    let mut message = HumanMessage {
        message_id: message_id.to_owned(),
        kind: HumanMessageKind::Text,
        text: String::new(),
        name: String::new(),
        avatar_url: String::new(),
        queue_position: None,
        waiting_time: None,
        from_source: false,
        raw: String::new(),
    };
    match content {
        Some(Content::Text(said)) => {
            message.text = said.text;
            message.name = said.name;
            message.avatar_url = said.avatar_url;
        }
        Some(Content::Joined(joined)) => {
            message.kind = HumanMessageKind::Joined;
            message.name = joined.name;
            message.avatar_url = joined.avatar_url;
        }
        Some(Content::Queue(queue)) => {
            message.kind = HumanMessageKind::Queue;
            message.queue_position = queue.position;
            message.waiting_time = waiting_time(checks, queue.waiting_time.as_ref());
        }
        Some(Content::Left(_)) => message.kind = HumanMessageKind::Left,
        Some(Content::Failed(_)) => message.kind = HumanMessageKind::Failed,
        None => {
            let why = "is missing: set text, joined, queue, left or failed";
            checks.wrong("content", why);
            return None;
        }
    }
    checks.rule(message.check()).map(|()| message)
}

fn waiting_time(
    checks: &mut Checks,
    told: Option<&prost_types::Duration>,
) -> Option<std::time::Duration> {
    let read = read_duration(told?);
    if read.is_none() {
        checks.wrong("queue.waiting_time", "must not be negative");
    }
    read
}
