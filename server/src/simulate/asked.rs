//! What a request asks for, who may ask, and why it is refused.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json};

use super::bot::RunningBot;
use super::conversation::Event;
use super::export::Wish;
use super::recorder::SeenRequest;
use super::world::World;

/// What a request asks for, once it is checked.
pub(super) struct Asked {
    pub(super) bot: Arc<RunningBot>,
    pub(super) work: Work,
    /// The parameters' names and shapes.
    pub(super) variants: Vec<String>,
}

/// What follows from a request.
pub(super) enum Work {
    /// It is accepted, and that is all.
    Nothing,
    Turn {
        conversation: String,
        event: Event,
    },
    Files(Wish),
}

/// Why a request is refused.
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

/// How one endpoint reads a request, in the order in which the platform would refuse it.
pub(super) type Check = fn(&World, &SeenRequest) -> Result<Asked, Refusal>;

impl Asked {
    pub(super) fn new(bot: Arc<RunningBot>, work: Work) -> Self {
        Self {
            bot,
            work,
            variants: Vec::new(),
        }
    }
}

/// The bot that the headers name, once the key is known to be its own.
pub(super) fn authorise(world: &World, headers: &HeaderMap) -> Result<Arc<RunningBot>, Refusal> {
    let (key, id) = credentials(headers)?;
    if !world.bots.values().any(|bot| bot.has_key(key)) {
        return Err(unauthorized(
            "the key is unknown; it is sent bare, without a word such as Bearer",
        ));
    }
    match world.bots.get(id) {
        Some(bot) if bot.has_key(key) => Ok(Arc::clone(bot)),
        Some(_) => Err(unauthorized("the key belongs to another bot")),
        None => Err(no_such_bot(world)),
    }
}

/// The same, where the organization's key opens each of its bots too. Without an organization in the settings any id
/// will do beside the bot's key.
pub(super) fn authorise_organization(
    world: &World,
    headers: &HeaderMap,
) -> Result<Arc<RunningBot>, Refusal> {
    let (key, id) = credentials(headers)?;
    let named = headers
        .get("organizationid")
        .map(http::HeaderValue::as_bytes);
    let Some(organization) = &world.settings.organization else {
        return authorise(world, headers);
    };
    if named.is_some_and(|named| named != organization.id.as_bytes()) {
        return Err(unauthorized("no such organization"));
    }
    if named.is_none() || key != organization.key.expose_secret().as_bytes() {
        return authorise(world, headers);
    }
    let bot = world.bots.get(id).map(Arc::clone);
    bot.ok_or_else(|| no_such_bot(world))
}

/// The body, which must be an object.
pub(super) fn object(request: &SeenRequest) -> Result<Map<String, Json>, Refusal> {
    let body = serde_json::from_slice(&request.body).map_err(|_| bad("the body is not JSON"))?;
    match body {
        Json::Object(body) => Ok(body),
        _ => Err(bad("the body must be a JSON object")),
    }
}

/// The string under `key`; blank, null and missing are all absent.
pub(super) fn text_of(body: &Map<String, Json>, key: &str) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(bad(&format!("{key} must be a string"))),
    }
}

pub(super) fn conversation_of(body: &Map<String, Json>) -> Result<String, Refusal> {
    let conversation = text_of(body, "platformConversationId")?;
    conversation.ok_or_else(|| bad("platformConversationId is required"))
}

pub(super) fn bad(message: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, message.to_owned())
}

pub(super) fn unauthorized(message: &str) -> Refusal {
    Refusal(StatusCode::UNAUTHORIZED, message.to_owned())
}

/// The key and the bot's id.
fn credentials(headers: &HeaderMap) -> Result<(&[u8], &str), Refusal> {
    let key = headers.get(AUTHORIZATION);
    let key = key.ok_or_else(|| unauthorized("the header Authorization is missing"))?;
    let id = headers.get("botid").and_then(|id| id.to_str().ok());
    let id = id.ok_or_else(|| unauthorized("the header botid is missing"))?;
    Ok((key.as_bytes(), id))
}

fn no_such_bot(world: &World) -> Refusal {
    if world.settings.unknown_bot_is_unauthorized {
        unauthorized("no such bot")
    } else {
        Refusal(StatusCode::NOT_FOUND, "no such bot".to_owned())
    }
}
