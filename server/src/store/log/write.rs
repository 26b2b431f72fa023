//! Adding events: positions from the head, rows many at a time.

use std::{
    array,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use sea_orm::{ConnectionTrait, Value};

use super::{LOG, TABLE, columns::place};
use crate::{
    domain::{Event, Position, StoredEvent, Timestamp},
    keys::DataKey,
    store::{
        fault::Fault,
        table::{execute, first, number},
    },
    wire::{body, envelope::Envelope},
};

/// Rows come in groups of 1, 2, 4 ... 256, so that there are few statements and each is prepared once.
static INSERT: LazyLock<[String; 9]> =
    LazyLock::new(|| array::from_fn(|power| TABLE.insert(1 << power)));

const ADVANCE: &str = "UPDATE log_head SET position = $1, recorded_at = $2 WHERE log_id = 0";
const KEY_DESTROYED: &str =
    "UPDATE log_head SET keys_destroyed = keys_destroyed + 1 WHERE log_id = 0
    RETURNING keys_destroyed";

/// Moves the head to the last event of a transaction: its last write but the events themselves.
pub(crate) async fn advance(
    db: &impl ConnectionTrait,
    position: Position,
    recorded_at: Timestamp,
) -> Result<(), Fault> {
    let values = [number(position.0), recorded_at.0.into()];
    match execute(db, ADVANCE, values).await? {
        1 => Ok(()),
        _ => Err(Fault::Nonsense("log_head")),
    }
}

/// Counts a key as destroyed, for all replicas to see. Answers how many were, ever.
pub(crate) async fn key_destroyed(db: &impl ConnectionTrait) -> Result<u64, Fault> {
    let count = first(db, KEY_DESTROYED, [], |row| {
        row.number("log_head.keys_destroyed")
    });
    count.await?.ok_or(Fault::Nonsense("log_head"))
}

/// Adds the rows, each body sealed under its key. What comes back is what subscribers are sent.
pub(in crate::store) async fn insert(
    db: &impl ConnectionTrait,
    events: &[(Arc<Event>, Arc<DataKey>)],
) -> Result<Vec<StoredEvent>, Fault> {
    let mut stored = Vec::with_capacity(events.len());
    let mut rest = events;
    while !rest.is_empty() {
        let power = INSERT.len().min(rest.len().ilog2() as usize + 1) - 1;
        let (group, after) = rest.split_at(1 << power);
        let mut values = Vec::with_capacity(group.len() * TABLE.columns.len());
        for (event, key) in group {
            let (event, row) = encode(event, key);
            stored.push(event);
            values.extend(row);
        }
        execute(db, &INSERT[power], values).await?;
        rest = after;
    }
    Ok(stored)
}

fn encode(event: &Event, data_key: &DataKey) -> (StoredEvent, [Value; 16]) {
    let fact = &event.fact;
    let key = fact.key.as_ref();
    let body = body::encode(&fact.body);
    let bytes: Bytes = Envelope::of(event).with_body(&body);
    let sealed = data_key.seal(place(&event.position.0.to_string()), &body);
    let row = [
        LOG.into(),
        number(event.position.0),
        fact.event_id.as_str().into(),
        fact.tenant.as_str().into(),
        key.map(|key| key.account.as_str()).into(),
        fact.agent.as_str().into(),
        key.map(|key| key.id.as_str()).into(),
        number(fact.session),
        number(fact.sequence),
        number(fact.owner_epoch),
        fact.superseded.into(),
        number(fact.body.kind().number()),
        event.recorded_at.0.into(),
        fact.traceparent.as_str().into(),
        data_key.id().into(),
        sealed.into(),
    ];
    let stored = StoredEvent {
        position: event.position,
        tenant: fact.tenant.clone(),
        agent: fact.agent.clone(),
        account: key.map(|key| key.account.clone()),
        conversation_id: key.map(|key| key.id.clone()),
        kind: fact.body.kind(),
        bytes,
    };
    (stored, row)
}
