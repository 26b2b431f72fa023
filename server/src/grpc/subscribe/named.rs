//! A member's stream of a named subscription: what waits in its mailbox, as bytes of the contract.

use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use parloir_proto::v1;

use super::{
    body::{Saying, Speaker},
    notice, wish,
};
use crate::{
    domain::{
        Clock, Id, Result,
        subscription::{AckId, SubscriptionKey},
    },
    grpc::checks::Checks,
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

impl Speaker for MemberStream {
    fn started(&self, clock: &dyn Clock) -> Bytes {
        notice::started_named(self, clock)
    }

    fn poll_next(&mut self, context: &mut Context<'_>, clock: &dyn Clock) -> Poll<Saying> {
        let next = ready!(self.poll(context));
        let hub = self.hub();
        Poll::Ready(Saying::Next(match next {
            mail @ Mail::Event { .. } => events(self, mail),
            Mail::CaughtUp(at) => notice::caught_up(hub, at),
            Mail::Checkpoint(at) => notice::checkpoint(hub, at, clock),
            Mail::FellBehind(at) => notice::fell_behind(hub, at),
            Mail::Gap { asked, resumed } => notice::gap(hub, asked, resumed),
            Mail::GoingAway {
                resume,
                reconnect_after,
                reason,
            } => {
                let last = Saying::going_away(hub, resume, reconnect_after, reason);
                return Poll::Ready(last);
            }
            Mail::Failed(error) => return Poll::Ready(Saying::failed(hub, &error)),
        }))
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
