//! Events of the contract as the journal checker sees them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parloir::domain::Cursor;
use parloir_client::v1::{
    DeliveredEvent, DeliveryChanged, DeliveryState, delivery_changed::Subject, event::Body,
};

use crate::journal::{Fact, Logged, Settled};

/// The event with its place.
pub fn logged(delivered: &DeliveredEvent) -> Logged {
    let event = delivered
        .event
        .as_ref()
        .expect("a delivered event holds an event");
    Logged {
        position: position(&delivered.cursor),
        event_id: event.event_id.clone(),
        conversation: event.conversation_id.clone(),
        sequence: event.sequence,
        fact: event.body.as_ref().map_or(Fact::Other, fact),
    }
}

fn fact(body: &Body) -> Fact {
    match body {
        Body::ConversationStarted(started) => operation(start_key(&started.command_id)),
        Body::ParametersUpdated(updated) => operation(parameters_key(&updated.command_id)),
        Body::AgentMessage(message) => operation(webhook_key(&message.platform_message_id)),
        Body::VisitorMessage(message) => Fact::Operation {
            key: message.message_id.clone(),
            owed: !message.held,
        },
        Body::DeliveryChanged(changed) => settled(changed),
        _ => Fact::Other,
    }
}

fn operation(key: String) -> Fact {
    Fact::Operation { key, owed: false }
}

fn settled(changed: &DeliveryChanged) -> Fact {
    let how = match changed.state() {
        DeliveryState::Delivered => Settled::Delivered,
        DeliveryState::Unknown => Settled::Unknown,
        DeliveryState::Failed => Settled::Failed,
        _ => return Fact::Other,
    };
    match &changed.subject {
        Some(Subject::MessageId(key)) => Fact::Settled {
            key: key.clone(),
            how,
        },
        _ => Fact::Other,
    }
}

pub fn start_key(command_id: &str) -> String {
    format!("start {command_id}")
}

pub fn parameters_key(command_id: &str) -> String {
    format!("parameters {command_id}")
}

pub fn webhook_key(message_id: &str) -> String {
    format!("webhook {message_id}")
}

/// The position in a cursor. Callers must not look inside; a checker that wants to see gaps has to.
fn position(cursor: &str) -> u64 {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .expect("a cursor is URL-safe text");
    // Whatever database it is of: the epoch that it carries.
    let epoch = u64::from_be_bytes(bytes[1..9].try_into().expect("eight bytes"));
    let cursor = Cursor::decode(cursor, epoch).expect("a cursor");
    cursor.position.0
}
