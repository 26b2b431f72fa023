//! `POST /converse/chat`: recorded, checked, handed to the conversation, answered as a fault may have it.

mod check;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;
use tokio::time::Instant;

use super::clock::Moment;
use super::conversation::{Event, Turn};
use super::faults::{Fault, WebhookFault};
use super::faulty;
use super::recorder::{Answering, SeenRequest};
use super::socket::Abort;
use super::world::World;
use check::{Asked, Refusal, check};

/// The platform names no limit; 10 MB is what its own template accepts.
const MAX_BODY: usize = 10_000_000;

pub(super) async fn chat(State(world): State<Arc<World>>, request: Request) -> Response {
    let arrived = world.clock.now();
    let abort = request.extensions().get::<Abort>().cloned();
    let (answering, request) = match record(&world, request).await {
        Ok(recorded) => recorded,
        Err(Refusal(status, message)) => return refused(status, &message),
    };
    let asked = check(&world, &request.headers, &request.body);
    let fault = world.fault_for(asked.as_ref().ok());
    let done = match asked {
        Ok(_) if !fault.is_processed() => Ok(()),
        Ok(asked) => world.process(asked, arrived, fault.webhooks),
        Err(refusal) => Err(refusal),
    };
    if let Some(latency) = fault.latency {
        world.clock.sleep_until(arrived + latency).await;
    }
    let answer = match (fault.answer, done) {
        (Some(fault), _) => faulty::answer(&fault, &abort.unwrap_or_default()).await,
        (None, Ok(())) => StatusCode::OK.into_response(),
        (None, Err(Refusal(status, message))) => refused(status, &message),
    };
    answering.answered(answer.status().as_u16());
    answer
}

/// Whatever is not an endpoint of the platform; recorded all the same.
pub(super) async fn elsewhere(State(world): State<Arc<World>>, request: Request) -> Response {
    let hint = "the simulated platform serves POST /converse/chat, with or without /ai-agents/api before it";
    let answer = refused(StatusCode::NOT_FOUND, hint);
    if let Ok((answering, _)) = record(&world, request).await {
        answering.answered(answer.status().as_u16());
    }
    answer
}

/// Reads the request whole and records it.
async fn record(world: &World, request: Request) -> Result<(Answering, SeenRequest), Refusal> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
        let message = format!("the body was cut off or is over {MAX_BODY} bytes");
        Refusal(StatusCode::PAYLOAD_TOO_LARGE, message)
    })?;
    let request = SeenRequest {
        number: 0,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body,
        started,
        ended: None,
        status: None,
    };
    Ok((world.recorder.arrived(request.clone()), request))
}

impl World {
    fn fault_for(&self, asked: Option<&Asked>) -> Fault {
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
        at: Moment,
        webhooks: Option<WebhookFault>,
    ) -> Result<(), Refusal> {
        for variant in asked.variants {
            self.recorder.metadata_variant(variant);
        }
        let Some(event) = asked.event else {
            return Ok(());
        };
        let turn = Turn {
            event,
            at,
            webhooks,
        };
        let taken = self.turns(&asked.bot, &asked.conversation).try_send(turn);
        taken.map_err(|_| {
            let message = "too much waits in this conversation";
            Refusal(StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
        })
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    let body = json!({"statusCode": status.as_u16(), "message": message}).to_string();
    let headers = [(CONTENT_TYPE, "application/json")];
    (status, headers, Body::from(body)).into_response()
}
