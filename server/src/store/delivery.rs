//! Table `delivery`: the lanes to agents and sources.

mod codes;
mod lanes;

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

#[cfg(test)]
pub(super) use lanes::IDLE_LANES;
pub(super) use lanes::{busy_lanes, idle_lanes};

use codes::{direction, direction_number, kind, kind_number, subject};

use super::{
    conversation::key_values,
    data_key,
    fault::Fault,
    row::Row,
    sealing::{Keys, PLAIN},
    table::{Table, all_opened, execute, first, first_opened, number},
};
use crate::{
    domain::{
        ConversationKey, Delivery, DeliveryState, Direction, Id, LaneKey, Reason, Subject,
        Timestamp,
    },
    keys::Place,
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
        "direction",
        "part",
        "unclear",
        "read_back_since",
        "remote_id",
        "attempted_at",
        "awaits_owner",
        "detail_key_id",
        "sealed_detail",
    ],
};

/// Which key the detail is sealed under.
const KEY: &str = "detail_key_id";

static ADD: LazyLock<String> = LazyLock::new(|| TABLE.insert(1));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static FIND: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE id = $1"));
static HEAD: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND finished_at IS NULL
            AND direction = $4 ORDER BY lane_order LIMIT 1",
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
static UNFINISHED: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND finished_at IS NULL
            ORDER BY lane_order",
    )
});
pub(super) static ATTEMPTING: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE state = $1 AND finished_at IS NULL AND attempted_at <= $2 AND (queued_at, id) > ($3, $4)
            ORDER BY queued_at, id LIMIT $5",
    )
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
const WAITING: &str = "SELECT COUNT(*) FROM delivery
    WHERE agent = $1 AND finished_at IS NULL AND direction = 0";
/// Kinds 7 and 8 are handovers.
static HANDOVER: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND finished_at IS NULL
            AND direction = 1 AND kind IN (7, 8) ORDER BY lane_order",
    )
});
static REMOTE: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE remote_id = $1 AND remote_id <> '' AND tenant = $2 ORDER BY lane_order DESC LIMIT 1",
    )
});

pub(super) async fn add(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Fault> {
    let detail = sealed_detail(db, keys, delivery, now).await?;
    execute(db, &ADD, values(delivery, detail, now)).await?;
    Ok(())
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Fault> {
    let detail = sealed_detail(db, keys, delivery, now).await?;
    execute(db, &SAVE, values(delivery, detail, now)).await?;
    Ok(())
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    keys: &Keys,
    id: &Id,
) -> Result<Option<Delivery>, Fault> {
    first_opened(db, keys, KEY, &FIND, [id.as_str().into()], read).await
}

pub(super) async fn lane_head(
    db: &impl ConnectionTrait,
    keys: &Keys,
    lane: &LaneKey,
) -> Result<Option<Delivery>, Fault> {
    let mut values = key_values(&lane.conversation).to_vec();
    values.push(number(direction_number(lane.direction)));
    first_opened(db, keys, KEY, &HEAD, values, read).await
}

/// The handovers and returns of a conversation that are not final.
pub(super) async fn waiting_handovers(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
) -> Result<Vec<Delivery>, Fault> {
    all_opened(db, keys, KEY, &HANDOVER, key_values(key), read).await
}

/// Those of a conversation that are not final, both directions.
pub(super) async fn unfinished(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
) -> Result<Vec<Delivery>, Fault> {
    all_opened(db, keys, KEY, &UNFINISHED, key_values(key), read).await
}

/// What the other side knows by this id, of one tenant: another's systems may give the same ids.
pub(super) async fn remote(
    db: &impl ConnectionTrait,
    keys: &Keys,
    tenant: &str,
    remote_id: &str,
) -> Result<Option<Delivery>, Fault> {
    let values = [remote_id.into(), tenant.into()];
    first_opened(db, keys, KEY, &REMOTE, values, read).await
}

pub(super) async fn next_opening(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
    order: u64,
) -> Result<Option<Delivery>, Fault> {
    let mut values = key_values(key).to_vec();
    values.push(number(order));
    first_opened(db, keys, KEY, &NEXT_OPENING, values, read).await
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
    keys: &Keys,
    before: Timestamp,
    after: Option<&(Timestamp, Id)>,
    limit: usize,
) -> Result<Vec<Delivery>, Fault> {
    let state = delivery_state(DeliveryState::Attempting) as i32;
    let (queued_at, id) = after.map_or((i64::MIN, ""), |(time, id)| (time.0, id.as_str()));
    let values = [
        number(state),
        before.0.into(),
        queued_at.into(),
        id.into(),
        number(limit),
    ];
    all_opened(db, keys, KEY, &ATTEMPTING, values, read).await
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row,
        column: "detail",
    }
}

/// The key's id and the sealed detail: what a platform said may repeat what a visitor said.
async fn sealed_detail(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(i64, Option<Vec<u8>>), Fault> {
    if delivery.detail.is_empty() {
        return Ok((PLAIN, None));
    }
    let owner = data_key::Owner::Conversation(delivery.key.clone());
    let data_key = keys.sealing(db, &owner, now).await?;
    let sealed = data_key.seal(place(delivery.id.as_str()), delivery.detail.as_bytes());
    Ok((data_key.id(), Some(sealed)))
}

fn values(
    delivery: &Delivery,
    (key_id, detail): (i64, Option<Vec<u8>>),
    now: Timestamp,
) -> Vec<Value> {
    let (subject_kind, subject) = match &delivery.subject {
        Subject::Message(id) => (1, id),
        Subject::Command(id) => (2, id),
        Subject::Request(id) => (3, id),
        Subject::Event(id) => (4, id),
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
        "".into(),
        number(delivery.attempt),
        number(delivery.session),
        delivery.new_session.into(),
        number(delivery.owner_epoch),
        delivery.queued_at.0.into(),
        delivery.not_before.0.into(),
        finished_at.into(),
        number(direction_number(delivery.direction)),
        number(delivery.part),
        delivery.unclear.into(),
        delivery.read_back_since.map(|time| time.0).into(),
        delivery.remote_id.as_str().into(),
        delivery.attempted_at.0.into(),
        delivery.awaits_owner.into(),
        key_id.into(),
        detail.into(),
    ]);
    values
}

fn read(row: &mut Row<'_>) -> Result<Delivery, Fault> {
    let mut delivery = Delivery {
        id: row.id()?,
        key: row.key()?,
        agent: row.id()?,
        direction: Direction::Agent,
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
        part: 0,
        unclear: false,
        read_back_since: None,
        remote_id: String::new(),
        attempted_at: Timestamp::default(),
        awaits_owner: false,
    };
    // What stands behind it in the row.
    let _finished_at = row.maybe_time()?;
    delivery.direction = row.code("delivery.direction", direction)?;
    delivery.part = row.number("delivery.part")?;
    delivery.unclear = row.flag()?;
    delivery.read_back_since = row.maybe_time()?;
    delivery.remote_id = row.text()?;
    delivery.attempted_at = row.time()?;
    delivery.awaits_owner = row.flag()?;
    delivery.detail = row.opened_text(
        std::mem::take(&mut delivery.detail),
        place(delivery.id.as_str()),
        "delivery.detail",
    )?;
    Ok(delivery)
}

pub(super) fn reason(text: Option<String>) -> Result<Option<Reason>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let reason = Reason::parse(&text).ok_or(Fault::Nonsense("delivery.reason"))?;
    Ok(Some(reason))
}
