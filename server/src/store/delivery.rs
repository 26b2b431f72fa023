//! Table `delivery`: the lanes to the agents.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

use super::{
    conversation::key_values,
    fault::Fault,
    row::Row,
    table::{Table, all, execute, first, number},
};
use crate::{
    domain::{
        ConversationKey, Delivery, DeliveryKind, DeliveryState, Id, Reason, Subject, Timestamp,
    },
    wire::enums::{delivery_state, read_delivery_state},
};

const TABLE: Table = Table {
    name: "delivery",
    key: &["id"],
    columns: &[
        "id",
        "tenant",
        "account",
        "conversation_id",
        "agent",
        "kind",
        "subject_kind",
        "subject",
        "lane_order",
        "sequence",
        "state",
        "reason",
        "detail",
        "attempt",
        "session",
        "new_session",
        "owner_epoch",
        "queued_at",
        "not_before",
        "finished_at",
    ],
};

static ADD: LazyLock<String> = LazyLock::new(|| TABLE.insert(1));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static FIND: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE id = $1"));
static HEAD: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND finished_at IS NULL
            ORDER BY lane_order LIMIT 1",
    )
});
/// Kinds 1 and 2 are starts and messages.
static NEXT_OPENING: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND finished_at IS NULL
            AND kind IN (1, 2) AND lane_order > $4
            ORDER BY lane_order LIMIT 1",
    )
});
static ATTEMPTING: LazyLock<String> = LazyLock::new(|| {
    TABLE.select("WHERE state = $1 AND finished_at IS NULL ORDER BY queued_at, id LIMIT $2")
});
/// Final rows are forgotten after a time, so the conversation, which is not, has a say: orders never come twice as far
/// as an end can tell.
const LAST_ORDER: &str = "SELECT MAX(lane_order) FROM (
    SELECT lane_order FROM delivery
        WHERE tenant = $1 AND account = $2 AND conversation_id = $3
    UNION ALL
    SELECT ended_order FROM conversation
        WHERE tenant = $1 AND account = $2 AND conversation_id = $3
) AS orders";
const WAITING: &str = "SELECT COUNT(*) FROM delivery WHERE agent = $1 AND finished_at IS NULL";
const BUSY_LANES: &str =
    "SELECT DISTINCT tenant, account, conversation_id FROM delivery WHERE finished_at IS NULL";

pub(super) async fn add(
    db: &impl ConnectionTrait,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Fault> {
    execute(db, &ADD, values(delivery, now)).await?;
    Ok(())
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Fault> {
    execute(db, &SAVE, values(delivery, now)).await?;
    Ok(())
}

pub(super) async fn find(db: &impl ConnectionTrait, id: &Id) -> Result<Option<Delivery>, Fault> {
    first(db, &FIND, [id.as_str().into()], read).await
}

pub(super) async fn lane_head(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
) -> Result<Option<Delivery>, Fault> {
    first(db, &HEAD, key_values(key), read).await
}

pub(super) async fn next_opening(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
    order: u64,
) -> Result<Option<Delivery>, Fault> {
    let mut values = key_values(key).to_vec();
    values.push(number(order));
    first(db, &NEXT_OPENING, values, read).await
}

pub(super) async fn next_order(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
) -> Result<u64, Fault> {
    let last = first(db, LAST_ORDER, key_values(key), |row| {
        row.maybe_number("delivery.lane_order")
    });
    let last: Option<u64> = last.await?.flatten();
    Ok(last.unwrap_or(0) + 1)
}

pub(super) async fn waiting(db: &impl ConnectionTrait, agent: &Id) -> Result<usize, Fault> {
    let count = first(db, WAITING, [agent.as_str().into()], |row| {
        row.number("COUNT(delivery)")
    });
    Ok(count.await?.unwrap_or(0))
}

pub(super) async fn attempting(
    db: &impl ConnectionTrait,
    limit: usize,
) -> Result<Vec<Delivery>, Fault> {
    let state = delivery_state(DeliveryState::Attempting) as i32;
    all(db, &ATTEMPTING, [number(state), number(limit)], read).await
}

pub(super) async fn busy_lanes(db: &impl ConnectionTrait) -> Result<Vec<ConversationKey>, Fault> {
    all(db, BUSY_LANES, [], |row| Ok(row.key()?)).await
}

fn values(delivery: &Delivery, now: Timestamp) -> Vec<Value> {
    let (subject_kind, subject) = match &delivery.subject {
        Subject::Message(id) => (1, id),
        Subject::Command(id) => (2, id),
        Subject::Request(id) => (3, id),
    };
    let finished_at = delivery.state.is_final().then_some(now.0);
    let mut values = Vec::with_capacity(TABLE.columns.len());
    values.push(delivery.id.as_str().into());
    values.extend(key_values(&delivery.key));
    values.extend([
        delivery.agent.as_str().into(),
        number(kind_number(delivery.kind)),
        number(subject_kind),
        subject.as_str().into(),
        number(delivery.order),
        number(delivery.sequence),
        number(delivery_state(delivery.state) as i32),
        delivery.reason.map(Reason::as_str).into(),
        delivery.detail.as_str().into(),
        number(delivery.attempt),
        number(delivery.session),
        delivery.new_session.into(),
        number(delivery.owner_epoch),
        delivery.queued_at.0.into(),
        delivery.not_before.0.into(),
        finished_at.into(),
    ]);
    values
}

fn read(row: &mut Row<'_>) -> Result<Delivery, Fault> {
    Ok(Delivery {
        id: row.id()?,
        key: row.key()?,
        agent: row.id()?,
        kind: row.code("delivery.kind", kind)?,
        subject: row.code("delivery.subject_kind", subject)?(row.text()?),
        order: row.number("delivery.lane_order")?,
        sequence: row.number("delivery.sequence")?,
        state: row.code("delivery.state", read_delivery_state)?,
        reason: reason(row.maybe_text()?)?,
        detail: row.text()?,
        attempt: row.number("delivery.attempt")?,
        session: row.number("delivery.session")?,
        new_session: row.flag()?,
        owner_epoch: row.number("delivery.owner_epoch")?,
        queued_at: row.time()?,
        not_before: row.time()?,
    })
}

fn kind_number(kind: DeliveryKind) -> i32 {
    match kind {
        DeliveryKind::Start => 1,
        DeliveryKind::Message => 2,
        DeliveryKind::Parameters => 3,
        DeliveryKind::End => 4,
    }
}

fn kind(number: i32) -> Option<DeliveryKind> {
    match number {
        1 => Some(DeliveryKind::Start),
        2 => Some(DeliveryKind::Message),
        3 => Some(DeliveryKind::Parameters),
        4 => Some(DeliveryKind::End),
        _ => None,
    }
}

fn subject(number: i32) -> Option<fn(String) -> Subject> {
    match number {
        1 => Some(Subject::Message),
        2 => Some(Subject::Command),
        3 => Some(Subject::Request),
        _ => None,
    }
}

fn reason(text: Option<String>) -> Result<Option<Reason>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let reason = Reason::parse(&text).ok_or(Fault::Nonsense("delivery.reason"))?;
    Ok(Some(reason))
}
