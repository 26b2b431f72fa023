//! A stream as an HTTP body: the hub's frames as they are, small messages encoded on the spot, a status at the end.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use parloir_proto::v1::{
    CaughtUp, Checkpoint, FellBehind, Gap, GoingAway, GoingAwayReason, Started,
    SubscribeEventsResponse, subscribe_events_response::Message as Kind,
};
use prost::Message;
use tonic::Status;

use crate::{
    domain::{Clock, Position, SystemClock},
    grpc::status::status,
    hub::{Leave, Notice, Subscription, append_prefix},
    wire::time,
};

/// One stream.
#[derive(Debug)]
pub struct EventBody {
    subscription: Subscription,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Opening,
    Following,
    /// Everything has been sent but the status.
    Ending(Box<Status>),
    Ended,
}

impl EventBody {
    pub fn new(subscription: Subscription) -> Self {
        Self {
            subscription,
            phase: Phase::Opening,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        match std::mem::replace(&mut self.phase, Phase::Following) {
            Phase::Opening => Poll::Ready(Some(message(self.started()))),
            Phase::Following => {
                let notice = ready!(self.subscription.poll_next(context));
                Poll::Ready(Some(self.frame(notice)))
            }
            Phase::Ending(status) => {
                self.phase = Phase::Ended;
                Poll::Ready(Some(trailers(&status)))
            }
            Phase::Ended => {
                self.phase = Phase::Ended;
                Poll::Ready(None)
            }
        }
    }

    fn started(&self) -> Kind {
        let terms = self.subscription.terms();
        Kind::Started(Started {
            cursor: self.cursor(terms.after),
            heartbeat: Some(time::duration(terms.heartbeat)),
            lifetime: Some(time::duration(terms.lifetime)),
            server_time: Some(time::timestamp(SystemClock.now())),
            max_event_bytes: self.subscription.hub().settings().max_event_bytes,
        })
    }

    fn frame(&mut self, notice: Notice) -> Frame<Bytes> {
        message(match notice {
            Notice::Events(frames) => return Frame::data(frames),
            Notice::CaughtUp(at) => Kind::CaughtUp(CaughtUp {
                cursor: self.cursor(at),
            }),
            Notice::FellBehind(at) => Kind::FellBehind(FellBehind {
                cursor: self.cursor(at),
            }),
            Notice::Gap { asked, resumed } => Kind::Gap(Gap {
                asked_cursor: self.cursor(asked),
                resumed_cursor: self.cursor(resumed),
            }),
            Notice::Checkpoint(at) => Kind::Checkpoint(Checkpoint {
                cursor: self.cursor(at),
                server_time: Some(time::timestamp(SystemClock.now())),
            }),
            Notice::GoingAway {
                resume,
                reconnect_after,
                reason,
            } => {
                let goodbye = "the server ends the stream: reconnect and resume after the cursor of GoingAway";
                self.phase = Phase::Ending(Box::new(Status::unavailable(goodbye)));
                Kind::GoingAway(GoingAway {
                    resume_cursor: self.cursor(resume),
                    reconnect_after: Some(time::duration(reconnect_after)),
                    reason: match reason {
                        Leave::Shutdown => GoingAwayReason::Shutdown,
                        Leave::Lifetime => GoingAwayReason::Lifetime,
                    }
                    .into(),
                })
            }
            Notice::Failed(error) => {
                self.phase = Phase::Ended;
                return trailers(&status(&error, self.subscription.hub().epoch()));
            }
        })
    }

    fn cursor(&self, position: Position) -> String {
        self.subscription.hub().cursor(position)
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        // A panic here would reset the stream, and its reader could not tell what to do.
        let polled = catch_unwind(AssertUnwindSafe(|| this.poll(context))).unwrap_or_else(|_| {
            this.phase = Phase::Ended;
            Poll::Ready(Some(trailers(&Status::internal("internal error"))))
        });
        polled.map(|frame| frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }
}

fn message(kind: Kind) -> Frame<Bytes> {
    let response = SubscribeEventsResponse {
        message: Some(kind),
    };
    let mut framed = Vec::new();
    append_prefix(&mut framed, response.encoded_len());
    framed.extend_from_slice(&response.encode_to_vec());
    Frame::data(framed.into())
}

fn trailers(status: &Status) -> Frame<Bytes> {
    let mut headers = http::HeaderMap::new();
    if status.add_header(&mut headers).is_err() {
        // Only a message that is no header value could do that.
        headers.insert("grpc-status", http::HeaderValue::from_static("13"));
    }
    Frame::trailers(headers)
}
