//! The bodies of the Send API: one message to one visitor.

use serde_json::{Value, json};

use super::graph_id::GraphId;
use crate::domain::source::{
    Author, Item, ItemBody, OfferKind, Offered, OfferedAction, OfferedCard,
};

/// The longest text, in characters. No official page states it; every client library does.
pub(super) const TEXT_CHARS: usize = 2000;

/// On what grounds a message may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grounds {
    /// The visitor spoke within the last 24 h.
    Response,
    /// A human answers within 7 days. Never an agent: the platform shuts apps out for that.
    HumanAgent,
}

/// An agent may not claim to be human.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotHuman;

/// What shows `item` to the visitor. With `named`, a human's name stands before their words.
pub(super) fn body(
    psid: &str,
    item: &Item,
    named: bool,
    grounds: Grounds,
) -> Result<Value, NotHuman> {
    let is_human = matches!(item.author, Author::Human { .. });
    let mut body = json!({ "recipient": { "id": psid }, "message": message(item, named) });
    match grounds {
        Grounds::Response => body["messaging_type"] = "RESPONSE".into(),
        Grounds::HumanAgent if is_human => {
            body["messaging_type"] = "MESSAGE_TAG".into();
            body["tag"] = "HUMAN_AGENT".into();
        }
        Grounds::HumanAgent => return Err(NotHuman),
    }
    Ok(body)
}

/// What tells the visitor something and gives them to another application, in one.
pub(super) fn farewell(psid: &str, text: &str, target: &GraphId) -> Value {
    // What is longer would be refused, and the handover with it.
    let text: String = text.chars().take(TEXT_CHARS).collect();
    json!({
        "recipient": { "id": psid },
        "messaging_type": "RESPONSE",
        "message": message(&Item::text(Author::Agent, text), false),
        "thread_control": { "control_type": "pass", "app_id": target.as_str() },
    })
}

/// The metadata comes back in the echo: people see there who spoke.
fn message(item: &Item, named: bool) -> Value {
    let mut message = match &item.body {
        ItemBody::Text(text) => json!({ "text": spoken(&item.author, text, named) }),
        ItemBody::Offer {
            kind: OfferKind::Buttons,
            text,
            options,
        } => template(&json!({
            "template_type": "button", "text": text, "buttons": buttons(options),
        })),
        ItemBody::Offer { text, options, .. } => {
            json!({ "text": text, "quick_replies": quick_replies(options) })
        }
        ItemBody::Cards(cards) => {
            let elements: Vec<_> = cards.iter().map(element).collect();
            template(&json!({ "template_type": "generic", "elements": elements }))
        }
    };
    let author = match item.author {
        Author::Agent => "agent",
        Author::Human { .. } => "human",
    };
    message["metadata"] = author.into();
    message
}

/// A name that does not fit beside the words is left out.
fn spoken(author: &Author, text: &str, named: bool) -> String {
    match author {
        Author::Human { name, .. } if named && !name.trim().is_empty() => {
            let whole = format!("{}: {text}", name.trim());
            if whole.chars().count() <= TEXT_CHARS {
                whole
            } else {
                text.to_owned()
            }
        }
        _ => text.to_owned(),
    }
}

fn template(payload: &Value) -> Value {
    json!({ "attachment": { "type": "template", "payload": payload } })
}

fn buttons(options: &[Offered]) -> Vec<Value> {
    let button = |option: &Offered| match &option.action {
        OfferedAction::Choose { payload } => {
            json!({ "type": "postback", "title": option.label, "payload": payload })
        }
        OfferedAction::Open { link } => {
            json!({ "type": "web_url", "title": option.label, "url": link })
        }
    };
    options.iter().map(button).collect()
}

/// Links cannot stand among them: whoever renders writes them out in the text.
fn quick_replies(options: &[Offered]) -> Vec<Value> {
    let reply = |option: &Offered| match &option.action {
        OfferedAction::Choose { payload } => Some(json!({
            "content_type": "text", "title": option.label, "payload": payload,
        })),
        OfferedAction::Open { .. } => None,
    };
    options.iter().filter_map(reply).collect()
}

/// A card needs a title and something beside it.
fn element(card: &OfferedCard) -> Value {
    let (title, subtitle) = match (card.title.trim(), card.description.trim()) {
        ("", "") => ("…", ""),
        ("", description) => (description, ""),
        both => both,
    };
    let is_bare = subtitle.is_empty() && card.image_url.is_empty() && card.options.is_empty();
    let subtitle = if is_bare { title } else { subtitle };
    let mut element = json!({ "title": title });
    if !subtitle.is_empty() {
        element["subtitle"] = subtitle.into();
    }
    if !card.image_url.is_empty() {
        element["image_url"] = card.image_url.as_str().into();
    }
    if !card.options.is_empty() {
        element["buttons"] = buttons(&card.options).into();
    }
    element
}
