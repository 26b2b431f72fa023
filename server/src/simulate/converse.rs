//! `POST /converse/chat`: who may, what is asked, what is answered.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::bot::RunningBot;
use super::conversation::{Event, Turn};
use super::faulty;
use super::metadata::{self, Metadata};
use super::recorder::SeenRequest;
use super::socket::Abort;
use super::world::World;

/// The platform names no limit; 10 MB is what its own template accepts.
const MAX_BODY: usize = 10_000_000;

/// What a request asks for, once it is checked.
struct Asked {
    bot: Arc<RunningBot>,
    conversation: String,
    /// Absent: the request is accepted and ignored.
    event: Option<Event>,
    /// The parameters' names and shapes.
    variants: Vec<String>,
}

/// Why a request is refused.
struct Refusal(StatusCode, String);

pub(super) async fn chat(State(world): State<Arc<World>>, request: Request) -> Response {
    let started = Instant::now();
    let arrived = world.clock.now();
    let (parts, body) = request.into_parts();
    let abort = parts.extensions.get::<Abort>().cloned().unwrap_or_default();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large or was cut off",
        );
    };
    let answering = world.recorder.arrived(SeenRequest {
        number: 0,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers.clone(),
        body: body.clone(),
        started,
        ended: None,
        status: None,
    });
    let asked = check(&world, &parts.headers, &body);
    let fault = world.fault_for(asked.as_ref().ok());
    let answer = match asked {
        Ok(asked) => {
            if fault.is_processed() {
                world.process(asked, arrived, fault.webhooks);
            }
            StatusCode::OK.into_response()
        }
        Err(Refusal(status, message)) => refused(status, &message),
    };
    if let Some(latency) = fault.latency {
        world.clock.sleep_until(arrived + latency).await;
    }
    let answer = match fault.answer {
        Some(fault) => faulty::answer(&fault, &abort).await,
        None => answer,
    };
    answering.answered(answer.status().as_u16());
    answer
}

/// Whatever is not an endpoint of the platform; recorded all the same.
pub(super) async fn elsewhere(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let started = Instant::now();
    let answering = world.recorder.arrived(SeenRequest {
        number: 0,
        path: parts.uri.path().to_owned(),
        method: parts.method,
        headers: parts.headers,
        body: to_bytes(body, MAX_BODY).await.unwrap_or_default(),
        started,
        ended: None,
        status: None,
    });
    let answer = refused(
        StatusCode::NOT_FOUND,
        "the simulated platform serves POST /converse/chat, with or without /ai-agents/api before it",
    );
    answering.answered(answer.status().as_u16());
    answer
}

impl World {
    fn fault_for(&self, asked: Option<&Asked>) -> super::faults::Fault {
        let dialogue = asked.and_then(|asked| match asked.event.as_ref()? {
            Event::Message { text, card, .. } => asked.bot.script().dialogue_for(text, *card),
            _ => None,
        });
        let own =
            dialogue.and_then(|dialogue| Some((dialogue.name.as_str(), dialogue.fault.as_ref()?)));
        let bot = asked.map_or("", |asked| asked.bot.id());
        self.faults.meet(bot, own)
    }

    fn process(
        self: &Arc<Self>,
        asked: Asked,
        at: super::clock::Moment,
        webhooks: Option<super::faults::WebhookFault>,
    ) {
        for variant in asked.variants {
            self.recorder.metadata_variant(variant);
        }
        if let Some(event) = asked.event {
            let turn = Turn {
                event,
                at,
                webhooks,
            };
            self.take_turn(&asked.bot, &asked.conversation, turn);
        }
    }
}

fn check(world: &World, headers: &HeaderMap, body: &Bytes) -> Result<Asked, Refusal> {
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

fn refused(status: StatusCode, message: &str) -> Response {
    let body = json!({"statusCode": status.as_u16(), "message": message}).to_string();
    let headers = [(http::header::CONTENT_TYPE, "application/json")];
    (status, headers, Body::from(body)).into_response()
}
