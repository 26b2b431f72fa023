//! The body of a stream's response: asks the hub what to say next whenever the connection has room.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use tonic::Status;

use super::notice;
use crate::{
    domain::{Clock, Error},
    grpc::status::{lifetime_over, replaced, status},
    hub::{Leave, Notice, Subscription},
};

/// An open stream. It keeps as little as it can, because most streams are idle most of the time.
pub(super) struct EventStream {
    stage: Stage,
    clock: Arc<dyn Clock>,
}

enum Stage {
    /// `Started` is still to be sent.
    Opening(Subscription),
    Following(Subscription),
    /// The last message was sent; how it ended is still to be told.
    Ending(Status),
    Ended,
}

impl EventStream {
    pub(super) fn new(subscription: Subscription, clock: Arc<dyn Clock>) -> Self {
        Self {
            stage: Stage::Opening(subscription),
            clock,
        }
    }

    fn say(&mut self, notice: Notice) -> Option<Bytes> {
        let Stage::Following(subscription) = &self.stage else {
            return None;
        };
        let hub = subscription.hub();
        Some(match notice {
            Notice::Events(bytes) => bytes,
            Notice::CaughtUp(at) => notice::caught_up(hub, at),
            Notice::FellBehind(at) => notice::fell_behind(hub, at),
            Notice::Gap { asked, resumed } => notice::gap(hub, asked, resumed),
            Notice::Checkpoint(at) => notice::checkpoint(hub, at, &*self.clock),
            Notice::GoingAway {
                resume,
                reconnect_after,
                reason,
            } => {
                let last = notice::going_away(hub, resume, reconnect_after, reason);
                self.stage = Stage::Ending(farewell(reason, hub.epoch()));
                last
            }
            Notice::Failed(error) => {
                self.stage = Stage::Ending(status(&error, hub.epoch()));
                return None;
            }
        })
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Stage::Following(subscription) = &mut this.stage {
            let notice = ready!(subscription.poll_next(context));
            if let Some(bytes) = this.say(notice) {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
        Poll::Ready(match std::mem::replace(&mut this.stage, Stage::Ended) {
            Stage::Opening(subscription) => {
                let first = notice::started(&subscription, &*this.clock);
                this.stage = Stage::Following(subscription);
                Some(Ok(Frame::data(first)))
            }
            Stage::Ending(status) => Some(Ok(Frame::trailers(trailers(&status)))),
            Stage::Following(_) | Stage::Ended => None,
        })
    }
}

pub(super) fn farewell(reason: Leave, epoch: u64) -> Status {
    match reason {
        Leave::Replaced => replaced(),
        Leave::Shutdown => status(&Error::Stopping, epoch),
        Leave::Lifetime => lifetime_over(),
    }
}

pub(super) fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        // Only text that no header can carry gets here; the code says the essential.
        let code = http::HeaderValue::from(status.code() as i32);
        trailers.insert(Status::GRPC_STATUS, code);
    }
    trailers
}
