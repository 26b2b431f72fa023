//! Messages that the application publishes.

use serde_json::{Value, json};

use super::{
    inbox,
    settings::Settings,
    state::{Contact, Mention, Published, Speaker, State},
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
    let answered = answered(state, settings, asked, &channel)?;
    if text.chars().count() > longest(&channel) {
        return Err(TOO_LONG);
    }
    let published = Published {
        id: state.new_id(),
        mention_id: answered.id,
        text: text.to_owned(),
        added: (settings.now)(),
        status: status.to_owned(),
    };
    let shown = view(&published);
    state.published.push(published);
    if status == "queued" {
        send(state, settings, &answered.contact, text);
    }
    Ok(json!({ "messages": [], "publisher_mention": shown }))
}

/// The visitor's message that is answered.
fn answered(
    state: &State,
    settings: &Settings,
    asked: &Asked,
    channel: &str,
) -> Result<Mention, Refusal> {
    let mention_id = asked.field("mention_id").ok_or(INVALID)?;
    let mut mentions = state.mentions.iter();
    let mention = mentions.find(|mention| mention.id == mention_id);
    let is_its_topic = asked.field("topic_id") == Some(&settings.topic_id.to_string());
    let mention = mention.filter(|_| is_its_topic).ok_or(NOT_FOUND)?;
    if mention.contact.channel != channel || mention.sent_by.is_some() {
        return Err(INVALID);
    }
    Ok(mention.clone())
}

/// The visitor reads it, and the recipe tells of it.
fn send(state: &mut State, settings: &Settings, contact: &Contact, text: &str) {
    let now = (settings.now)();
    let mention = state.add(contact, text, Some(&settings.client_id), now);
    state.known(contact).say(Speaker::Bot, text, &settings.tag);
    let body = inbox::view(state, settings, &mention).to_string();
    state.webhooks.push_back(body);
}

/// `/publisher/mentions`, newest first.
pub(super) fn list(state: &State) -> Value {
    let list: Vec<_> = state.published.iter().rev().map(view).collect();
    json!({ "count": list.len(), "data": list, "paging": { "next_url": null } })
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
