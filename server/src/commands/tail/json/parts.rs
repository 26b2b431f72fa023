//! What several kinds of event are made of, as JSON.

use parloir_proto::v1::{ActionParameter, Button, Card, Choice, Intent, Parameter, Visitor};
use prost_types::{Duration, Timestamp};
use serde_json::{Value, json};

use super::super::terminal;

/// RFC 3339 in UTC by the microsecond: what the log keeps, and what a text sorts by.
pub(in crate::commands) fn timestamp(at: Option<&Timestamp>) -> Value {
    at.map_or(Value::Null, |at| {
        let second = terminal::second(at.seconds);
        let micros = at.nanos.clamp(0, 999_999_999) / 1_000;
        json!(format!("{}.{micros:06}Z", second.trim_end_matches('Z')))
    })
}

/// Seconds, with their fraction.
pub(in crate::commands) fn duration(length: Option<&Duration>) -> Value {
    length
        .and_then(|length| std::time::Duration::try_from(*length).ok())
        .map_or(Value::Null, |length| json!(length.as_secs_f64()))
}

pub(super) fn visitor(visitor: &Visitor) -> Value {
    let Visitor {
        visitor_id,
        display_name,
        language,
    } = visitor;
    json!({ "visitor_id": visitor_id, "display_name": display_name, "language": language })
}

pub(super) fn parameters(parameters: &[Parameter]) -> Value {
    parameters
        .iter()
        .map(
            |Parameter {
                 key,
                 value,
                 personal,
             }| { json!({ "key": key, "value": value, "personal": personal }) },
        )
        .collect()
}

pub(super) fn action_parameters(parameters: &[ActionParameter]) -> Value {
    parameters
        .iter()
        .map(
            |ActionParameter {
                 key,
                 values,
                 save_as,
                 personal,
             }| {
                json!({ "key": key, "values": values, "save_as": save_as, "personal": personal })
            },
        )
        .collect()
}

pub(super) fn choice(choice: &Choice) -> Value {
    let Choice {
        label,
        card_index,
        event_id,
    } = choice;
    json!({ "label": label, "card_index": card_index, "event_id": event_id })
}

pub(super) fn buttons(buttons: &[Button]) -> Value {
    buttons
        .iter()
        .map(|button| {
            let Button {
                kind: _,
                label,
                link,
            } = button;
            json!({ "kind": button.kind().as_str_name(), "label": label, "link": link })
        })
        .collect()
}

pub(super) fn cards(cards: &[Card]) -> Value {
    cards
        .iter()
        .map(
            |Card {
                 title,
                 description,
                 image_url,
                 buttons: on_card,
             }| {
                json!({
                    "title": title,
                    "description": description,
                    "image_url": image_url,
                    "buttons": buttons(on_card),
                })
            },
        )
        .collect()
}

pub(super) fn intents(intents: &[Intent]) -> Value {
    intents
        .iter()
        .map(
            |Intent {
                 intent_id,
                 name,
                 confidence,
             }| {
                json!({ "intent_id": intent_id, "name": name, "confidence": confidence })
            },
        )
        .collect()
}
