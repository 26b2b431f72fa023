//! Reading events, as they travel or as facts.

use std::sync::{Arc, LazyLock};

use sea_orm::ConnectionTrait;

use super::{
    KEY, TABLE,
    columns::{both, fact, stored},
};
use crate::{
    domain::{ConversationKey, Event, Position, StoredEvent, Timestamp, query::EventQuery},
    store::{
        conversation::key_values,
        fault::Fault,
        row::Row,
        sealing::Keys,
        table::{all_opened, first, first_opened, number},
    },
};

const HEAD: &str =
    "SELECT position, floor, recorded_at, keys_destroyed FROM log_head WHERE log_id = 0";

/// Pages end before the body that would make them too large; lengths are read without the bodies.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE log_id = 0 AND position > $1 AND position <= (
            SELECT MAX(position) FROM (
                SELECT position, SUM(size) OVER (ORDER BY position) - size AS before FROM (
                    SELECT position, LENGTH(body) AS size FROM event
                    WHERE log_id = 0 AND position > $1 ORDER BY position LIMIT $2
                ) AS sizes
            ) AS sums WHERE before < $3
        ) ORDER BY position",
    )
});
static BY_SEQUENCE: LazyLock<String> = LazyLock::new(|| {
    TABLE.select("WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND sequence = $4")
});
static BY_ID: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE event_id = $1"));

const POSITION_FROM: &str = "SELECT position FROM event WHERE log_id = 0 AND recorded_at >= $1
    ORDER BY recorded_at, position LIMIT 1";
const POSITION_OF: &str = "SELECT position FROM event
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND sequence = $4";
const POSITION_OF_ID: &str = "SELECT position FROM event WHERE event_id = $1";
const FIRST_SEQUENCE: &str = "SELECT MIN(sequence) FROM event
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3";

/// Where the log stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) position: Position,
    /// The first position that retention has left.
    pub(crate) floor: Position,
    /// When the newest event was recorded.
    pub(crate) recorded_at: Timestamp,
    /// Counts the times that keys were destroyed, at any replica.
    pub(crate) keys_destroyed: u64,
}

impl Head {
    /// Of its columns, in this order.
    pub(in crate::store) fn read(row: &mut Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            position: Position(row.number("log_head.position")?),
            floor: Position(row.number("log_head.floor")?),
            recorded_at: row.time()?,
            keys_destroyed: row.number("log_head.keys_destroyed")?,
        })
    }
}

pub(crate) async fn head(db: &impl ConnectionTrait) -> Result<Head, Fault> {
    let head = first(db, HEAD, [], Head::read);
    head.await?.ok_or(Fault::Nonsense("log_head"))
}

pub(in crate::store) async fn page(
    db: &impl ConnectionTrait,
    keys: &Keys,
    after: Position,
    limit: usize,
    max_bytes: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    // The first event of a page is there however large it is.
    let values = [number(after.0), number(limit), number(max_bytes.max(1))];
    all_opened(db, keys, KEY, &PAGE, values, |row| Ok(stored(row)?.1)).await
}

pub(in crate::store) async fn tail(
    db: &impl ConnectionTrait,
    keys: &Keys,
    after: Position,
    limit: usize,
    max_bytes: usize,
) -> Result<Vec<(StoredEvent, Arc<Event>)>, Fault> {
    let values = [number(after.0), number(limit), number(max_bytes.max(1))];
    all_opened(db, keys, KEY, &PAGE, values, both).await
}

pub(crate) async fn position_before(
    db: &impl ConnectionTrait,
    time: Timestamp,
) -> Result<Position, Fault> {
    let found = first(db, POSITION_FROM, [time.0.into()], |row| {
        row.number::<u64>("event.position")
    });
    match found.await? {
        Some(position) => Ok(Position(position - 1)),
        None => Ok(head(db).await?.position),
    }
}

pub(crate) async fn position_of(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
    sequence: u64,
) -> Result<Option<Position>, Fault> {
    let [tenant, account, id] = key_values(key);
    let values = [tenant, account, id, number(sequence)];
    first(db, POSITION_OF, values, |row| {
        row.number("event.position").map(Position)
    })
    .await
}

pub(crate) async fn position_of_event(
    db: &impl ConnectionTrait,
    event_id: &str,
) -> Result<Option<Position>, Fault> {
    first(db, POSITION_OF_ID, [event_id.into()], |row| {
        row.number("event.position").map(Position)
    })
    .await
}

/// 0 when there is none.
pub(crate) async fn first_sequence(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
) -> Result<u64, Fault> {
    let found = first(db, FIRST_SEQUENCE, key_values(key), |row| {
        row.maybe_number("event.sequence")
    });
    Ok(found.await?.flatten().unwrap_or(0))
}

pub(in crate::store) async fn events(
    db: &impl ConnectionTrait,
    keys: &Keys,
    query: &EventQuery,
) -> Result<Vec<(u64, StoredEvent)>, Fault> {
    let (beyond, direction, all_of_them) = if query.newest_first {
        ("<", "DESC", u64::MAX)
    } else {
        (">", "ASC", 0)
    };
    let kinds: Vec<_> = query
        .kinds
        .iter()
        .map(|kind| kind.number().to_string())
        .collect();
    let of_kinds = if kinds.is_empty() {
        String::new()
    } else {
        format!("AND kind IN ({})", kinds.join(", "))
    };
    // As in `PAGE`, and one more: what stands before the event before it decides.
    let sql = TABLE.select(&format!(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND sequence IN (
            SELECT sequence FROM (
                SELECT sequence, LAG(before, 1, 0) OVER (ORDER BY sequence {direction}) AS before FROM (
                    SELECT sequence, SUM(size) OVER (ORDER BY sequence {direction}) - size AS before FROM (
                        SELECT sequence, LENGTH(body) AS size FROM event
                        WHERE tenant = $1 AND account = $2 AND conversation_id = $3
                            AND sequence {beyond} $4 {of_kinds}
                        ORDER BY sequence {direction} LIMIT $5
                    ) AS sizes
                ) AS sums
            ) AS sums_before WHERE before < $6
        ) ORDER BY sequence {direction}"
    ));
    let [tenant, account, id] = key_values(&query.key);
    let after = number(query.after.unwrap_or(all_of_them));
    let (limit, max_bytes) = (number(query.limit), number(query.max_bytes.max(1)));
    let values = [tenant, account, id, after, limit, max_bytes];
    all_opened(db, keys, KEY, &sql, values, stored).await
}

pub(in crate::store) async fn with_sequence(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
    sequence: u64,
) -> Result<Option<Event>, Fault> {
    let [tenant, account, id] = key_values(key);
    let values = [tenant, account, id, number(sequence)];
    first_opened(db, keys, KEY, &BY_SEQUENCE, values, fact).await
}

pub(in crate::store) async fn with_id(
    db: &impl ConnectionTrait,
    keys: &Keys,
    event_id: &str,
) -> Result<Option<Event>, Fault> {
    first_opened(db, keys, KEY, &BY_ID, [event_id.into()], fact).await
}
