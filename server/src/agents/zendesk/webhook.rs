//! Webhooks in: what a verified body says, told in the domain's words. Shapes are told apart, not addresses, so that one
//! address serves all of them.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{action, message, ticket, verify::Verified, wire::Fields};
use crate::domain::{
    Id, Question,
    inbound::{Inbound, InboundBody},
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
    let internal_id = internal_id(&fields);
    let mut inbound = Inbound {
        internal_id,
        ..by_shape(fields)?
    };
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

/// The platform's own id of the conversation: beside everything else, or with the event. Looked at only: it is told to
/// nobody, and what came is kept as it would be without.
fn internal_id(fields: &Fields<'_>) -> Option<String> {
    let id = fields
        .look("conversationId")
        .or_else(|| fields.look_inside("data", "conversationId"))?;
    Id::parse("conversationId", id).ok()?;
    Some(id.to_owned())
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
        return action::decode(fields);
    }
    let parts = ["text", "predictedIntents", "attachments"];
    if !fields.has("data") && parts.iter().any(|name| fields.has(name)) {
        return ticket::decode(fields);
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
        "isTeamOnline" => outside(InboundBody::Question(Question::Availability {
            team: data.text("teamId").unwrap_or_default(),
            raw,
        })),
        "escalate" => {
            let target = data.text("escalateTo").unwrap_or_default();
            within(
                &mut data,
                InboundBody::Question(Question::Escalation { target, raw }),
            )?
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

/// What this version does not know. It names a conversation if it can.
fn unknown(mut fields: Fields<'_>, event_type: String) -> Inbound {
    let raw = String::new();
    Inbound {
        upstream_id: conversation(&mut fields).ok(),
        internal_id: None,
        platform_event_id: None,
        body: InboundBody::Unknown { event_type, raw },
    }
}

fn within(data: &mut Fields<'_>, body: InboundBody) -> Result<Inbound, Undecodable> {
    Ok(Inbound {
        upstream_id: Some(conversation(data)?),
        internal_id: None,
        platform_event_id: None,
        body,
    })
}

/// What belongs to no conversation.
fn outside(body: InboundBody) -> Inbound {
    Inbound {
        upstream_id: None,
        internal_id: None,
        platform_event_id: None,
        body,
    }
}

/// The conversation's id, which was ours before it was theirs: what could not be one of ours is malformed.
pub(super) fn conversation(fields: &mut Fields<'_>) -> Result<String, Undecodable> {
    let id = fields
        .text("platformConversationId")
        .ok_or(Undecodable::Malformed)?;
    Id::parse("platformConversationId", &id).map_err(|_| Undecodable::Malformed)?;
    Ok(id)
}

fn raw_of(body: &mut InboundBody) -> Option<&mut String> {
    match body {
        InboundBody::Message(message) => Some(&mut message.raw),
        InboundBody::Question(
            Question::Action { raw, .. }
            | Question::Escalation { raw, .. }
            | Question::Availability { raw, .. },
        )
        | InboundBody::WidgetEscalation { raw, .. }
        | InboundBody::WidgetMessage { raw, .. }
        | InboundBody::Ticket { raw, .. }
        | InboundBody::Alert { raw, .. }
        | InboundBody::Unknown { raw, .. } => Some(raw),
        InboundBody::WidgetEnd => None,
    }
}
