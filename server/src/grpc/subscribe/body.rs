//! The body of a stream's response: asks for what to say next whenever the connection has room.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use tonic::Status;

use super::notice;
use crate::{
    domain::{Clock, Error, Position},
    grpc::status::{lifetime_over, replaced, status},
    hub::{Hub, Leave},
};

/// Where a stream's messages come from.
pub(super) trait Speaker: Unpin {
    /// The first message.
    fn started(&self, clock: &dyn Clock) -> Bytes;

    /// What comes next. Not asked again once it has said the last.
    fn poll_next(&mut self, context: &mut Context<'_>, clock: &dyn Clock) -> Poll<Saying>;
}

/// Framed messages, and whether anything comes after them.
pub(super) enum Saying {
    Next(Bytes),
    Last(Bytes, Status),
    Failed(Status),
}

impl Saying {
    /// Come back after `resume`.
    pub(super) fn going_away(
        hub: &Hub,
        resume: Position,
        reconnect_after: Duration,
        reason: Leave,
    ) -> Self {
        let last = notice::going_away(hub, resume, reconnect_after, reason);
        let status = match reason {
            Leave::Replaced => replaced(),
            Leave::Shutdown => status(&Error::Stopping, hub.epoch()),
            Leave::Lifetime => lifetime_over(),
        };
        Self::Last(last, status)
    }

    pub(super) fn failed(hub: &Hub, error: &Error) -> Self {
        Self::Failed(status(error, hub.epoch()))
    }
}

/// An open stream. It keeps as little as it can, because most streams are idle most of the time.
pub(super) struct EventStream<S> {
    stage: Stage<S>,
    clock: Arc<dyn Clock>,
}

enum Stage<S> {
    /// `Started` is still to be sent.
    Opening(S),
    Following(S),
    /// The last message was sent; how it ended is still to be told.
    Ending(Status),
    Ended,
}

impl<S> EventStream<S> {
    pub(super) fn new(speaker: S, clock: Arc<dyn Clock>) -> Self {
        Self {
            stage: Stage::Opening(speaker),
            clock,
        }
    }
}

impl<S: Speaker> Body for EventStream<S> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { stage, clock } = &mut *self;
        if let Stage::Following(speaker) = stage {
            match ready!(speaker.poll_next(context, &**clock)) {
                Saying::Next(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Saying::Last(bytes, status) => {
                    *stage = Stage::Ending(status);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Saying::Failed(status) => *stage = Stage::Ending(status),
            }
        }
        Poll::Ready(match std::mem::replace(stage, Stage::Ended) {
            Stage::Opening(speaker) => {
                let first = speaker.started(&**clock);
                *stage = Stage::Following(speaker);
                Some(Ok(Frame::data(first)))
            }
            Stage::Ending(status) => Some(Ok(Frame::trailers(trailers(&status)))),
            Stage::Following(_) | Stage::Ended => None,
        })
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // Only text that no header can carry gets here; the code says the essential.
        let code = http::HeaderValue::from(status.code() as i32);
        trailers.insert(Status::GRPC_STATUS, code);
    }
    trailers
}
