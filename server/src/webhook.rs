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
    let (agent, behind) = addressee(path);
    let tenant = tenant(&agent);
    let span = error_span!("webhook", tenant = tenant.as_str(), agent = agent.as_str());
    let received = async {
        let whom = Addressed::Agent(&agent);
        let webhook = read(&webhooks, whom, behind, request).await?;
        let traceparent = traceparent(&webhook.headers);
        let (conversations, age) = (&webhooks.conversations, begun.elapsed());
        let received = conversations.receive(&tenant, &agent, &webhook, &traceparent, age);
        Ok(respond(received.await))
    };
    received
        .instrument(span)
        .await
        .unwrap_or_else(|refused: Response| refused)
}

/// Sources are not alike: some want to be answered a GET, some send kinds of things by PUT.
async fn arrive(
    State(webhooks): State<Webhooks>,
    Path(path): Path<Vec<String>>,
    request: Request,
) -> Response {
    let (source, behind) = addressee(path);
    let tenant = tenant(&source);
    let span = error_span!(
        "webhook",
        tenant = tenant.as_str(),
        source = source.as_str()
    );
    let arrived = async {
        let whom = Addressed::Source(&source);
        let webhook = read(&webhooks, whom, behind, request).await?;
        let traceparent = traceparent(&webhook.headers);
        let conversations = Arc::clone(&webhooks.conversations);
        let arrived = conversations.arrive(&tenant, &source, &webhook, &traceparent);
        Ok(respond(arrived.await))
    };
    arrived
        .instrument(span)
        .await
        .unwrap_or_else(|refused: Response| refused)
}

/// Whom a path names, and what stands behind that.
fn addressee(path: Vec<String>) -> (String, String) {
    let mut path = path.into_iter();
    let name = path.next().unwrap_or_default();
    (name, path.next().unwrap_or_default())
}

/// The webhook as it came. Where it comes from is looked at before its body is read.
async fn read(
    webhooks: &Webhooks,
    whom: Addressed<'_>,
    path: String,
    request: Request,
) -> Result<Webhook, Response> {
    let (head, body) = request.into_parts();
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
    let from = peer.and_then(|peer| webhooks.clients.of(peer.ip(), &head.headers));
    if let Some(refused) = webhooks.conversations.turn_away(whom, from) {
        return Err(respond(refused));
    }
    if let Some(refused) = too_fast(webhooks, whom) {
        return Err(refused);
    }
    let body = webhooks.bodies.read(body).await;
    let body = body.map_err(|error| refuse(webhooks, whom, &error))?;
    Ok(Webhook {
        method: head.method,
        headers: head.headers,
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
    })
}

/// Whose the agent or source of this name is.
fn tenant(name: &str) -> Id {
    Id::trusted(tenant_of(name))
}

/// Refuses what comes faster than an agent or a source may bring it, before anything of it is read.
fn too_fast(webhooks: &Webhooks, whom: Addressed<'_>) -> Option<Response> {
    let known = known(webhooks, whom);
    let tenant = label(known.as_ref(), whom);
    let wait = webhooks.limits.webhook(known).err()?;
    let metrics = &webhooks.conversations.metrics;
    metrics.webhooks.refused(tenant, "too_many");
    metrics.limits.limited(tenant, "limits.webhooks_per_second");
    let seconds = wait.as_secs() + 1;
    let after = [(header::RETRY_AFTER, seconds.to_string())];
    Some((StatusCode::TOO_MANY_REQUESTS, after).into_response())
}

/// Whom a webhook is for, where somebody of that name is configured.
fn known(webhooks: &Webhooks, whom: Addressed<'_>) -> Option<Recipient> {
    let directory = webhooks.conversations.live.directory();
    let id = || Id::trusted(whom.name());
    match whom {
        Addressed::Agent(name) => directory.agent(name).map(|_| Recipient::Agent(id())),
        Addressed::Source(name) => directory.source(name).map(|_| Recipient::Source(id())),
        Addressed::Nobody => None,
    }
}

/// The tenant as a label; empty for nobody, because what a stranger wrote into a path is no label.
fn label<'w>(known: Option<&Recipient>, whom: Addressed<'w>) -> &'w str {
    known.map_or("", |_| tenant_of(whom.name()))
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

fn refuse(webhooks: &Webhooks, whom: Addressed<'_>, error: &BodyError) -> Response {
    let (status, reason) = match error {
        BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
        BodyError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "broken"),
    };
    let tenant = label(known(webhooks, whom).as_ref(), whom);
    let conversations = &webhooks.conversations;
    conversations.metrics.webhooks.refused(tenant, reason);
    // Whether anybody of that name is there does not matter yet, and a stranger can make names up.
    conversations
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
