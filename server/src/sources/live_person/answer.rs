//! What `LivePerson` is answered: messages and actions, in its own words.

use bytes::Bytes;
use serde_json::{Value, json};

use super::LivePersonConfig;
use crate::domain::source::{Handover, Item, ItemBody};

/// An answer with these items, in order.
pub(super) fn body(items: &[Value]) -> Bytes {
    let answer = json!({ "response": items, "analytics": { "intents": [] } });
    answer.to_string().into()
}

/// Words to the visitor.
pub(super) fn text(message: &str) -> Value {
    json!({ "type": "TEXT", "data": { "message": message } })
}

/// A message to the visitor; `None`: it is more than text.
pub(super) fn message(item: &Item) -> Option<Value> {
    match &item.body {
        ItemBody::Text(message) => Some(text(message)),
        ItemBody::Offer { .. } | ItemBody::Cards(_) => None,
    }
}

/// All that a handover says: what the visitor is told, what the human is told, and last where to.
pub(super) fn transfer(handover: &Handover, config: &LivePersonConfig) -> Vec<Value> {
    let told = handover.text.as_deref().filter(|text| !text.is_empty());
    let note = Some(handover.note.as_str()).filter(|note| !note.is_empty());
    let note = note.map(|note| {
        // Only humans see it.
        let data = json!({ "message": note, "messageAudience": "AGENTS_AND_MANAGERS" });
        json!({ "type": "TEXT", "data": data })
    });
    let action = json!({ "name": "TRANSFER", "parameters": whereto(&handover.target, config) });
    let action = json!({ "type": "ACTION", "data": action });
    told.map(text)
        .into_iter()
        .chain(note)
        .chain([action])
        .collect()
}

fn whereto(target: &str, config: &LivePersonConfig) -> Value {
    let skill = config.skills.get(target);
    match (config.agent_ids.get(target), skill) {
        (Some(agent), None) => json!({ "agentId": agent }),
        (Some(agent), Some(skill)) => json!({ "skillName": skill, "agentId": agent }),
        (None, skill) => json!({ "skillName": skill.unwrap_or(&config.default_skill) }),
    }
}
