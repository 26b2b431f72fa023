//! What the hub tells a stream, as bytes of the contract.

use bytes::Bytes;
use parloir_proto::v1::{self, subscribe_events_response::Message as Wire};
use prost::Message;

use crate::{
    domain::{Clock, Position},
    hub::{Hub, Leave, Subscription, append_prefix},
    subscriptions::MemberStream,
    wire::{
        subscription,
        time::{duration, timestamp},
    },
};

/// The first message of every stream.
pub(super) fn started(subscription: &Subscription, clock: &dyn Clock) -> Bytes {
    let (hub, terms) = (subscription.hub(), subscription.terms());
    framed(Wire::Started(v1::Started {
        cursor: hub.cursor(terms.after),
        heartbeat: Some(duration(terms.heartbeat)),
        lifetime: Some(duration(terms.lifetime)),
        server_time: Some(timestamp(clock.now())),
        max_event_bytes: hub.settings().max_event_bytes,
        named: None,
    }))
}

/// The first message of a named subscription's stream.
pub(super) fn started_named(stream: &MemberStream, clock: &dyn Clock) -> Bytes {
    let (hub, terms) = (stream.hub(), &stream.terms);
    let record = &terms.record;
    framed(Wire::Started(v1::Started {
        cursor: hub.cursor(terms.done_through),
        heartbeat: Some(duration(terms.heartbeat)),
        lifetime: Some(duration(terms.lifetime)),
        server_time: Some(timestamp(clock.now())),
        max_event_bytes: hub.settings().max_event_bytes,
        named: Some(v1::NamedTerms {
            subscription: record.key.name.to_string(),
            member_id: terms.member.to_string(),
            filter: Some(subscription::filter(&record.choice)),
            start_cursor: hub.cursor(record.start),
            max_in_flight: terms.max_in_flight,
            policy: Some(subscription::policy(&record.policy)),
        }),
    }))
}

pub(super) fn caught_up(hub: &Hub, at: Position) -> Bytes {
    let cursor = hub.cursor(at);
    framed(Wire::CaughtUp(v1::CaughtUp { cursor }))
}

pub(super) fn fell_behind(hub: &Hub, at: Position) -> Bytes {
    let cursor = hub.cursor(at);
    framed(Wire::FellBehind(v1::FellBehind { cursor }))
}

pub(super) fn gap(hub: &Hub, asked: Position, resumed: Position) -> Bytes {
    framed(Wire::Gap(v1::Gap {
        asked_cursor: hub.cursor(asked),
        resumed_cursor: hub.cursor(resumed),
    }))
}

pub(super) fn checkpoint(hub: &Hub, at: Position, clock: &dyn Clock) -> Bytes {
    framed(Wire::Checkpoint(v1::Checkpoint {
        cursor: hub.cursor(at),
        server_time: Some(timestamp(clock.now())),
    }))
}

pub(super) fn going_away(
    hub: &Hub,
    resume: Position,
    reconnect_after: std::time::Duration,
    reason: Leave,
) -> Bytes {
    let reason = match reason {
        Leave::Shutdown => v1::GoingAwayReason::Shutdown,
        Leave::Lifetime => v1::GoingAwayReason::Lifetime,
        Leave::Replaced => v1::GoingAwayReason::Replaced,
    };
    framed(Wire::GoingAway(v1::GoingAway {
        resume_cursor: hub.cursor(resume),
        reconnect_after: Some(duration(reconnect_after)),
        reason: reason.into(),
    }))
}

fn framed(message: Wire) -> Bytes {
    let message = v1::SubscribeEventsResponse {
        message: Some(message),
    };
    let encoded = message.encode_to_vec();
    let mut framed = Vec::with_capacity(encoded.len() + 5);
    append_prefix(&mut framed, encoded.len());
    framed.extend_from_slice(&encoded);
    framed.into()
}
