//! The JSON of webhooks, as the platform writes it.

use serde_json::{Value as Json, json};

use super::session::Session;
use crate::simulate::script::{Action, Button, Card, Message};

/// A new id in the form of the platform's: 24 hexadecimal digits. Random, so that messages of a
/// simulator that was started again are no duplicates of earlier ones.
pub(in crate::simulate) fn new_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(24);
    id
}

/// A message with its texts filled in; its `messageId` is new.
pub(super) fn send_message(
    bot: &str,
    conversation: &str,
    message: &Message,
    reply_id: &str,
    confidence: f64,
) -> Json {
    let kind = if message.cards.is_empty() {
        "text"
    } else {
        "carousel"
    };
    json!({
        "botId": bot,
        "channel": "chat",
        "data": {
            "eventType": "sendMessage",
            "platformConversationId": conversation,
            "type": kind,
            "text": message.text,
            "buttons": message.buttons.iter().map(button).collect::<Vec<_>>(),
            "carouselCards": message.cards.iter().map(card).collect::<Vec<_>>(),
            "replyId": reply_id,
            "confidence": confidence,
            "messageId": new_id(),
        },
    })
}

pub(super) fn escalate(bot: &str, conversation: &str, target: Option<&str>) -> Json {
    let mut data = json!({"eventType": "escalate", "platformConversationId": conversation});
    put(&mut data, "escalateTo", target);
    json!({"botId": bot, "channel": "chat", "data": data})
}

/// Names neither channel nor conversation, as the platform's own example.
pub(super) fn is_team_online(bot: &str, team: Option<&str>) -> Json {
    let mut data = json!({"eventType": "isTeamOnline"});
    put(&mut data, "teamId", team);
    json!({"botId": bot, "data": data})
}

/// An action with its parameters from `session`; one that is not set has no value.
pub(super) fn action(bot: &str, conversation: &str, action: &Action, session: &Session) -> Json {
    let data = action.parameters.iter().map(|parameter| {
        let value = session.parameters.get(&parameter.key);
        let texts: Vec<&str> = value.iter().map(|value| value.text.as_str()).collect();
        let mut entry = json!({"key": parameter.key, "value": texts});
        put(&mut entry, "saveAs", parameter.save_as.as_deref());
        if parameter.sanitize || value.is_some_and(|value| value.sanitize) {
            entry["sanitize"] = Json::Bool(true);
        }
        entry
    });
    json!({
        "botId": bot,
        "conversationId": session.internal_id,
        "platformConversationId": conversation,
        "name": action.name,
        "data": data.collect::<Vec<_>>(),
    })
}

fn button(button: &Button) -> Json {
    match &button.link {
        Some(link) => json!({"type": "link", "text": button.text, "link": link}),
        None => json!({"type": "button", "text": button.text}),
    }
}

fn card(card: &Card) -> Json {
    let mut entry = json!({"title": card.title});
    put(&mut entry, "description", card.description.as_deref());
    put(&mut entry, "imageUrl", card.image_url.as_deref());
    entry["buttons"] = card.buttons.iter().map(button).collect();
    entry
}

fn put(object: &mut Json, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        object[key] = Json::from(value);
    }
}
