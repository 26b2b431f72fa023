//! The request of a stream, checked and in the domain's words.

use std::{ops::RangeInclusive, time::Duration};

use parloir_proto::v1::{self, subscribe_events_request::Start as Wire};

use crate::{
    domain::{Cursor, CursorError, Error, Id, Result},
    grpc::checks::Checks,
    hub::{Filter, Hub, OnExpired, Start, Wish},
    subscriptions::Place,
    wire::enums::read_event_kind,
};

/// What a caller may wish as the interval between signs of life.
const HEARTBEATS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);

pub(in crate::grpc) fn wish(
    request: v1::SubscribeEventsRequest,
    tenant: &Id,
    hub: &Hub,
) -> Result<Wish> {
    let mut checks = Checks::default();
    if !request.member_id.is_empty() {
        checks.wrong(
            "member_id",
            "goes with `subscription`: name one, or leave it out",
        );
    }
    let filter = filter(
        &mut checks,
        &request.filter.unwrap_or_default(),
        tenant,
        hub,
    );
    let start = start(&mut checks, request.start, hub);
    let on_expired = on_expired(&mut checks, request.on_expired_cursor);
    let heartbeat = heartbeat(&mut checks, request.heartbeat.as_ref());
    let (filter, start, on_expired) = checks.finish(|| Some((filter?, start?, on_expired?)))?;
    Ok(Wish {
        filter,
        start: start?,
        on_expired,
        heartbeat,
    })
}

pub(super) fn heartbeat(
    checks: &mut Checks,
    span: Option<&prost_types::Duration>,
) -> Option<Duration> {
    span.and_then(|span| checks.span("heartbeat", Some(span), &HEARTBEATS))
}

/// Where a named subscription begins when it is created.
pub(super) fn place(checks: &mut Checks, start: Option<&Wire>) -> Option<Place> {
    match start {
        None => Some(Place::Latest),
        Some(Wire::AfterCursor(_)) => {
            let why = "a named subscription keeps its position itself: leave it out, or move the subscription by \
                       AdminService";
            checks.wrong("after_cursor", why);
            None
        }
        Some(Wire::AtTime(time)) => checks.place_at("at_time", time),
        Some(Wire::Position(number)) => checks.place_named("position", *number),
    }
}

fn filter(checks: &mut Checks, filter: &v1::EventFilter, tenant: &Id, hub: &Hub) -> Option<Filter> {
    let accounts = checks.ids("filter.accounts", &filter.accounts);
    let conversations = checks.ids("filter.conversation_ids", &filter.conversation_ids);
    let kinds = checks.values("filter.kinds", &filter.kinds, read_event_kind);
    Some(hub.filter(tenant, accounts?, conversations?, &kinds?))
}

/// The inner result is what is wrong with a cursor that is well formed.
fn start(checks: &mut Checks, start: Option<Wire>, hub: &Hub) -> Option<Result<Start>> {
    match start {
        None => Some(Ok(Start::Latest)),
        Some(Wire::AfterCursor(cursor)) => after(checks, &cursor, hub),
        Some(Wire::AtTime(time)) => {
            let time = checks.time("at_time", Some(&time))?;
            Some(Ok(Start::At(time)))
        }
        Some(Wire::Position(number)) => checks.value("position", number, position).map(Ok),
    }
}

fn after(checks: &mut Checks, cursor: &str, hub: &Hub) -> Option<Result<Start>> {
    match Cursor::decode(cursor, hub.epoch()) {
        Ok(cursor) if cursor.log_id == hub.log_id() => Some(Ok(Start::After(cursor.position))),
        Ok(_) | Err(CursorError::OtherDatabase) => Some(Err(Error::CursorUnknown)),
        Err(CursorError::Malformed) => {
            let remedy = "is not a cursor: pass one on exactly as it was received";
            checks.wrong("after_cursor", remedy);
            None
        }
    }
}

fn position(number: i32) -> Option<Start> {
    match v1::StartPosition::try_from(number).ok()? {
        v1::StartPosition::Unspecified => None,
        v1::StartPosition::Earliest => Some(Start::Earliest),
        v1::StartPosition::Latest => Some(Start::Latest),
    }
}

fn on_expired(checks: &mut Checks, number: i32) -> Option<OnExpired> {
    checks.value("on_expired_cursor", number, |number| {
        Some(match v1::OnExpiredCursor::try_from(number).ok()? {
            v1::OnExpiredCursor::Unspecified | v1::OnExpiredCursor::Fail => OnExpired::Fail,
            v1::OnExpiredCursor::Earliest => OnExpired::Earliest,
            v1::OnExpiredCursor::Latest => OnExpired::Latest,
        })
    })
}
