//! Messages that the application publishes.

use serde_json::{Value, json};

use super::{
    inbox,
    settings::Settings,
    state::{Published, Speaker, State},
    wire::{Answered, Asked, INVALID, NO_PERMISSION, NOT_FOUND, Refusal, TOO_LONG},
};

/// The longest message of a channel in characters.
fn longest(channel: &str) -> usize {
    match channel {
        "twilio" => 1600,
        "facebook" => 2000,
        "whatsapp" => 4096,
        "viber" => 7000,
        _ => 10_000,
    }
}

pub(super) fn add(state: &mut State, settings: &Settings, asked: &Asked) -> Answered {
    let text = asked
        .field("message")
        .filter(|text| !text.trim().is_empty())
        .ok_or(INVALID)?;
    let status = asked.field("status").unwrap_or("queued");
    let channel = sender(settings, asked)?;
    if !matches!(status, "queued" | "awaitingapproval" | "draft") {
        return Err(INVALID);
    }
    let is_private = asked.field("type").unwrap_or("post") == "privatemessage";
    if status == "queued" && !(is_private && settings.may_publish) {
        return Err(NO_PERMISSION);
    }
    let topic = settings.topic_id.to_string();
    let mention_id = asked.field("mention_id").ok_or(INVALID)?;
    let is_it = |mention: &&super::state::Mention| mention.id == mention_id;
    let answered = state
        .mentions
        .iter()
        .find(is_it)
        .cloned()
        .ok_or(NOT_FOUND)?;
    if asked.field("topic_id") != Some(&topic) {
        return Err(NOT_FOUND);
    }
    if answered.contact.channel != channel || answered.sent_by.is_some() {
        return Err(INVALID);
    }
    if text.chars().count() > longest(&channel) {
        return Err(TOO_LONG);
    }
    let now = (settings.now)();
    let published = Published {
        id: state.new_id(),
        mention_id: mention_id.to_owned(),
        text: text.to_owned(),
        added: now,
        status: status.to_owned(),
    };
    let shown = view(&published);
    state.published.push(published);
    if status == "queued" {
        let mention = state.add(&answered.contact, text, Some(&settings.client_id), now);
        state
            .known(&answered.contact)
            .say(Speaker::Bot, text, &settings.tag);
        let body = inbox::view(state, settings, &mention).to_string();
        state.webhooks.push_back(body);
    }
    Ok(json!({ "messages": [], "publisher_mention": shown }))
}

/// `/publisher/mentions`, newest first.
pub(super) fn list(state: &State) -> Answered {
    let list: Vec<_> = state.published.iter().rev().map(view).collect();
    Ok(json!({ "count": list.len(), "data": list, "paging": { "next_url": null } }))
}

/// The channel to send on, from the one profile that there is.
fn sender(settings: &Settings, asked: &Asked) -> Result<String, Refusal> {
    let services = asked.json("services").ok_or(INVALID)?;
    match services.as_array().map(Vec::as_slice) {
        Some([one]) if one["service_id"] == json!(settings.profile) => {
            one["type"].as_str().map(str::to_owned).ok_or(INVALID)
        }
        _ => Err(INVALID),
    }
}

fn view(published: &Published) -> Value {
    let Published {
        id,
        mention_id,
        text,
        added,
        status,
    } = published;
    json!({
        "id": id, "type": "privatemessage", "status": status, "mention_id": mention_id,
        "message": { "content": text }, "date": { "added": added, "published": added },
    })
}
