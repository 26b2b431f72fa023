//! What the agent says: text, buttons and cards of a `sendMessage` webhook.

use serde_json::Value;

use super::wire::Fields;
use crate::domain::{
    AgentMessage, Button, ButtonKind, Card,
    inbound::{Inbound, InboundBody},
};

/// No page names the field that holds a link button's target; the first of these that holds a URL is taken.
const LINK_FIELDS: [&str; 6] = ["url", "link", "href", "uri", "value", "payload"];

/// Everything that is there is taken, whatever the message's type: a type that this version does not know must not cost
/// the visitor the words.
pub(super) fn decode(upstream_id: String, mut data: Fields<'_>) -> Inbound {
    let unknown_type = data
        .text("type")
        .filter(|name| name != "text" && name != "carousel")
        .unwrap_or_default();
    if !unknown_type.is_empty() {
        data.note_inexact();
    }
    let platform_message_id = data.text("messageId").unwrap_or_default();
    let message = AgentMessage {
        text: data.text("text").unwrap_or_default(),
        buttons: buttons(&mut data),
        cards: cards(&mut data),
        confidence: data.share("confidence"),
        platform_message_id: platform_message_id.clone(),
        platform_reply_id: data.text("replyId").unwrap_or_default(),
        unknown_type,
        raw: String::new(),
    };
    data.finish();
    Inbound {
        upstream_id: Some(upstream_id),
        internal_id: None,
        platform_event_id: Some(platform_message_id).filter(|id| !id.is_empty()),
        body: InboundBody::Message(message),
    }
}

fn cards(data: &mut Fields<'_>) -> Vec<Card> {
    data.list("carouselCards")
        .into_iter()
        .filter_map(|element| {
            let Value::Object(map) = element else {
                data.note_inexact();
                return None;
            };
            let mut fields = data.nested(map);
            let card = Card {
                title: fields.text("title").unwrap_or_default(),
                description: fields.text("description").unwrap_or_default(),
                image_url: fields.text("imageUrl").unwrap_or_default(),
                buttons: buttons(&mut fields),
            };
            fields.finish();
            Some(card)
        })
        .collect()
}

fn buttons(fields: &mut Fields<'_>) -> Vec<Button> {
    let list = fields.list("buttons").into_iter();
    list.filter_map(|element| button(element, fields)).collect()
}

fn button(element: Value, within: &Fields<'_>) -> Option<Button> {
    match element {
        Value::Object(map) => {
            let mut fields = within.nested(map);
            let kind = fields.text("type");
            let label = fields.text("text").unwrap_or_default();
            let button = if kind.as_deref() == Some("link") {
                Button {
                    kind: ButtonKind::Link,
                    label,
                    link: link(&mut fields),
                }
            } else {
                if kind.as_deref() != Some("button") {
                    fields.note_inexact();
                }
                reply(label)
            };
            fields.finish();
            Some(button)
        }
        // The reference's tables call buttons an array of strings.
        Value::String(label) => {
            within.note_inexact();
            Some(reply(label))
        }
        _ => {
            within.note_inexact();
            None
        }
    }
}

fn reply(label: String) -> Button {
    Button {
        kind: ButtonKind::Reply,
        label,
        link: String::new(),
    }
}

fn link(fields: &mut Fields<'_>) -> String {
    let holder = LINK_FIELDS
        .into_iter()
        .find(|name| fields.look(name).is_some_and(is_web_address));
    let target = holder.and_then(|name| fields.text(name));
    if target.is_none() {
        fields.note_inexact();
    }
    target.unwrap_or_default()
}

fn is_web_address(text: &str) -> bool {
    let starts = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("https://") || starts("http://")
}
