//! What a caller asks for, read at the door.

use std::time::Duration;

use parloir_proto::v1::{
    self, OnExpiredCursor, StartPosition, SubscribeEventsRequest,
    subscribe_events_request::Start as Asked,
};

use crate::{
    domain::{Cursor, CursorError, Error, Id, Result, Timestamp},
    grpc::checks::Checks,
    hub::{Filter, Hub, OnExpired, Start, Wish},
    wire::enums::read_event_kind,
};

/// The most accounts, and the most conversations, of one filter.
const MAX_FILTER_IDS: usize = 1000;

const HEARTBEATS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_mins(1);

pub fn read(hub: &Hub, request: SubscribeEventsRequest) -> Result<Wish> {
    if !request.subscription.is_empty() {
        return Err(Error::Unsupported(
            "named subscriptions are not served by this version: leave `subscription` empty and keep the cursor yourself",
        ));
    }
    let mut checks = Checks::default();
    let filter = filter(&mut checks, hub, request.filter.unwrap_or_default());
    let on_expired = on_expired(&mut checks, request.on_expired_cursor);
    let heartbeat = heartbeat(&mut checks, request.heartbeat);
    let start = start(&mut checks, hub, request.start)?;
    checks.finish(|| {
        Some(Wish {
            filter: filter?,
            start: start?,
            on_expired: on_expired?,
            heartbeat: heartbeat?,
        })
    })
}

fn filter(checks: &mut Checks, hub: &Hub, filter: v1::EventFilter) -> Option<Filter> {
    let accounts = ids(checks, "filter.accounts", &filter.accounts);
    let conversations = ids(checks, "filter.conversation_ids", &filter.conversation_ids);
    let kinds = checks.values("filter.kinds", &filter.kinds, read_event_kind);
    Some(hub.filter(accounts?, conversations?, &kinds?))
}

fn ids(checks: &mut Checks, field: &str, texts: &[String]) -> Option<Vec<Id>> {
    if texts.len() > MAX_FILTER_IDS {
        checks.wrong(field, format!("must have at most {MAX_FILTER_IDS} entries"));
        return None;
    }
    let read: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| checks.id(&format!("{field}[{index}]"), text))
        .collect();
    read.into_iter().collect()
}

fn on_expired(checks: &mut Checks, number: i32) -> Option<OnExpired> {
    match OnExpiredCursor::try_from(number) {
        Ok(OnExpiredCursor::Unspecified | OnExpiredCursor::Fail) => Some(OnExpired::Fail),
        Ok(OnExpiredCursor::Earliest) => Some(OnExpired::Earliest),
        Ok(OnExpiredCursor::Latest) => Some(OnExpired::Latest),
        Err(_) => {
            checks.wrong(
                "on_expired_cursor",
                "is not a value that this version knows",
            );
            None
        }
    }
}

fn heartbeat(
    checks: &mut Checks,
    wished: Option<prost_types::Duration>,
) -> Option<Option<Duration>> {
    let Some(wished) = wished else {
        return Some(None);
    };
    let wished = Duration::try_from(wished)
        .ok()
        .filter(|wished| HEARTBEATS.contains(wished));
    if wished.is_none() {
        checks.wrong("heartbeat", "must be 1 to 60 seconds");
    }
    wished.map(Some)
}

fn start(checks: &mut Checks, hub: &Hub, asked: Option<Asked>) -> Result<Option<Start>> {
    Ok(match asked {
        None => Some(Start::Latest),
        Some(Asked::AfterCursor(text)) => match Cursor::decode(&text, hub.epoch()) {
            Ok(cursor) if cursor.log_id == hub.log_id() => Some(Start::After(cursor.position)),
            Ok(_) | Err(CursorError::OtherDatabase) => return Err(Error::CursorUnknown),
            Err(CursorError::Malformed) => {
                checks.wrong(
                    "after_cursor",
                    "is not a cursor, or was damaged: pass it exactly as it was received",
                );
                None
            }
        },
        Some(Asked::AtTime(time)) => {
            let micros = time
                .seconds
                .checked_mul(1_000_000)
                .map(|micros| micros + i64::from(time.nanos) / 1000);
            if micros.is_none() {
                checks.wrong("at_time", "is out of range");
            }
            micros.map(|micros| Start::At(Timestamp(micros)))
        }
        Some(Asked::Position(number)) => match StartPosition::try_from(number) {
            Ok(StartPosition::Earliest) => Some(Start::Earliest),
            Ok(StartPosition::Latest) => Some(Start::Latest),
            Ok(StartPosition::Unspecified) | Err(_) => {
                checks.wrong("position", "must be EARLIEST or LATEST");
                None
            }
        },
    })
}
