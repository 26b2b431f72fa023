//! Tenants that keep less than the log does: their events are overwritten in place, what is idle is forgotten, in steps
//! from where the step before ended.

use sea_orm::{ConnectionTrait, Value};

use super::{
    conversation::key_values,
    erase,
    fault::Fault,
    log,
    row::Row,
    table::{all, execute, first, number},
};
use crate::domain::{ConversationKey, Id, Position, Timestamp};

/// How far a tenant's events and conversations have been gone through.
struct Mark {
    position: Position,
    /// The last conversation: they are gone through by the time of their newest event.
    conversation: (Timestamp, String, String),
}

const FIND: &str = "SELECT position, updated_at, account, conversation_id
    FROM tenant_retention WHERE tenant = $1";
const SAVE: &str = "INSERT INTO tenant_retention
    (tenant, position, updated_at, account, conversation_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant) DO UPDATE SET position = excluded.position,
        updated_at = excluded.updated_at, account = excluded.account,
        conversation_id = excluded.conversation_id";
/// Where the oldest event of the tenant stands that something unfinished needs.
const NEEDED: &str = "SELECT MIN(event.position) FROM delivery
    JOIN event ON event.tenant = delivery.tenant AND event.account = delivery.account
        AND event.conversation_id = delivery.conversation_id
        AND event.sequence = delivery.sequence
    WHERE delivery.finished_at IS NULL AND delivery.tenant = $1";
const OLDEST_QUESTION: &str = "SELECT MIN(asked_at) FROM request
    WHERE closed_at IS NULL AND tenant = $1";
const OVERWRITE: &str = "UPDATE event SET body = $4, body_key_id = -1
    WHERE log_id = 0 AND position > $2 AND position <= $3 AND tenant = $1 AND body_key_id <> -1";
/// Of all tenants: the index by time serves everybody, and each row is passed once.
const IDLE: &str = "SELECT tenant, account, conversation_id, updated_at FROM conversation
    WHERE updated_at < $1 AND (updated_at, account, conversation_id) > ($2, $3, $4)
    ORDER BY updated_at, account, conversation_id LIMIT $5";
/// What ends changes the time of the conversation, which is then passed again.
const IS_BUSY: &str = "SELECT EXISTS (SELECT 1 FROM delivery
        WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND finished_at IS NULL)
    OR EXISTS (SELECT 1 FROM request
        WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND closed_at IS NULL)";
const CLEAR: &str = "UPDATE conversation SET profile = $4, kept = $4, profile_key_id = 0
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3";

/// Overwrites events of a tenant recorded before `before`, going through at most `limit` positions. Answers through how
/// many, and how many it overwrote.
pub(super) async fn events(
    db: &impl ConnectionTrait,
    tenant: &Id,
    before: Timestamp,
    limit: usize,
) -> Result<(usize, u64), Fault> {
    let mut mark = find(db, tenant).await?;
    let mut last = log::position_before(db, before).await?;
    if let Some(needed) = needed(db, tenant).await? {
        last = last.min(Position(needed.0.saturating_sub(1)));
    }
    if let Some(asked_at) = oldest_question(db, tenant).await? {
        last = last.min(log::position_before(db, asked_at).await?);
    }
    // What the log's own retention has removed need not be passed.
    let floor = log::head(db).await?.floor.0.saturating_sub(1);
    let from = mark.position.0.max(floor);
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let to = last.0.min(from.saturating_add(limit));
    if to <= from {
        return Ok((0, 0));
    }
    let values = [
        tenant.as_str().into(),
        number(from),
        number(to),
        erase::nothing(),
    ];
    let overwritten = execute(db, OVERWRITE, values).await?;
    mark.position = Position(to);
    save(db, tenant, &mark).await?;
    Ok((
        usize::try_from(to - from).unwrap_or(usize::MAX),
        overwritten,
    ))
}

/// The conversations of a tenant in which nothing was recorded since `before`, of at most `limit` that are gone through.
/// Answers through how many, too.
pub(super) async fn idle(
    db: &impl ConnectionTrait,
    tenant: &Id,
    before: Timestamp,
    limit: usize,
) -> Result<(usize, Vec<ConversationKey>), Fault> {
    let mut mark = find(db, tenant).await?;
    let (updated_at, account, id) = &mark.conversation;
    let values = [
        before.0.into(),
        updated_at.0.into(),
        account.as_str().into(),
        id.as_str().into(),
        number(limit),
    ];
    let passed = all(db, IDLE, values, |row| Ok((row.key()?, row.time()?))).await?;
    if let Some((key, updated_at)) = passed.last() {
        mark.conversation = (*updated_at, key.account.to_string(), key.id.to_string());
        save(db, tenant, &mark).await?;
    }
    let count = passed.len();
    let mut found = Vec::new();
    for (key, _) in passed {
        if &key.tenant == tenant && !is_busy(db, &key).await? {
            found.push(key);
        }
    }
    Ok((count, found))
}

/// Leaves nothing of a conversation but its ids and times.
pub(super) async fn forget(db: &impl ConnectionTrait, key: &ConversationKey) -> Result<(), Fault> {
    erase::words(db, key).await?;
    let [tenant, account, id] = key_values(key);
    execute(db, CLEAR, [tenant, account, id, erase::nothing()]).await?;
    super::internal_id::take(db, key).await?;
    Ok(())
}

async fn find(db: &impl ConnectionTrait, tenant: &Id) -> Result<Mark, Fault> {
    let read = |row: &mut Row<'_>| {
        Ok(Mark {
            position: Position(row.number("tenant_retention.position")?),
            conversation: (row.time()?, row.text()?, row.text()?),
        })
    };
    let found = first(db, FIND, [tenant.as_str().into()], read).await?;
    Ok(found.unwrap_or_else(|| Mark {
        position: Position(0),
        conversation: (Timestamp::default(), String::new(), String::new()),
    }))
}

async fn save(db: &impl ConnectionTrait, tenant: &Id, mark: &Mark) -> Result<(), Fault> {
    let (updated_at, account, id) = &mark.conversation;
    let values: [Value; 5] = [
        tenant.as_str().into(),
        number(mark.position.0),
        updated_at.0.into(),
        account.as_str().into(),
        id.as_str().into(),
    ];
    execute(db, SAVE, values).await?;
    Ok(())
}

async fn needed(db: &impl ConnectionTrait, tenant: &Id) -> Result<Option<Position>, Fault> {
    let oldest = first(db, NEEDED, [tenant.as_str().into()], |row| {
        row.maybe_number("event.position")
    });
    Ok(oldest.await?.flatten().map(Position))
}

async fn oldest_question(
    db: &impl ConnectionTrait,
    tenant: &Id,
) -> Result<Option<Timestamp>, Fault> {
    let oldest = first(db, OLDEST_QUESTION, [tenant.as_str().into()], |row| {
        Ok(row.maybe_time()?)
    });
    Ok(oldest.await?.flatten())
}

async fn is_busy(db: &impl ConnectionTrait, key: &ConversationKey) -> Result<bool, Fault> {
    let busy = first(db, IS_BUSY, key_values(key), |row| Ok(row.flag()?));
    Ok(busy.await?.unwrap_or(true))
}
