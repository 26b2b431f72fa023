//! Webhooks in: what a verified body says, told in the domain's words. Shapes are told apart, not addresses, so that one
//! address serves all of them.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{message, verify::Verified, wire::Fields};
use crate::domain::{
    Id,
    event::Intent,
    inbound::{Inbound, InboundBody},
    request::ActionParameter,
};

/// Why a verified body says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// It is not what the platform sends.
    Malformed,
    /// It names another bot.
    OtherBot,
}

/// What a webhook says to the bot `bot_id`.
pub(super) fn decode(verified: &Verified<'_>, bot_id: &str) -> Result<Inbound, Undecodable> {
    let body = &verified.webhook().body;
    let map: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| Undecodable::Malformed)?;
    let inexact = Cell::new(false);
    let mut fields = Fields::new(map, &inexact);
    check_bot(&mut fields, bot_id)?;
    let mut inbound = by_shape(fields)?;
    let always = matches!(
        inbound.body,
        InboundBody::Alert { .. } | InboundBody::Unknown { .. }
    );
    if (always || inexact.get())
        && let Some(raw) = raw_of(&mut inbound.body)
    {
        *raw = String::from_utf8_lossy(body).into_owned();
    }
    Ok(inbound)
}

/// A body that names no bot is taken for the one of its address, unless it names nothing else either.
fn check_bot(fields: &mut Fields<'_>, bot_id: &str) -> Result<(), Undecodable> {
    match fields.text("botId") {
        Some(named) if named != bot_id => Err(Undecodable::OtherBot),
        None if ["data", "name", "text", "event"]
            .iter()
            .all(|name| !fields.has(name)) =>
        {
            Err(Undecodable::Malformed)
        }
        _ => Ok(()),
    }
}

fn by_shape(mut fields: Fields<'_>) -> Result<Inbound, Undecodable> {
    if fields.inner_has("data", "eventType")
        && let Some(data) = fields.object("data")
    {
        return event(fields, data);
    }
    let alerts = ["conversationLink", "httpStatus"];
    if fields.holds_text("event")
        && (fields.has("botName") || alerts.iter().any(|name| fields.inner_has("data", name)))
    {
        let name = fields.text("event").unwrap_or_default();
        return Ok(outside(InboundBody::Alert {
            name,
            raw: String::new(),
        }));
    }
    if fields.holds_text("name") && (fields.holds_list("data") || !fields.has("data")) {
        return action(fields);
    }
    let parts = ["text", "predictedIntents", "attachments"];
    if !fields.has("data") && parts.iter().any(|name| fields.has(name)) {
        return ticket(fields);
    }
    Ok(unknown(fields, String::new()))
}

/// A chat or widget event.
fn event(mut fields: Fields<'_>, mut data: Fields<'_>) -> Result<Inbound, Undecodable> {
    let channel = fields.text("channel");
    if channel.is_some_and(|channel| channel != "chat") {
        fields.note_inexact();
    }
    fields.finish();
    let event_type = data.text("eventType").unwrap_or_default();
    let raw = String::new();
    let inbound = match event_type.as_str() {
        "sendMessage" => {
            let upstream_id = conversation(&mut data)?;
            return Ok(message::decode(upstream_id, data));
        }
        "isTeamOnline" => outside(InboundBody::Availability {
            team: data.text("teamId").unwrap_or_default(),
            raw,
        }),
        "escalate" => {
            let target = data.text("escalateTo").unwrap_or_default();
            within(&mut data, InboundBody::Escalation { target, raw })?
        }
        "widgetEscalate" => {
            let target = data.text("escalateTo").unwrap_or_default();
            within(&mut data, InboundBody::WidgetEscalation { target, raw })?
        }
        "widgetMessage" => {
            let text = data.text("text").unwrap_or_default();
            within(&mut data, InboundBody::WidgetMessage { text, raw })?
        }
        "widgetEndSession" => within(&mut data, InboundBody::WidgetEnd)?,
        _ => return Ok(unknown(data, event_type)),
    };
    data.finish();
    Ok(inbound)
}

/// Whether the conversation must be named is where the sources differ; ours need not be.
fn action(mut fields: Fields<'_>) -> Result<Inbound, Undecodable> {
    let named = fields.has("platformConversationId");
    let upstream_id = named.then(|| conversation(&mut fields)).transpose()?;
    fields.text("channel");
    let name = fields.text("name").unwrap_or_default();
    let parameters = fields
        .list("data")
        .into_iter()
        .filter_map(|element| action_parameter(element, &fields))
        .collect();
    fields.finish();
    let raw = String::new();
    Ok(Inbound {
        upstream_id,
        platform_event_id: None,
        body: InboundBody::Action {
            name,
            parameters,
            raw,
        },
    })
}

fn action_parameter(element: Value, within: &Fields<'_>) -> Option<ActionParameter> {
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

fn ticket(mut fields: Fields<'_>) -> Result<Inbound, Undecodable> {
    let upstream_id = conversation(&mut fields)?;
    let text = fields.text("text").unwrap_or_default();
    let objects = |fields: &mut Fields<'_>, name: &str| -> Vec<Map<String, Value>> {
        let list = fields.list(name).into_iter();
        list.filter_map(|element| match element {
            Value::Object(map) => Some(map),
            // A bare text can only be the path itself.
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
    };
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
        platform_event_id: None,
        body,
    })
}

/// What this version does not know. It names a conversation if it can.
fn unknown(mut fields: Fields<'_>, event_type: String) -> Inbound {
    let raw = String::new();
    Inbound {
        upstream_id: conversation(&mut fields).ok(),
        platform_event_id: None,
        body: InboundBody::Unknown { event_type, raw },
    }
}

fn within(data: &mut Fields<'_>, body: InboundBody) -> Result<Inbound, Undecodable> {
    Ok(Inbound {
        upstream_id: Some(conversation(data)?),
        platform_event_id: None,
        body,
    })
}

/// What belongs to no conversation.
fn outside(body: InboundBody) -> Inbound {
    Inbound {
        upstream_id: None,
        platform_event_id: None,
        body,
    }
}

/// The conversation's id, which was ours before it was theirs: what could not be one of ours is malformed.
fn conversation(fields: &mut Fields<'_>) -> Result<String, Undecodable> {
    let id = fields
        .text("platformConversationId")
        .ok_or(Undecodable::Malformed)?;
    Id::parse("platformConversationId", &id).map_err(|_| Undecodable::Malformed)?;
    Ok(id)
}

fn raw_of(body: &mut InboundBody) -> Option<&mut String> {
    match body {
        InboundBody::Message(message) => Some(&mut message.raw),
        InboundBody::Action { raw, .. }
        | InboundBody::Escalation { raw, .. }
        | InboundBody::Availability { raw, .. }
        | InboundBody::WidgetEscalation { raw, .. }
        | InboundBody::WidgetMessage { raw, .. }
        | InboundBody::Ticket { raw, .. }
        | InboundBody::Alert { raw, .. }
        | InboundBody::Unknown { raw, .. } => Some(raw),
        InboundBody::WidgetEnd => None,
    }
}
