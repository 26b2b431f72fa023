//! `SubscribeEvents`: answered before the generated service sees it, because that one would encode every event once
//! for each stream. Here a stream sends bytes that were framed once for all.

mod body;
mod message;
pub(super) mod named;
mod notice;
mod plain;
#[cfg(test)]
mod tests;
pub(super) mod wish;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use parloir_proto::v1;
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;
use tracing::Instrument;

use super::{call::identity, status::status};
use crate::{
    domain::{Clock, Error, Id},
    hub::Hub,
    subscriptions::Subscriptions,
};
use body::EventStream;

/// The path of the one call that is answered here.
const PATH: &str = "/parloir.v1.ConversationService/SubscribeEvents";

/// Puts the stream in front of the service that answers all other calls.
///
/// Without `subscriptions` there are no named ones. `max_message_bytes` bounds the request; the clock's time stands in `Started` and `Checkpoint`.
pub fn with_streams<S>(
    calls: S,
    hub: Arc<Hub>,
    subscriptions: Option<Arc<Subscriptions>>,
    clock: Arc<dyn Clock>,
    max_message_bytes: usize,
) -> WithStreams<S> {
    let streams = Streams {
        hub,
        subscriptions,
        clock,
        max_message_bytes,
    };
    WithStreams { calls, streams }
}

/// A service whose `SubscribeEvents` is ours.
#[derive(Debug, Clone)]
pub struct WithStreams<S> {
    calls: S,
    streams: Streams,
}

#[derive(Debug, Clone)]
struct Streams {
    hub: Arc<Hub>,
    /// Absent: there are no named ones.
    subscriptions: Option<Arc<Subscriptions>>,
    clock: Arc<dyn Clock>,
    max_message_bytes: usize,
}

impl<S: NamedService> NamedService for WithStreams<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for WithStreams<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.calls.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(self.calls.call(request));
        }
        let streams = self.streams.clone();
        Box::pin(async move {
            Ok(match streams.open(request).await {
                Ok(body) => streaming(body),
                Err(status) => status.into_http(),
            })
        })
    }
}

impl Streams {
    async fn open(self, request: Request<Body>) -> Result<Body, Status> {
        let refused = |error: Error| status(&error, self.hub.epoch());
        let tenant = identity(request.extensions()).map_err(refused)?.tenant;
        let message: v1::SubscribeEventsRequest =
            message::read(request, self.max_message_bytes).await?;
        if !message.subscription.is_empty() {
            return self.open_named(message, &tenant).await;
        }
        let wish = wish::wish(message, &tenant, &self.hub).map_err(refused)?;
        let hub = self.hub.clone();
        // Reads the database: goes on even if the caller does not wait.
        let opening = tokio::spawn(async move { hub.subscribe(wish).await }.in_current_span());
        let opened = opening.await.unwrap_or(Err(Error::Internal));
        let subscription = opened.map_err(refused)?;
        Ok(Body::new(EventStream::new(subscription, self.clock)))
    }

    async fn open_named(
        self,
        message: v1::SubscribeEventsRequest,
        tenant: &Id,
    ) -> Result<Body, Status> {
        let refused = |error: Error| status(&error, self.hub.epoch());
        let unsupported = Error::Unsupported("there are no named subscriptions here");
        let subscriptions = self.subscriptions.clone();
        let subscriptions = subscriptions.ok_or(unsupported).map_err(refused)?;
        let asked = named::request(&message, tenant, subscriptions.settings()).map_err(refused)?;
        let (membership, heartbeat) = asked;
        // Writes: goes on even if the caller does not wait, and is let go of then.
        let opening = async move {
            let named::Membership {
                key,
                member,
                creation,
                max_in_flight,
            } = membership;
            let terms = (max_in_flight, heartbeat);
            subscriptions.open(key, member, creation, terms).await
        };
        let opened = tokio::spawn(opening.in_current_span()).await;
        let stream = opened.unwrap_or(Err(Error::Internal)).map_err(refused)?;
        Ok(Body::new(EventStream::new(stream, self.clock)))
    }
}

fn streaming(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
