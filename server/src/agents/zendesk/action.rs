//! What the agent wants done: its action's name and the parameters that it hands over.

use serde_json::Value;

use super::{
    webhook::{Undecodable, conversation},
    wire::Fields,
};
use crate::domain::{
    inbound::{Inbound, InboundBody},
    request::{ActionParameter, Question},
};

/// An action that the agent wants done. Whether it must name its conversation is where the sources differ: it need
/// not.
pub(super) fn decode(mut fields: Fields<'_>) -> Result<Inbound, Undecodable> {
    let named = fields.has("platformConversationId");
    let upstream_id = named.then(|| conversation(&mut fields)).transpose()?;
    fields.text("channel");
    let name = fields.text("name").unwrap_or_default();
    let parameters = fields
        .list("data")
        .into_iter()
        .filter_map(|element| parameter(element, &fields))
        .collect();
    fields.finish();
    let raw = String::new();
    Ok(Inbound {
        upstream_id,
        internal_id: None,
        platform_event_id: None,
        body: InboundBody::Question(Question::Action {
            name,
            parameters,
            raw,
        }),
    })
}

fn parameter(element: Value, within: &Fields<'_>) -> Option<ActionParameter> {
    let Value::Object(map) = element else {
        within.note_inexact();
        return None;
    };
    let mut fields = within.nested(map);
    let values = match fields.any("value") {
        None => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
    };
    let values = values
        .into_iter()
        .map(|value| match value {
            Value::String(text) => text,
            value => {
                fields.note_inexact();
                value.to_string()
            }
        })
        .collect();
    let parameter = ActionParameter {
        key: fields.text("key").unwrap_or_default(),
        values,
        // One of the platform's examples spells the key with its question mark.
        save_as: fields
            .text("saveAs")
            .or_else(|| fields.text("saveAs?"))
            .unwrap_or_default(),
        personal: fields.flag("sanitize"),
    };
    fields.finish();
    Some(parameter)
}
