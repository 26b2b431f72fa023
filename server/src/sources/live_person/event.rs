//! Calls about a conversation, told in the domain's words.

use serde_json::{Map, Value};

use super::contact;
use crate::domain::{
    Owner, Parameter, Timestamp,
    inbound::WebhookRefusal,
    source::{Observed, SourceBody, SourceEvent, Words},
};

/// How long the answer to an event may be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The visitor spoke and must be answered.
    Answer,
    /// The agent may have something to say.
    Perhaps,
    /// Nothing is to be said any more.
    Nothing,
}

/// A conversation that begins.
pub(super) fn begin(
    account_id: &str,
    conversation: &str,
    body: &[u8],
) -> Result<SourceEvent, WebhookRefusal> {
    let body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| WebhookRefusal::Malformed)?;
    let context = body.get("context").unwrap_or(&Value::Null);
    // The rest is about the visitor: what is not needed is not kept.
    let named = [
        ("skillId", "liveperson_skill_id"),
        ("engagementId", "liveperson_engagement_id"),
    ];
    let parameters = named.into_iter().filter_map(|(name, key)| {
        Some(Parameter {
            key: key.to_owned(),
            value: text_of(&context[name])?,
            personal: false,
        })
    });
    let parameters = parameters.collect();
    let mut event = SourceEvent::of(
        contact::contact(account_id, conversation),
        SourceBody::Opened { parameters },
    );
    event.event_id = Some(format!("{conversation}:begin"));
    event.owner = Some(Observed::pushed(Owner::Agent));
    Ok(event)
}

/// Something that happened in a conversation.
pub(super) fn event(
    account_id: &str,
    conversation: &str,
    bytes: &[u8],
) -> Result<(SourceEvent, Wait), WebhookRefusal> {
    let body: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|_| WebhookRefusal::Malformed)?;
    let (said, owner, wait) = decode(&body, bytes)?;
    let lp = (body.get("context")).map_or(&Value::Null, |context| &context["lpEvent"]);
    let mut event = SourceEvent::of(contact::contact(account_id, conversation), said);
    event.event_id = event_id(conversation, lp, &body);
    event.occurred_at = lp["serverTimestamp"].as_i64().and_then(milliseconds);
    event.owner = owner;
    event.contact_must_exist = true;
    Ok((event, wait))
}

/// Milliseconds since 1970.
pub(super) fn milliseconds(number: i64) -> Option<Timestamp> {
    number.checked_mul(1000).map(Timestamp)
}

fn decode(
    body: &Map<String, Value>,
    bytes: &[u8],
) -> Result<(SourceBody, Option<Observed>, Wait), WebhookRefusal> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let kind = text("type").ok_or(WebhookRefusal::Malformed)?;
    let data = body.get("data").unwrap_or(&Value::Null);
    let name = data["name"].as_str().unwrap_or_default();
    // LivePerson calls us only while the bot is assigned.
    let ours = Some(Observed::pushed(Owner::Agent));
    let by_visitor = text("source").is_none_or(|source| source == "CONSUMER");
    Ok(match (kind, name) {
        ("TEXT", _) if by_visitor => {
            let said = data["message"].as_str().ok_or(WebhookRefusal::Malformed)?;
            if said.trim().is_empty() {
                return Ok((unknown(kind, bytes), ours, Wait::Perhaps));
            }
            (words(said), ours, Wait::Answer)
        }
        ("CONVERSATION", "STARTED") | ("START", _) => {
            let parameters = Vec::new();
            (SourceBody::Opened { parameters }, ours, Wait::Perhaps)
        }
        ("CONVERSATION", "TRANSFERRED") => (SourceBody::Owner, Some(transferred()), Wait::Nothing),
        ("CONVERSATION", "CLOSED") | ("CLOSE_CONVERSATION", _) => {
            (SourceBody::Ended, None, Wait::Nothing)
        }
        ("CONVERSATION", _) => (
            unknown(&format!("{kind}/{name}"), bytes),
            ours,
            Wait::Perhaps,
        ),
        _ => (unknown(kind, bytes), ours, Wait::Perhaps),
    })
}

fn words(said: &str) -> SourceBody {
    SourceBody::Message {
        words: Words::Text(said.to_owned()),
        visitor: None,
        parameters: Vec::new(),
        raw: String::new(),
    }
}

/// It does not say to whom. Until the visitor's next words, which come here only if the bot is assigned, nobody can
/// tell, and the agent is silent.
fn transferred() -> Observed {
    Observed {
        unknown: "CONVERSATION/TRANSFERRED".to_owned(),
        ..Observed::pushed(Owner::Unknown)
    }
}

fn unknown(event_type: &str, bytes: &[u8]) -> SourceBody {
    SourceBody::Unknown {
        event_type: event_type.to_owned(),
        raw: String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Sequences count within a dialog; the main one is named like its conversation. Whether they count messages and what
/// else happens together is not said: what is no message has its kind and name in its id.
fn event_id(conversation: &str, lp: &Value, body: &Map<String, Value>) -> Option<String> {
    let sequence = text_of(&lp["sequence"])?;
    let dialog = lp["dialogId"].as_str().unwrap_or(conversation);
    let id = if dialog == conversation {
        format!("{conversation}:{sequence}")
    } else {
        format!("{conversation}:{dialog}:{sequence}")
    };
    let kind = body.get("type").and_then(Value::as_str)?;
    let name = body.get("data").and_then(|data| data["name"].as_str());
    Some(match (kind, name) {
        ("TEXT", _) => id,
        (_, Some(name)) => format!("{id}:{kind}/{name}"),
        (_, None) => format!("{id}:{kind}"),
    })
}

/// Ids are numbers in the specification; as texts they mean the same.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
