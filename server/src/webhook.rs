//! HTTP in: one route for the webhooks of every agent. What they hold is the adapters' business.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

use crate::{
    conversations::Conversations,
    domain::{
        Id,
        inbound::{Webhook, WebhookReply},
        is_traceparent,
    },
    net::{BodyError, BodyReader, RequestStart},
};

/// How long a platform should wait before it tries again what could not be taken.
const RETRY_AFTER_SECONDS: &str = "1";

/// What the route works with.
#[derive(Debug, Clone)]
pub struct Webhooks {
    pub conversations: Arc<Conversations>,
    pub bodies: BodyReader,
    pub tenant: Id,
}

/// `POST /webhooks/{agent}` and anything below it: some platforms send kinds of events to paths of their own, and a
/// token may stand in the path.
pub fn router(webhooks: Webhooks) -> Router {
    Router::new()
        .route("/webhooks/{agent}", post(receive))
        .route("/webhooks/{agent}/{*path}", post(receive))
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
    let (head, body) = request.into_parts();
    let body = match webhooks.bodies.read(body).await {
        Ok(body) => body,
        Err(error) => return refuse(&webhooks, &error),
    };
    let traceparent = traceparent(&head.headers);
    let mut path = path.into_iter();
    let agent = path.next().unwrap_or_default();
    let webhook = Webhook {
        method: head.method,
        headers: head.headers,
        path: path.next().unwrap_or_default(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
    };
    let conversations = &webhooks.conversations;
    respond(
        conversations
            .receive(
                &webhooks.tenant,
                &agent,
                &webhook,
                &traceparent,
                begun.elapsed(),
            )
            .await,
    )
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
    tracing::warn!(%error, "a webhook's body was not read");
    let (status, reason) = match error {
        BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
        BodyError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "broken"),
    };
    webhooks.conversations.metrics.webhooks.refused(reason);
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
