//! What the agent says to a ticket: one flat object without an event type.

use serde_json::{Map, Value};

use super::{
    webhook::{Undecodable, conversation},
    wire::Fields,
};
use crate::domain::{
    event::Intent,
    inbound::{Inbound, InboundBody},
};

/// The agent's reply to a ticket.
pub(super) fn decode(mut fields: Fields<'_>) -> Result<Inbound, Undecodable> {
    let upstream_id = conversation(&mut fields)?;
    let text = fields.text("text").unwrap_or_default();
    let intents = objects(&mut fields, "predictedIntents");
    let intents = intents
        .into_iter()
        .map(|map| {
            let mut fields = fields.nested(map);
            let intent = Intent {
                intent_id: fields.text("value").unwrap_or_default(),
                name: fields.text("name").unwrap_or_default(),
                confidence: fields.share("confidence"),
            };
            fields.finish();
            intent
        })
        .collect();
    let attachments = objects(&mut fields, "attachments");
    let attachments = attachments
        .into_iter()
        .filter_map(|map| {
            let mut fields = fields.nested(map);
            let path = fields.text("path");
            fields.finish();
            path
        })
        .collect();
    fields.finish();
    let raw = String::new();
    let body = InboundBody::Ticket {
        text,
        intents,
        attachments,
        raw,
    };
    Ok(Inbound {
        upstream_id: Some(upstream_id),
        internal_id: None,
        platform_event_id: None,
        body,
    })
}

/// The objects of a list. A bare text among attachments can only be the path itself.
fn objects(fields: &mut Fields<'_>, name: &str) -> Vec<Map<String, Value>> {
    let list = fields.list(name).into_iter();
    list.filter_map(|element| match element {
        Value::Object(map) => Some(map),
        Value::String(path) if name == "attachments" => {
            fields.note_inexact();
            Some(Map::from_iter([("path".to_owned(), path.into())]))
        }
        _ => {
            fields.note_inexact();
            None
        }
    })
    .collect()
}
