//! Table `upstream_erasure`: what platforms are asked to erase.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    conversation::key_values,
    delivery::reason,
    fault::Fault,
    row::Row,
    table::{Table, all, execute, first, number},
};
use crate::{
    domain::{Reason, Timestamp, UpstreamErasure},
    wire::enums::{read_upstream_state, upstream_state},
};

const TABLE: Table = Table {
    name: "upstream_erasure",
    key: &["id"],
    columns: &[
        "id",
        "receipt_id",
        "tenant",
        "account",
        "conversation_id",
        "agent",
        "internal_id",
        "state",
        "reason",
        "attempts",
        "requested_at",
        "not_before",
        "ended_at",
    ],
};

static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static OF_RECEIPT: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE receipt_id = $1 ORDER BY conversation_id, id"));
static DUE: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE id IN (SELECT id FROM (
            SELECT id, ROW_NUMBER() OVER (PARTITION BY agent ORDER BY not_before, id) AS place
                FROM upstream_erasure WHERE ended_at IS NULL AND not_before <= $1
        ) AS due WHERE place = 1) ORDER BY not_before, id LIMIT $2",
    )
});
const NEXT: &str =
    "SELECT MIN(not_before) FROM upstream_erasure WHERE ended_at IS NULL AND not_before > $1";

pub(super) async fn save(
    db: &impl ConnectionTrait,
    erasure: &UpstreamErasure,
) -> Result<(), Fault> {
    let [tenant, account, conversation] = key_values(&erasure.key);
    let values = [
        erasure.id.as_str().into(),
        erasure.receipt_id.as_str().into(),
        tenant,
        account,
        conversation,
        erasure.agent.as_str().into(),
        erasure.internal_id.as_deref().into(),
        number(upstream_state(erasure.state) as i32),
        erasure.reason.map(Reason::as_str).into(),
        number(erasure.attempts),
        erasure.requested_at.0.into(),
        erasure.not_before.0.into(),
        erasure.ended_at.map(|time| time.0).into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}

pub(super) async fn of_receipt(
    db: &impl ConnectionTrait,
    receipt: &str,
) -> Result<Vec<UpstreamErasure>, Fault> {
    all(db, &OF_RECEIPT, [receipt.into()], read).await
}

pub(super) async fn due(
    db: &impl ConnectionTrait,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<UpstreamErasure>, Fault> {
    all(db, &DUE, [now.0.into(), number(limit)], read).await
}

pub(super) async fn next(
    db: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let next = first(db, NEXT, [now.0.into()], |row| Ok(row.maybe_time()?));
    Ok(next.await?.flatten())
}

fn read(row: &mut Row<'_>) -> Result<UpstreamErasure, Fault> {
    Ok(UpstreamErasure {
        id: row.id()?,
        receipt_id: row.id()?,
        key: row.key()?,
        agent: row.id()?,
        internal_id: row.maybe_text()?,
        state: row.code("upstream_erasure.state", read_upstream_state)?,
        reason: reason(row.maybe_text()?)?,
        attempts: row.number("upstream_erasure.attempts")?,
        requested_at: row.time()?,
        not_before: row.time()?,
        ended_at: row.maybe_time()?,
    })
}
