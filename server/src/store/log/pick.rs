//! Single events of the log, and a conversation's from a place on: what subscriptions hand out again or later.

use sea_orm::ConnectionTrait;

use super::{KEY, TABLE, columns::stored};
use crate::{
    domain::{ConversationKey, EventKind, Position, StoredEvent, Timestamp},
    store::{
        conversation::key_values,
        fault::Fault,
        sealing::Keys,
        table::{all_opened, first, number, places},
    },
};

const RECORDED_AT: &str = "SELECT recorded_at FROM event
    WHERE log_id = 0 AND position >= $1 ORDER BY position LIMIT 1";

/// Positions that one statement names; few sizes, so that each is prepared once.
const AT_ONCE: usize = 64;

/// Those of these events that are there, in order.
pub(in crate::store) async fn at(
    db: &impl ConnectionTrait,
    keys: &Keys,
    positions: &[Position],
) -> Result<Vec<StoredEvent>, Fault> {
    let mut found = Vec::with_capacity(positions.len());
    for some in positions.chunks(AT_ONCE) {
        let size = some.len().next_power_of_two();
        let sql = TABLE.select(&format!(
            "WHERE log_id = 0 AND position IN ({}) ORDER BY position",
            places(1, size)
        ));
        // The rest of the places names nothing.
        let rest = std::iter::repeat_n(Position(0), size - some.len());
        let values = some.iter().copied().chain(rest);
        let values = values.map(|position| number(position.0));
        found.extend(all_opened(db, keys, KEY, &sql, values, |row| Ok(stored(row)?.1)).await?);
    }
    Ok(found)
}

/// Where the event at `from` is gone, so is all that came before it.
pub(in crate::store) async fn from_in_conversation(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
    from: Position,
    kinds: &[EventKind],
    limit: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.number().to_string()).collect();
    let of_kinds = if kinds.is_empty() {
        String::new()
    } else {
        format!("AND kind IN ({})", kinds.join(", "))
    };
    let sql = TABLE.select(&format!(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND sequence >= COALESCE(
            (SELECT sequence FROM event WHERE log_id = 0 AND position = $4), 0) {of_kinds}
        ORDER BY sequence LIMIT $5"
    ));
    let [tenant, account, id] = key_values(key);
    let values = [tenant, account, id, number(from.0), number(limit)];
    all_opened(db, keys, KEY, &sql, values, |row| Ok(stored(row)?.1)).await
}

/// When the first event at or after a position was recorded.
pub(crate) async fn recorded_at(
    db: &impl ConnectionTrait,
    position: Position,
) -> Result<Option<Timestamp>, Fault> {
    first(db, RECORDED_AT, [number(position.0)], |row| Ok(row.time()?)).await
}
