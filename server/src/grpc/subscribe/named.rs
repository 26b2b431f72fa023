//! A member's stream of a named subscription: what waits in its mailbox, as bytes of the contract.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use parloir_proto::v1;
use tonic::Status;

use super::{body, notice, wish};
use crate::{
    domain::{
        Clock, Id, Result,
        subscription::{AckId, SubscriptionKey},
    },
    grpc::{checks::Checks, status::status},
    hub::{Handed, append_handed},
    subscriptions::{Creation, Mail, MemberStream, Settings},
    wire::subscription::DEFAULT_POLICY,
};

/// How many events a member may have in flight that asks for nothing.
const IN_FLIGHT: u32 = 64;

/// Which member of which subscription opens a stream, and what it asks for.
pub(in crate::grpc) struct Membership {
    pub key: SubscriptionKey,
    pub member: Id,
    pub creation: Creation,
    pub max_in_flight: u32,
}

/// What is common to the streams and the calls of members.
pub(in crate::grpc) fn membership(
    checks: &mut Checks,
    request: &v1::SubscribeEventsRequest,
    tenant: &Id,
    settings: &Settings,
) -> Option<Membership> {
    let name = checks.subscription_name("subscription", &request.subscription);
    let member = checks.id("member_id", &request.member_id);
    let choice = match &request.filter {
        None => Some(None),
        Some(filter) => checks.choice("filter", filter).map(Some),
    };
    let start = wish::place(checks, request.start.as_ref());
    let most = settings.max_in_flight;
    let max_in_flight = checks.count("max_in_flight", (request.max_in_flight, IN_FLIGHT, most));
    Some(Membership {
        key: SubscriptionKey {
            tenant: tenant.clone(),
            name: name?,
        },
        member: member?,
        creation: Creation {
            choice: choice?,
            policy: DEFAULT_POLICY,
            start: start?,
        },
        max_in_flight: max_in_flight?,
    })
}

/// The request of a member's stream.
pub(super) fn request(
    request: &v1::SubscribeEventsRequest,
    tenant: &Id,
    settings: &Settings,
) -> Result<(Membership, Option<Duration>)> {
    let mut checks = Checks::default();
    let heartbeat = wish::heartbeat(&mut checks, request.heartbeat.as_ref());
    let membership = membership(&mut checks, request, tenant, settings);
    checks.finish(|| Some((membership?, heartbeat)))
}

/// An open stream of a member.
pub(super) struct NamedStream {
    stage: Stage,
    clock: Arc<dyn Clock>,
}

enum Stage {
    /// `Started` is still to be sent.
    Opening(MemberStream),
    Following(MemberStream),
    /// The last message was sent; how it ended is still to be told.
    Ending(Status),
    Ended,
}

impl NamedStream {
    pub(super) fn new(stream: MemberStream, clock: Arc<dyn Clock>) -> Self {
        Self {
            stage: Stage::Opening(stream),
            clock,
        }
    }

    fn say(&mut self, mail: Mail) -> Option<Bytes> {
        let Stage::Following(stream) = &self.stage else {
            return None;
        };
        let hub = stream.hub();
        Some(match mail {
            mail @ Mail::Event { .. } => events(stream, mail),
            Mail::CaughtUp(at) => notice::caught_up(hub, at),
            Mail::Checkpoint(at) => notice::checkpoint(hub, at, &*self.clock),
            Mail::FellBehind(at) => notice::fell_behind(hub, at),
            Mail::Gap { asked, resumed } => notice::gap(hub, asked, resumed),
            Mail::GoingAway {
                resume,
                reconnect_after,
                reason,
            } => {
                let last = notice::going_away(hub, resume, reconnect_after, reason);
                self.stage = Stage::Ending(body::farewell(reason, hub.epoch()));
                last
            }
            Mail::Failed(error) => {
                self.stage = Stage::Ending(status(&error, hub.epoch()));
                return None;
            }
        })
    }
}

/// An event, and those behind it that go well into one piece.
fn events(stream: &MemberStream, first: Mail) -> Bytes {
    let hub = stream.hub();
    let most = hub.settings().max_frame_bytes;
    let mut bytes = Vec::new();
    let mut next = Some(first);
    while let Some(Mail::Event {
        event,
        ack,
        attempt,
        time,
    }) = next
    {
        let handed = Handed {
            cursor: hub.cursor(ack.position),
            ack_id: AckId::encode(ack, stream.key(), hub.epoch()),
            attempt,
            time_left: time,
        };
        append_handed(&mut bytes, &event, handed);
        next = stream.take_event(most.saturating_sub(bytes.len()));
    }
    bytes.into()
}

impl Body for NamedStream {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Stage::Following(stream) = &this.stage {
            let mail = ready!(stream.poll(context));
            if let Some(bytes) = this.say(mail) {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
        Poll::Ready(match std::mem::replace(&mut this.stage, Stage::Ended) {
            Stage::Opening(stream) => {
                let first = notice::started_named(&stream, &*this.clock);
                this.stage = Stage::Following(stream);
                Some(Ok(Frame::data(first)))
            }
            Stage::Ending(status) => Some(Ok(Frame::trailers(body::trailers(&status)))),
            Stage::Following(_) | Stage::Ended => None,
        })
    }
}
