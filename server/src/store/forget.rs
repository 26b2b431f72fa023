//! What is removed because of its age: the beginning of the log, and state that nobody needs any more.

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    log,
    table::{execute, first, number},
};
use crate::domain::{Position, Timestamp};

/// Where the oldest event stands that an unfinished delivery needs.
const NEEDED_BY_DELIVERIES: &str = "SELECT MIN(event.position) FROM delivery
    JOIN event ON event.tenant = delivery.tenant AND event.account = delivery.account
        AND event.conversation_id = delivery.conversation_id
        AND event.sequence = delivery.sequence
    WHERE delivery.finished_at IS NULL";
const OLDEST_QUESTION: &str = "SELECT MIN(asked_at) FROM request WHERE closed_at IS NULL";
const REMOVE: &str = "DELETE FROM event WHERE log_id = 0 AND position <= $1";
const RAISE_FLOOR: &str = "UPDATE log_head SET floor = $1 WHERE log_id = 0";

/// One statement a table: `$1` the time, `$2` the limit.
const FORGOTTEN: [&str; 5] = [
    "DELETE FROM command WHERE (tenant, account, method, idempotency_key) IN (
        SELECT tenant, account, method, idempotency_key FROM command
        WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
    "DELETE FROM platform_event WHERE (agent, fingerprint) IN (
        SELECT agent, fingerprint FROM platform_event
        WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)",
    "DELETE FROM delivery WHERE id IN (
        SELECT id FROM delivery WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)",
    "DELETE FROM request WHERE id IN (
        SELECT id FROM request WHERE closed_at < $1 ORDER BY closed_at LIMIT $2)",
    "DELETE FROM availability WHERE (agent, team, publisher) IN (
        SELECT agent, team, publisher FROM availability
        WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
];

/// Removes the log's beginning up to `before`, at most `limit` events, and nothing that is still needed nor what comes
/// after it.
pub(super) async fn trim_log(
    db: &impl ConnectionTrait,
    before: Timestamp,
    limit: usize,
) -> Result<usize, Fault> {
    let head = log::head(db).await?;
    let mut last = log::position_before(db, before).await?;
    if let Some(needed) = needed_by_deliveries(db).await? {
        last = last.min(Position(needed.0.saturating_sub(1)));
    }
    if let Some(asked_at) = oldest_question(db).await? {
        // An event is never recorded before it happens.
        last = last.min(log::position_before(db, asked_at).await?);
    }
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let before_floor = head.floor.0 - 1;
    let last = last.0.min(before_floor.saturating_add(limit));
    if last <= before_floor {
        return Ok(0);
    }
    let removed = execute(db, REMOVE, [number(last)]).await?;
    execute(db, RAISE_FLOOR, [number(last + 1)]).await?;
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}

pub(super) async fn finished(
    db: &impl ConnectionTrait,
    before: Timestamp,
    limit: usize,
) -> Result<usize, Fault> {
    let mut forgotten = 0;
    for sql in FORGOTTEN {
        forgotten += execute(db, sql, [before.0.into(), number(limit)]).await?;
    }
    Ok(usize::try_from(forgotten).unwrap_or(usize::MAX))
}

async fn needed_by_deliveries(db: &impl ConnectionTrait) -> Result<Option<Position>, Fault> {
    let oldest = first(db, NEEDED_BY_DELIVERIES, [], |row| {
        row.maybe_number("event.position")
    });
    Ok(oldest.await?.flatten().map(Position))
}

async fn oldest_question(db: &impl ConnectionTrait) -> Result<Option<Timestamp>, Fault> {
    let oldest = first(db, OLDEST_QUESTION, [], |row| Ok(row.maybe_time()?));
    Ok(oldest.await?.flatten())
}
