//! Requests: recorded, checked by their endpoint, done, answered as a fault may have it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;
use tokio::time::Instant;

use super::asked::{Asked, Check, Refusal, Work};
use super::clock::Moment;
use super::conversation::{Event, Turn};
use super::faults::{Fault, WebhookFault};
use super::recorder::{Answering, SeenRequest};
use super::socket::Abort;
use super::world::World;
use super::{converse, export, faulty, ticket, user_data, widget};

/// The platform names no limit; 10 MB is what its own template accepts.
const MAX_BODY: usize = 10_000_000;

/// The platform's old address and its new one differ in this.
const BASES: [&str; 2] = ["", "/ai-agents/api"];

const ENDPOINTS: [(&str, Check); 5] = [
    ("/converse/chat", converse::check),
    ("/converse/ticket", ticket::check),
    ("/agent/converse/send-message-to-widget", widget::check),
    ("/gdpr/delete-user-data", user_data::check),
    ("/data-export/v3/get-signed-urls", export::check),
];

/// Everything that is served.
pub(super) fn router(world: &Arc<World>) -> Router {
    let mut router = Router::new().route("/exports/{name}", get(export::download));
    for base in BASES {
        for (path, check) in ENDPOINTS {
            let answered = move |State(world): State<Arc<World>>, request: Request| {
                answer(world, request, check)
            };
            router = router.route(&format!("{base}{path}"), post(answered));
        }
    }
    router.fallback(elsewhere).with_state(Arc::clone(world))
}

async fn answer(world: Arc<World>, request: Request, check: Check) -> Response {
    let arrived = world.clock.now();
    let abort = request.extensions().get::<Abort>().cloned();
    let (answering, request) = match record(&world, request).await {
        Ok(recorded) => recorded,
        Err(Refusal(status, message)) => return refused(status, &message),
    };
    let asked = check(&world, &request);
    let fault = world.fault_for(asked.as_ref().ok());
    let done = match asked {
        Ok(_) if !fault.is_processed() => Ok(StatusCode::OK.into_response()),
        Ok(asked) => world.process(asked, arrived, fault.webhooks),
        Err(refusal) => Err(refusal),
    };
    if let Some(latency) = fault.latency {
        world.clock.sleep_until(arrived + latency).await;
    }
    let answer = match (fault.answer, done) {
        (Some(fault), _) => faulty::answer(&fault, &abort.unwrap_or_default()).await,
        (None, Ok(answer)) => answer,
        (None, Err(Refusal(status, message))) => refused(status, &message),
    };
    answering.answered(answer.status().as_u16());
    answer
}

/// Whatever is not an endpoint of the platform; recorded all the same.
async fn elsewhere(State(world): State<Arc<World>>, request: Request) -> Response {
    let paths = ENDPOINTS.map(|(path, _)| path).join(", ");
    let hint = format!(
        "the simulated platform serves POST {paths}, with or without /ai-agents/api before it"
    );
    let answer = refused(StatusCode::NOT_FOUND, &hint);
    if let Ok((answering, _)) = record(&world, request).await {
        answering.answered(answer.status().as_u16());
    }
    answer
}

/// Reads the request whole and records it.
pub(super) async fn record(
    world: &World,
    request: Request,
) -> Result<(Answering, SeenRequest), Refusal> {
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
        let dialogue = asked.and_then(|asked| match &asked.work {
            Work::Turn { event, .. } => match event {
                Event::Message { text, card, .. } => asked.bot.script().dialogue_for(text, *card),
                Event::Ticket { text, .. } => asked.bot.script().dialogue_for(text, None),
                _ => None,
            },
            Work::Nothing | Work::Files(_) => None,
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
    ) -> Result<Response, Refusal> {
        for variant in asked.variants {
            self.recorder.metadata_variant(variant);
        }
        let (conversation, event) = match asked.work {
            Work::Nothing => return Ok(StatusCode::OK.into_response()),
            Work::Files(wish) => return self.sign(&asked.bot, &wish, at),
            Work::Turn {
                conversation,
                event,
            } => (conversation, event),
        };
        let turn = Turn {
            event,
            at,
            webhooks,
        };
        let taken = self.turns(&asked.bot, &conversation).try_send(turn);
        taken.map_err(|_| {
            let message = "too much waits in this conversation";
            Refusal(StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
        })?;
        Ok(StatusCode::OK.into_response())
    }
}

pub(super) fn refused(status: StatusCode, message: &str) -> Response {
    let body = json!({"statusCode": status.as_u16(), "message": message}).to_string();
    let headers = [(CONTENT_TYPE, "application/json")];
    (status, headers, Body::from(body)).into_response()
}
