//! What visitors, and the humans who answer them, said.

use serde_json::Value;

use super::{
    control::{answered_by_others, answered_by_us},
    graph_id::GraphId,
    webhook::Update,
};
use crate::domain::{
    DeliveryState,
    message::{HumanMessage, HumanMessageKind},
    source::{SourceBody, SourceEvent, Words},
};

/// The app of the page's inbox, where a page's own people write.
const PAGE_INBOX: &str = "263902037430900";
/// What a choice of ours begins with.
const CHOICE: &str = "p:";
/// What a message can hold that is shown, or says nothing that people would miss.
const SHOWN: [&str; 4] = ["mid", "text", "seq", "is_echo"];

/// A visitor's message, or an echo of one to a visitor.
pub(super) fn decode(update: &Update<'_>, events: &mut Vec<SourceEvent>) {
    if update.value["message"]["is_echo"] == true {
        echo(update, events);
    } else {
        events.push(said(update));
    }
}

fn said(update: &Update<'_>) -> SourceEvent {
    let message = &update.value["message"];
    let text = text(message, "text").filter(|text| !text.trim().is_empty());
    let chosen = message["quick_reply"]["payload"]
        .as_str()
        .filter(|payload| payload.starts_with(CHOICE));
    let body = match (text, chosen) {
        (Some(label), Some(payload)) => words(
            Words::Chosen {
                payload: payload.to_owned(),
                label,
            },
            String::new(),
        ),
        (Some(text), None) => words(Words::Text(text), raw(update, message)),
        (None, _) => SourceBody::Unknown {
            event_type: unshown(message),
            raw: update.value.to_string(),
        },
    };
    let owner = if update.standby {
        answered_by_others(update)
    } else {
        answered_by_us()
    };
    SourceEvent {
        owner: Some(owner),
        ..update.event(mid(message), body)
    }
}

/// A button was tapped. The app that sent the button is told even while another one owns the conversation, so an
/// event that is not on standby says nothing of the owner.
pub(super) fn postback(update: &Update<'_>) -> SourceEvent {
    let postback = &update.value["postback"];
    let title = text(postback, "title").filter(|title| !title.trim().is_empty());
    let payload = text(postback, "payload");
    let body = match (title, payload) {
        // On standby there is no payload: a button of somebody else's, in which we have no part.
        (Some(label), Some(payload)) if payload.starts_with(CHOICE) => {
            words(Words::Chosen { payload, label }, String::new())
        }
        (Some(title), Some(_)) => words(Words::Text(title), update.value.to_string()),
        _ => SourceBody::Unknown {
            event_type: "postback".to_owned(),
            raw: update.value.to_string(),
        },
    };
    SourceEvent {
        owner: update.standby.then(|| answered_by_others(update)),
        ..update.event(mid(postback), body)
    }
}

/// Something was said to the visitor. Our own words are known; somebody else's belong to the transcript, and make us
/// doubt that the visitor is still ours.
fn echo(update: &Update<'_>, events: &mut Vec<SourceEvent>) {
    let message = &update.value["message"];
    let app = GraphId::read(&message["app_id"]);
    if app.as_ref() == Some(&update.page.app_id) {
        return;
    }
    let owner = update.standby.then(|| answered_by_others(update));
    events.push(SourceEvent {
        owner,
        contact_must_exist: true,
        ..update.event(mid(message), echoed(update, app.as_ref()))
    });
    if !update.standby {
        events.push(SourceEvent {
            contact_must_exist: true,
            ..update.event(
                Some(format!("doubt:{}", update.digest())),
                SourceBody::Doubt,
            )
        });
    }
}

fn echoed(update: &Update<'_>, app: Option<&GraphId>) -> SourceBody {
    let message = &update.value["message"];
    let is_human = app.is_none_or(|app| {
        app.as_str() == PAGE_INBOX || Some(app) == update.page.handover_app_id.as_ref()
    });
    match text(message, "text").filter(|text| is_human && !text.trim().is_empty()) {
        Some(text) => SourceBody::Human(HumanMessage {
            message_id: mid(message).unwrap_or_else(|| update.digest()),
            kind: HumanMessageKind::Text,
            text,
            name: String::new(),
            avatar_url: String::new(),
            queue_position: None,
            waiting_time: None,
            from_source: true,
            raw: raw(update, message),
        }),
        None => SourceBody::Unknown {
            event_type: format!("echo:{}", unshown(message)),
            raw: update.value.to_string(),
        },
    }
}

/// What was delivered, each by the platform's id of it.
pub(super) fn delivered(update: &Update<'_>, events: &mut Vec<SourceEvent>) {
    let ids = update.value["delivery"]["mids"].as_array();
    for id in ids.into_iter().flatten().filter_map(Value::as_str) {
        let body = SourceBody::Report {
            remote_id: id.to_owned(),
            state: DeliveryState::Delivered,
            reason: None,
            detail: String::new(),
        };
        events.push(SourceEvent {
            contact_must_exist: true,
            ..update.event(Some(format!("delivery:{id}")), body)
        });
    }
}

fn words(words: Words, raw: String) -> SourceBody {
    SourceBody::Message {
        words,
        visitor: None,
        parameters: Vec::new(),
        raw,
    }
}

/// All of it, where it holds anything that is not shown.
fn raw(update: &Update<'_>, message: &Value) -> String {
    let mut names = message.as_object().into_iter().flatten();
    if names.any(|(name, _)| !SHOWN.contains(&name.as_str())) {
        update.value.to_string()
    } else {
        String::new()
    }
}

/// What a message without words is called: its first attachment's kind, whatever that is.
fn unshown(message: &Value) -> String {
    let kind = message["attachments"][0]["type"].as_str();
    kind.map_or_else(|| "message".to_owned(), |kind| format!("attachment:{kind}"))
}

fn mid(value: &Value) -> Option<String> {
    text(value, "mid").filter(|mid| !mid.is_empty())
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}
