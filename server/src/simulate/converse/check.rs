//! Who may ask, and what is asked.

use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json};

use crate::simulate::bot::RunningBot;
use crate::simulate::conversation::Event;
use crate::simulate::metadata::{self, Metadata};
use crate::simulate::world::World;

/// What a request asks for, once it is checked.
pub(super) struct Asked {
    pub(super) bot: Arc<RunningBot>,
    pub(super) conversation: String,
    /// Absent: the request is accepted and ignored.
    pub(super) event: Option<Event>,
    /// The parameters' names and shapes.
    pub(super) variants: Vec<String>,
}

/// Why a request is refused.
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

/// What the request asks for, in the order in which the platform would refuse it.
pub(super) fn check(world: &World, headers: &HeaderMap, body: &Bytes) -> Result<Asked, Refusal> {
    let bot = authorise(world, headers)?;
    let body: Json = serde_json::from_slice(body).map_err(|_| bad("the body is not JSON"))?;
    let Json::Object(body) = body else {
        return Err(bad("the body must be a JSON object"));
    };
    let conversation = text_of(&body, "platformConversationId")?;
    let conversation = conversation.ok_or_else(|| bad("platformConversationId is required"))?;
    let event_type = text_of(&body, "eventType")?;
    let Metadata {
        parameters,
        variants,
    } = metadata::read(&body).map_err(|message| bad(&message))?;
    let event = match event_type.as_deref() {
        Some("startSession") => Some(Event::Start(parameters)),
        Some("metadata") => Some(Event::Metadata(parameters)),
        Some("endSession") => Some(Event::End),
        Some("message") => match text_of(&body, "text")? {
            Some(text) => Some(Event::Message {
                text,
                card: card_of(&body)?,
                parameters,
            }),
            None if world.settings.ignore_blank_messages => None,
            None => return Err(bad("text is required with eventType message")),
        },
        Some(_) => {
            return Err(bad(
                "eventType must be startSession, message, metadata or endSession",
            ));
        }
        None => return Err(bad("eventType is required")),
    };
    Ok(Asked {
        bot,
        conversation,
        event,
        variants,
    })
}

/// The bot that the headers name, once the key is known to be its own.
fn authorise(world: &World, headers: &HeaderMap) -> Result<Arc<RunningBot>, Refusal> {
    let unauthorized = |message: &str| Refusal(StatusCode::UNAUTHORIZED, message.to_owned());
    let key = headers.get(AUTHORIZATION);
    let key = key.ok_or_else(|| unauthorized("the header Authorization is missing"))?;
    let key = key.as_bytes();
    let id = headers.get("botid").and_then(|id| id.to_str().ok());
    let id = id.ok_or_else(|| unauthorized("the header botid is missing"))?;
    if !world.bots.values().any(|bot| bot.has_key(key)) {
        return Err(unauthorized(
            "the key is unknown; it is sent bare, without a word such as Bearer",
        ));
    }
    match world.bots.get(id) {
        Some(bot) if bot.has_key(key) => Ok(Arc::clone(bot)),
        Some(_) => Err(unauthorized("the key belongs to another bot")),
        None if world.settings.unknown_bot_is_unauthorized => Err(unauthorized("no such bot")),
        None => Err(Refusal(StatusCode::NOT_FOUND, "no such bot".to_owned())),
    }
}

/// The string under `key`; blank, null and missing are all absent.
fn text_of(body: &Map<String, Json>, key: &str) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(bad(&format!("{key} must be a string"))),
    }
}

fn card_of(body: &Map<String, Json>) -> Result<Option<u64>, Refusal> {
    match body.get("cardIndex") {
        None | Some(Json::Null) => Ok(None),
        Some(index) => match index.as_u64() {
            Some(index) => Ok(Some(index)),
            None => Err(bad("cardIndex must be a whole number from 0")),
        },
    }
}

fn bad(message: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, message.to_owned())
}
