//! `SubscribeEvents`, served beside the generated service: its body is the hub's own frames, so that an event is encoded
//! once for all streams and a stream costs no buffer of its own.

mod body;
mod wish;

use std::{convert::Infallible, sync::Arc};

use axum::Router;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};
use parloir_proto::v1::SubscribeEventsRequest;
use prost::Message;
use tonic::{Status, body::Body};

use super::status::status;
use crate::{
    domain::{Error, Result},
    hub::{Hub, Subscription},
};
use body::EventBody;

const PATH: &str = "/parloir.v1.ConversationService/SubscribeEvents";

/// The largest request: a filter of two thousand ids of the longest kind does not fit, one of any sensible kind does.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// A message's prefix: compressed or not, and its length in four bytes.
const PREFIX_BYTES: usize = 5;

/// Serves the streams of `hub` at their path; everything else goes to `router`.
pub fn mount(router: Router, hub: Arc<Hub>) -> Router {
    let service = tower::service_fn(move |request| {
        let hub = Arc::clone(&hub);
        async move { Ok::<_, Infallible>(serve(hub, request).await) }
    });
    router.route_service(PATH, service)
}

async fn serve<B>(hub: Arc<Hub>, request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let epoch = hub.epoch();
    let opened = match read(request).await {
        Ok(request) => open(hub, request)
            .await
            .map_err(|error| status(&error, epoch)),
        Err(status) => Err(status),
    };
    match opened {
        Ok(subscription) => {
            let mut response = Response::new(Body::new(EventBody::new(subscription)));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            response
        }
        Err(status) => status.into_http(),
    }
}

/// The one message that the caller sends.
async fn read<B>(request: Request<B>) -> std::result::Result<SubscribeEventsRequest, Status>
where
    B: http_body::Body + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = Limited::new(request.into_body(), MAX_REQUEST_BYTES);
    let body = body.collect().await.map_err(|_| {
        Status::resource_exhausted(format!(
            "the request is larger than {MAX_REQUEST_BYTES} bytes, or broke off"
        ))
    })?;
    let mut bytes = body.to_bytes();
    if bytes.len() < PREFIX_BYTES {
        return Err(Status::internal("the request has no message"));
    }
    let prefix = bytes.split_to(PREFIX_BYTES);
    if prefix[0] != 0 {
        return Err(Status::unimplemented(
            "a stream's request must not be compressed",
        ));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    if usize::try_from(length) != Ok(bytes.len()) {
        return Err(Status::internal("the request is not exactly one message"));
    }
    SubscribeEventsRequest::decode(bytes)
        .map_err(|_| Status::internal("the request cannot be decoded"))
}

/// Detached: it asks the database, and a caller who goes away cancels nothing there.
async fn open(hub: Arc<Hub>, request: SubscribeEventsRequest) -> Result<Subscription> {
    let wish = wish::read(&hub, request)?;
    let opened = tokio::spawn(async move { hub.subscribe(wish).await });
    opened.await.unwrap_or(Err(Error::Internal))
}
