//! The request of a stream, checked and in the domain's words.

use std::{ops::RangeInclusive, time::Duration};

use parloir_proto::v1::{self, subscribe_events_request::Start as Wire};

use crate::{
    domain::{Cursor, CursorError, Error, Id, Result},
    grpc::checks::Checks,
    hub::{Filter, Hub, OnExpired, Start, Wish},
    wire::enums::read_event_kind,
};

/// What a caller may wish as the interval between signs of life.
const HEARTBEATS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);

pub(super) fn wish(request: v1::SubscribeEventsRequest, tenant: &Id, hub: &Hub) -> Result<Wish> {
    if !request.subscription.is_empty() {
        return Err(Error::Unsupported(
            "named subscriptions are not served by this version: leave `subscription` empty and keep the cursor yourself",
        ));
    }
    let mut checks = Checks::default();
    let filter = filter(
        &mut checks,
        &request.filter.unwrap_or_default(),
        tenant,
        hub,
    );
    let start = start(&mut checks, request.start, hub);
    let on_expired = on_expired(&mut checks, request.on_expired_cursor);
    let heartbeat = request
        .heartbeat
        .and_then(|span| checks.span("heartbeat", Some(&span), &HEARTBEATS));
    let (filter, start, on_expired) = checks.finish(|| Some((filter?, start?, on_expired?)))?;
    Ok(Wish {
        filter,
        start: start?,
        on_expired,
        heartbeat,
    })
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
