//! Webhooks in: what a verified body says, told in the domain's words.

use std::time::Duration;

use serde_json::Value;

use super::{
    failure::{self, Failure},
    message::contact,
};
use crate::{
    domain::{
        DeliveryState, Timestamp, Visitor,
        source::{SourceBody, SourceEvent, Words},
    },
    sources::ending::detail,
    sources::graph_webhook::Verified,
};

/// What a webhook says.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<SourceEvent>,
    /// Changes of other numbers, which are not ours to answer.
    pub(super) of_others: usize,
    /// Visitors that were written to too fast, and when.
    pub(super) too_fast: Vec<(String, Timestamp)>,
}

/// What a webhook says about the number `phone_number_id`. `None`: it is not what the platform sends.
pub(super) fn decode(verified: &Verified<'_>, phone_number_id: &str) -> Option<Decoded> {
    let body: Value = serde_json::from_slice(verified.body()).ok()?;
    let object = body["object"].as_str()?;
    let entries = body["entry"].as_array()?;
    let mut decoded = Decoded::default();
    if object != "whatsapp_business_account" {
        decoded.events.push(unknown(object, &body));
        return Some(decoded);
    }
    for entry in entries {
        match entry["changes"].as_array() {
            Some(changes) => {
                for change in changes {
                    decoded.change(change, phone_number_id);
                }
            }
            None => decoded.events.push(unknown("entry", entry)),
        }
    }
    Some(decoded)
}

impl Decoded {
    fn change(&mut self, change: &Value, phone_number_id: &str) {
        let field = change["field"].as_str().unwrap_or_default();
        let value = &change["value"];
        let number = value["metadata"]["phone_number_id"].as_str();
        match number {
            Some(number) if number != phone_number_id => self.of_others += 1,
            Some(_) if field == "messages" => self.value(value, change, phone_number_id),
            _ => self.events.push(unknown(field, change)),
        }
    }

    fn value(&mut self, value: &Value, change: &Value, phone_number_id: &str) {
        let messages = list(&value["messages"]);
        let statuses = list(&value["statuses"]);
        let errors = list(&value["errors"]);
        for message in messages {
            let event = said(message, list(&value["contacts"]), phone_number_id);
            self.events.push(event);
        }
        for status in statuses {
            self.status(status, phone_number_id);
        }
        if !errors.is_empty() {
            self.events.push(unknown("errors", change));
        } else if messages.is_empty() && statuses.is_empty() {
            self.events.push(unknown("messages", change));
        }
    }

    /// What became of a message of ours. That it left, or was read, is nothing that anybody waits for.
    fn status(&mut self, status: &Value, phone_number_id: &str) {
        let name = status["status"].as_str().unwrap_or_default();
        let remote_id = text(&status["id"]);
        let recipient = text(&status["recipient_id"]);
        let at = seconds(&status["timestamp"]);
        let error = &status["errors"][0];
        let failure = Failure::of(error).unwrap_or(Failure::Other);
        let body = match name {
            "sent" | "read" => return,
            "delivered" if !remote_id.is_empty() => SourceBody::Report {
                remote_id: remote_id.clone(),
                state: DeliveryState::Delivered,
                reason: None,
                detail: String::new(),
            },
            "failed" if !remote_id.is_empty() => SourceBody::Report {
                remote_id: remote_id.clone(),
                state: DeliveryState::Failed,
                reason: Some(failure.reason()),
                detail: detail(&failure::said(error), &[&recipient]),
            },
            _ => unknown_body(&format!("status.{name}"), status),
        };
        if name == "failed" && failure == Failure::TooFast {
            self.too_fast.extend(at.map(|at| (recipient.clone(), at)));
        }
        let about = (!recipient.is_empty()).then(|| contact(phone_number_id, &recipient));
        self.events.push(SourceEvent {
            contact_must_exist: about.is_some(),
            contact: about,
            event_id: (!remote_id.is_empty()).then(|| format!("{remote_id}:{name}")),
            occurred_at: at,
            ..SourceEvent::apart(body)
        });
    }
}

/// What a visitor said.
fn said(message: &Value, contacts: &[Value], phone_number_id: &str) -> SourceEvent {
    let from = text(&message["from"]);
    let body = match words(message) {
        Some((words, shown_whole)) if !from.is_empty() => SourceBody::Message {
            words,
            visitor: visitor(contacts, &from),
            parameters: Vec::new(),
            raw: if shown_whole {
                String::new()
            } else {
                message.to_string()
            },
        },
        _ => unknown_body(&text(&message["type"]), message),
    };
    SourceEvent {
        contact: (!from.is_empty()).then(|| contact(phone_number_id, &from)),
        event_id: message["id"].as_str().map(str::to_owned),
        occurred_at: seconds(&message["timestamp"]),
        ..SourceEvent::apart(body)
    }
}

/// The words of a message, and whether they are all that is in it.
fn words(message: &Value) -> Option<(Words, bool)> {
    let kind = message["type"].as_str()?;
    let content = &message[kind];
    match kind {
        "text" => {
            let known = ["from", "id", "timestamp", "type", "text"];
            let whole = has_only(message, &known) && has_only(content, &["body"]);
            plain(&content["body"]).map(|words| (words, whole))
        }
        "interactive" => {
            let reply = match content["type"].as_str()? {
                kind @ ("button_reply" | "list_reply") => &content[kind],
                _ => return None,
            };
            // The context names the message that offered the choice; its payload does so too.
            let known = ["from", "id", "timestamp", "type", "interactive", "context"];
            let words = chosen(&reply["id"], &reply["title"])?;
            let whole = has_only(message, &known)
                && has_only(reply, &["id", "title"])
                && matches!(words, Words::Chosen { .. });
            Some((words, whole))
        }
        // A button of a template.
        "button" => chosen(&content["payload"], &content["text"]).map(|words| (words, false)),
        "image" | "video" | "document" => plain(&content["caption"]).map(|words| (words, false)),
        _ => None,
    }
}

/// A choice that we offered, or the words on one that somebody else did.
fn chosen(id: &Value, title: &Value) -> Option<Words> {
    let Words::Text(label) = plain(title)? else {
        return None;
    };
    Some(match id.as_str() {
        Some(payload) if payload.starts_with("p:") => Words::Chosen {
            payload: payload.to_owned(),
            label,
        },
        _ => Words::Text(label),
    })
}

fn plain(value: &Value) -> Option<Words> {
    let text = value.as_str()?;
    (!text.trim().is_empty()).then(|| Words::Text(text.to_owned()))
}

/// Who speaks: the one profile with that number, or the only one, because the two ids may differ. The id is left out:
/// it is the number, and a visitor's id stands in logs.
fn visitor(contacts: &[Value], from: &str) -> Option<Visitor> {
    let own = contacts.iter().find(|contact| contact["wa_id"] == from);
    let contact = own.or(match contacts {
        [only] => Some(only),
        _ => None,
    })?;
    let name = contact["profile"]["name"].as_str()?.trim();
    (!name.is_empty()).then(|| Visitor {
        visitor_id: String::new(),
        display_name: name.to_owned(),
        language: String::new(),
    })
}

fn unknown(event_type: &str, raw: &Value) -> SourceEvent {
    SourceEvent::apart(unknown_body(event_type, raw))
}

fn unknown_body(event_type: &str, raw: &Value) -> SourceBody {
    SourceBody::Unknown {
        event_type: event_type.to_owned(),
        raw: raw.to_string(),
    }
}

/// Seconds since 1970, which come as text.
fn seconds(value: &Value) -> Option<Timestamp> {
    let seconds = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => value.as_u64(),
    }?;
    Some(Timestamp(0) + Duration::from_secs(seconds))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn has_only(value: &Value, known: &[&str]) -> bool {
    let keys = value.as_object().map(|object| object.keys());
    keys.is_some_and(|mut keys| keys.all(|key| known.contains(&key.as_str())))
}
