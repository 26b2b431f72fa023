//! HTTP in: one route for the webhooks of every agent and one for those of every source. What they hold is the adapters'
//! business.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, post},
};

use tracing::{Instrument, error_span};

use crate::{
    access::Limits,
    conversations::{Addressed, Conversations},
    domain::{
        Id, Recipient,
        inbound::{Webhook, WebhookReply},
        is_traceparent, tenant_of,
    },
    net::{BodyError, BodyReader, ClientAddresses, RequestStart},
};

/// How long a platform should wait before it tries again what could not be taken.
const RETRY_AFTER_SECONDS: &str = "1";

/// What the route works with.
#[derive(Debug, Clone)]
pub struct Webhooks {
    pub conversations: Arc<Conversations>,
    pub bodies: BodyReader,
    /// Tells where requests come from.
    pub clients: ClientAddresses,
    pub limits: Arc<Limits>,
}

/// `POST /webhooks/{agent}` and anything below it: some platforms send kinds of events to paths of their own, and a
/// token may stand in the path.
pub fn router(webhooks: Webhooks) -> Router {
    Router::new()
        .route("/webhooks/{agent}", post(receive))
        .route("/webhooks/{agent}/{*path}", post(receive))
        .route("/sources/{source}", any(arrive))
        .route("/sources/{source}/{*path}", any(arrive))
        .with_state(webhooks)
}

async fn receive(
    State(webhooks): State<Webhooks>,
    Extension(start): Extension<RequestStart>,
    Path(path): Path<Vec<String>>,
    request: Request,
) -> Response {
    // What limits apply is counted from the first byte of the request, not of its handling.
    let RequestStart(begun) = start;
    let (agent, webhook) = match read(&webhooks, Side::Agents, path, request).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let traceparent = traceparent(&webhook.headers);
    let (tenant, age) = (tenant(&agent), begun.elapsed());
    let span = error_span!("webhook", tenant = tenant.as_str(), agent = agent.as_str());
    let conversations = &webhooks.conversations;
    let received = conversations.receive(&tenant, &agent, &webhook, &traceparent, age);
    respond(received.instrument(span).await)
}

/// Sources are not alike: some want to be answered a GET, some send kinds of things by PUT.
async fn arrive(
    State(webhooks): State<Webhooks>,
    Path(path): Path<Vec<String>>,
    request: Request,
) -> Response {
    let (source, webhook) = match read(&webhooks, Side::Sources, path, request).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let traceparent = traceparent(&webhook.headers);
    let conversations = Arc::clone(&webhooks.conversations);
    let tenant = tenant(&source);
    let span = error_span!(
        "webhook",
        tenant = tenant.as_str(),
        source = source.as_str()
    );
    let arrived = conversations.arrive(&tenant, &source, &webhook, &traceparent);
    respond(arrived.instrument(span).await)
}

/// Which of the two routes.
#[derive(Debug, Clone, Copy)]
enum Side {
    Agents,
    Sources,
}

impl Side {
    fn addressed(self, name: &str) -> Addressed<'_> {
        match self {
            Self::Agents => Addressed::Agent(name),
            Self::Sources => Addressed::Source(name),
        }
    }
}

/// Whom the path names, and the webhook as it came. Where it comes from is looked at before its body is read.
async fn read(
    webhooks: &Webhooks,
    side: Side,
    path: Vec<String>,
    request: Request,
) -> Result<(String, Webhook), Response> {
    let (head, body) = request.into_parts();
    let mut path = path.into_iter();
    let name = path.next().unwrap_or_default();
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
    let from = peer.and_then(|peer| webhooks.clients.of(peer.ip(), &head.headers));
    let whom = side.addressed(&name);
    if let Some(refused) = webhooks.conversations.turn_away(whom, from) {
        return Err(respond(refused));
    }
    if let Some(refused) = too_fast(webhooks, side, &name) {
        return Err(refused);
    }
    let body = webhooks.bodies.read(body).await;
    let body = body.map_err(|error| refuse(webhooks, &error))?;
    let webhook = Webhook {
        method: head.method,
        headers: head.headers,
        path: path.next().unwrap_or_default(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
    };
    Ok((name, webhook))
}

/// Whose the agent or source of this name is.
fn tenant(name: &str) -> Id {
    Id::trusted(tenant_of(name))
}

/// Refuses what comes faster than an agent or a source may bring it, before anything of it is read.
fn too_fast(webhooks: &Webhooks, side: Side, name: &str) -> Option<Response> {
    let directory = webhooks.conversations.live.directory();
    let known = match side {
        Side::Agents => directory
            .agent(name)
            .map(|_| Recipient::Agent(Id::trusted(name))),
        Side::Sources => directory
            .source(name)
            .map(|_| Recipient::Source(Id::trusted(name))),
    };
    // What a stranger wrote into a path is no label.
    let tenant = known.as_ref().map_or("", |_| tenant_of(name));
    let wait = webhooks.limits.webhook(known).err()?;
    let metrics = &webhooks.conversations.metrics;
    metrics.webhooks.refused("too_many");
    metrics.limits.limited(tenant, "limits.webhooks_per_second");
    let seconds = wait.as_secs() + 1;
    let after = [(header::RETRY_AFTER, seconds.to_string())];
    Some((StatusCode::TOO_MANY_REQUESTS, after).into_response())
}

fn respond(reply: WebhookReply) -> Response {
    if reply.status == StatusCode::SERVICE_UNAVAILABLE {
        return (reply.status, [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)]).into_response();
    }
    if reply.body.is_empty() {
        return reply.status.into_response();
    }
    (
        reply.status,
        [(header::CONTENT_TYPE, reply.content_type)],
        reply.body,
    )
        .into_response()
}

fn refuse(webhooks: &Webhooks, error: &BodyError) -> Response {
    let (status, reason) = match error {
        BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
        BodyError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "broken"),
    };
    webhooks.conversations.metrics.webhooks.refused(reason);
    // Whom it is for was not asked yet.
    webhooks
        .conversations
        .webhook_log
        .refused(Addressed::Nobody, reason, error, None);
    respond(WebhookReply::status(status))
}

/// The platform's trace context, where it is one.
fn traceparent(headers: &HeaderMap) -> String {
    let value = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    value
        .filter(|value| is_traceparent(value))
        .unwrap_or_default()
        .to_owned()
}
