//! One message as the platform wants it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{BUTTONS, CAPABILITIES, LIST, config::WhatsappConfig};
use crate::domain::source::{
    Author, Contact, Item, ItemBody, OfferKind, OfferLimits, Offered, OfferedAction,
};

/// How to reach a visitor.
#[derive(Serialize, Deserialize)]
struct Address {
    /// The visitor's number, as in the webhook's `from`.
    to: String,
}

/// The visitor `from` of a number of ours.
pub(super) fn contact(phone_number_id: &str, from: &str) -> Contact {
    Contact {
        key: format!("{phone_number_id}:{from}"),
        address: json!({ "to": from }).to_string(),
    }
}

/// The number in an address of our own making.
pub(super) fn recipient(address: &str) -> Option<String> {
    serde_json::from_str(address)
        .ok()
        .map(|address: Address| address.to)
}

/// How messages are to look.
#[derive(Debug)]
pub(super) struct Style {
    name_humans: bool,
    list_button: String,
}

impl Style {
    pub(super) fn new(config: &WhatsappConfig) -> Self {
        Self {
            name_humans: config.name_humans,
            list_button: config.list_button.trim().to_owned(),
        }
    }

    /// The request's body, or what in `item` the platform would refuse.
    pub(super) fn body(&self, to: &str, item: &Item) -> Result<Value, &'static str> {
        let (kind, content) = match &item.body {
            ItemBody::Text(text) => {
                let text = self.signed(&item.author, text, CAPABILITIES.text_chars);
                ("text", json!({ "body": text }))
            }
            ItemBody::Offer {
                kind,
                text,
                options,
            } => (
                "interactive",
                self.offer(&item.author, *kind, text, options)?,
            ),
            ItemBody::Cards(_) => return Err("cards cannot be shown here"),
        };
        Ok(json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": kind, kind: content,
        }))
    }

    fn offer(
        &self,
        author: &Author,
        kind: OfferKind,
        text: &str,
        options: &[Offered],
    ) -> Result<Value, &'static str> {
        let limits = match kind {
            OfferKind::Buttons => &BUTTONS,
            OfferKind::List => &LIST,
            OfferKind::QuickReplies => return Err("quick replies cannot be shown here"),
        };
        let choices = choices(limits, options)?;
        // The platform takes no offer without words above it.
        let text = if text.trim().is_empty() {
            &self.list_button
        } else {
            text
        };
        let text = self.signed(author, text, limits.text_chars);
        Ok(match kind {
            OfferKind::Buttons => {
                let button = |choice| json!({ "type": "reply", "reply": choice });
                let buttons: Vec<_> = choices.into_iter().map(button).collect();
                json!({ "type": "button", "body": { "text": text }, "action": { "buttons": buttons } })
            }
            _ => json!({
                "type": "list", "body": { "text": text },
                "action": { "button": self.list_button, "sections": [{ "rows": choices }] },
            }),
        })
    }

    /// A human's words begin with the human's name, if there is room.
    fn signed(&self, author: &Author, text: &str, max_chars: usize) -> String {
        match author {
            Author::Human { name, .. } if self.name_humans && !name.trim().is_empty() => {
                Some(format!("{}: {text}", name.trim()))
            }
            _ => None,
        }
        .filter(|signed| signed.chars().count() <= max_chars)
        .unwrap_or_else(|| text.to_owned())
    }
}

/// Id and title of each choice. The platform refuses the whole message for one choice that breaks its rules, so those
/// are looked at first.
fn choices(limits: &OfferLimits, options: &[Offered]) -> Result<Vec<Value>, &'static str> {
    if options.is_empty() || options.len() > limits.max_options {
        return Err("there are no choices, or more than can be shown");
    }
    let mut ids = HashSet::new();
    let mut titles = HashSet::new();
    let mut choices = Vec::with_capacity(options.len());
    for Offered { label, action } in options {
        let OfferedAction::Choose { payload } = action else {
            return Err("a link cannot stand among choices");
        };
        if label.trim().is_empty() || label.chars().count() > limits.label_chars {
            return Err("a choice's label is blank or too long");
        }
        if !ids.insert(payload) || (!titles.insert(label) && !limits.repeats_labels) {
            return Err("two choices are the same");
        }
        choices.push(json!({ "id": payload, "title": label }));
    }
    Ok(choices)
}
