//! `PullEvents`, with and without a name.

use std::{ops::RangeInclusive, time::Duration};

use bytes::{Buf, Bytes};
use parloir_proto::v1::{
    self, pull_events_request::Start as Asked, subscribe_events_request::Start,
    subscribe_events_response::Message as Wire,
};
use prost::Message;
use tokio::time::{Instant, timeout_at};

use super::super::{
    checks::Checks,
    subscribe::{
        named::{Membership, membership},
        wish,
    },
    view,
};
use crate::{
    domain::{Error, Id, Position, Result, subscription::SubscriptionKey},
    hub::{Hub, Notice, Subscription, Wish},
    subscriptions::{Pulled, PulledEvent, Settings},
    wire::time::duration,
};

const WAITS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(1);
const WAIT: Duration = Duration::from_secs(20);
const EVENTS: u32 = 100;
const MAX_EVENTS: u32 = 1000;

/// How much is pulled, and how long it is waited for.
#[derive(Debug, Clone, Copy)]
pub(in crate::grpc) struct Terms {
    pub events: usize,
    pub wait: Duration,
}

pub(in crate::grpc) enum Pull {
    Named(Membership, Terms),
    Ephemeral(Wish, Terms),
}

/// `longest` is how long the call may take at all.
pub(in crate::grpc) fn pull(
    request: v1::PullEventsRequest,
    tenant: &Id,
    hub: &Hub,
    settings: &Settings,
    longest: Duration,
) -> Result<Pull> {
    let mut checks = Checks::default();
    let events = checks.count("max_events", (request.max_events, EVENTS, MAX_EVENTS));
    let wait = match &request.wait {
        None => Some(WAIT),
        given => checks.span("wait", given.as_ref(), &WAITS),
    };
    let is_named = !request.subscription.is_empty();
    let request = v1::SubscribeEventsRequest {
        subscription: request.subscription,
        member_id: request.member_id,
        filter: request.filter,
        start: request.start.map(|start| match start {
            Asked::AfterCursor(cursor) => Start::AfterCursor(cursor),
            Asked::AtTime(time) => Start::AtTime(time),
            Asked::Position(position) => Start::Position(position),
        }),
        on_expired_cursor: request.on_expired_cursor,
        max_in_flight: request.max_in_flight,
        heartbeat: None,
    };
    if is_named {
        let membership = membership(&mut checks, &request, tenant, settings);
        return checks.finish(|| {
            let terms = Terms {
                events: usize::try_from(events?).unwrap_or(usize::MAX),
                wait: wait?.min(longest),
            };
            Some(Pull::Named(membership?, terms))
        });
    }
    let terms = checks.finish(|| {
        Some(Terms {
            events: usize::try_from(events?).unwrap_or(usize::MAX),
            wait: wait?.min(longest),
        })
    })?;
    Ok(Pull::Ephemeral(wish::wish(request, tenant, hub)?, terms))
}

/// What an ephemeral subscription has to say within the time.
pub(in crate::grpc) async fn take(
    mut subscription: Subscription,
    terms: Terms,
) -> Result<v1::PullEventsResponse> {
    let until = Instant::now() + terms.wait;
    let epoch = subscription.hub().epoch();
    let mut response = v1::PullEventsResponse {
        next_cursor: view::cursor(subscription.terms().after, epoch),
        ..v1::PullEventsResponse::default()
    };
    while let Ok(notice) = timeout_at(until, subscription.next()).await {
        match notice {
            Notice::Events(bytes) => {
                response.events = delivered(bytes, terms.events)?;
                if let Some(last) = response.events.last() {
                    response.next_cursor.clone_from(&last.cursor);
                }
                return Ok(response);
            }
            Notice::Gap { asked, resumed } => {
                response.next_cursor = view::cursor(resumed, epoch);
                response.gap = Some(gap(asked, resumed, epoch));
            }
            Notice::CaughtUp(at) | Notice::Checkpoint(at) => {
                response.next_cursor = view::cursor(at, epoch);
            }
            Notice::FellBehind(_) => {}
            Notice::GoingAway { .. } => return Err(Error::Stopping),
            Notice::Failed(error) => return Err(error),
        }
    }
    Ok(response)
}

/// Framed messages, read back.
fn delivered(mut framed: Bytes, most: usize) -> Result<Vec<v1::DeliveredEvent>> {
    let mut events = Vec::new();
    while events.len() < most && framed.remaining() >= 5 {
        framed.advance(1);
        let length = usize::try_from(framed.get_u32()).unwrap_or(usize::MAX);
        if length > framed.len() {
            return Err(Error::Internal);
        }
        let message = v1::SubscribeEventsResponse::decode(framed.split_to(length));
        match message.map_err(|_| Error::Internal)?.message {
            Some(Wire::Event(event)) => events.push(event),
            _ => return Err(Error::Internal),
        }
    }
    Ok(events)
}

/// What a member of a named subscription is answered.
pub(in crate::grpc) fn response(
    pulled: Pulled,
    key: &SubscriptionKey,
    epoch: u64,
) -> Result<v1::PullEventsResponse> {
    let events = pulled.events.into_iter();
    let events: Result<_> = events.map(|event| handed(event, key, epoch)).collect();
    Ok(v1::PullEventsResponse {
        events: events?,
        next_cursor: view::cursor(pulled.done_through, epoch),
        gap: pulled
            .gap
            .map(|(asked, resumed)| gap(asked, resumed, epoch)),
    })
}

fn handed(event: PulledEvent, key: &SubscriptionKey, epoch: u64) -> Result<v1::DeliveredEvent> {
    let read = v1::Event::decode(event.event).map_err(|error| {
        tracing::error!(position = event.ack.position.0, %error, "a stored event cannot be read");
        Error::Internal
    })?;
    Ok(v1::DeliveredEvent {
        event: Some(read),
        cursor: view::cursor(event.ack.position, epoch),
        ack_id: event.ack.encode(key, epoch),
        attempt: event.attempt,
        time_left: Some(duration(event.time_left)),
    })
}

fn gap(asked: Position, resumed: Position, epoch: u64) -> v1::Gap {
    v1::Gap {
        asked_cursor: view::cursor(asked, epoch),
        resumed_cursor: view::cursor(resumed, epoch),
    }
}
