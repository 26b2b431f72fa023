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
        Err(error) => return refuse(&error),
    };
    let traceparent = traceparent(&head.headers);
    let mut path = path.into_iter();
    let agent = path.next().unwrap_or_default();
    let webhook = Webhook {
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
        [(header::CONTENT_TYPE, "application/json")],
        reply.body,
    )
        .into_response()
}

fn refuse(error: &BodyError) -> Response {
    tracing::warn!(%error, "a webhook's body was not read");
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        BodyError::Broken => StatusCode::BAD_REQUEST,
    };
    respond(WebhookReply::status(status))
}

/// The platform's trace context, where it is one: 55 characters of the W3C form.
fn traceparent(headers: &HeaderMap) -> String {
    let value = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_form = value.len() == 55
        && value
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_form {
        value.to_owned()
    } else {
        String::new()
    }
}
