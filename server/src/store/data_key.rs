//! Table `data_key`: the wrapped keys of conversations, and of tenants for what belongs to none.

use std::{collections::BTreeMap, sync::LazyLock};

use sea_orm::{ConnectionTrait, Value};

use super::{
    conversation::key_values,
    fault::Fault,
    row::Row,
    table::{Table, all, execute, first, number},
};
use crate::{
    domain::{ConversationKey, Id, NewEvent, Timestamp},
    keys::{DataKey, KeyRing, Place},
};

const TABLE: Table = Table {
    name: "data_key",
    key: &["id"],
    columns: &[
        "id",
        "tenant",
        "account",
        "conversation_id",
        "master_id",
        "wrapped",
        "created_at",
    ],
};

/// Keys that are asked for at once. Statements are prepared by their text, so there are few numbers of places.
const AT_ONCE: usize = 128;

static ADD: LazyLock<String> = LazyLock::new(|| TABLE.insert(1));
const OF_CONVERSATION: &str = "SELECT id, master_id, wrapped FROM data_key
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3";
const OF_TENANT: &str = "SELECT id, master_id, wrapped FROM data_key
    WHERE tenant = $1 AND account IS NULL AND conversation_id IS NULL ORDER BY id LIMIT 1";
const REMOVE: &str =
    "DELETE FROM data_key WHERE tenant = $1 AND account = $2 AND conversation_id = $3";
const UNDER_ANOTHER: &str =
    "SELECT id, master_id, wrapped FROM data_key WHERE master_id <> $1 LIMIT $2";
const REWRAP: &str = "UPDATE data_key SET master_id = $1, wrapped = $2 WHERE id = $3";
const BY_MASTER: &str = "SELECT master_id, COUNT(*) FROM data_key GROUP BY master_id";
const SAMPLE: &str = "SELECT id, master_id, wrapped FROM data_key WHERE master_id = $1 LIMIT 1";

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Conversation(ConversationKey),
    /// For what belongs to no conversation.
    Tenant(Id),
}

impl Owner {
    pub(super) fn of(event: &NewEvent) -> Self {
        match &event.key {
            Some(key) => Self::Conversation(key.clone()),
            None => Self::Tenant(event.tenant.clone()),
        }
    }

    fn values(&self) -> [Value; 3] {
        match self {
            Self::Conversation(key) => key_values(key),
            Self::Tenant(tenant) => [
                tenant.as_str().into(),
                Value::String(None),
                Value::String(None),
            ],
        }
    }
}

/// A key as it stands in its row.
pub(super) struct Wrapped {
    pub(super) id: i64,
    master_id: String,
    bytes: Vec<u8>,
}

impl Wrapped {
    pub(super) fn unwrap_by(&self, ring: &KeyRing) -> Result<DataKey, Fault> {
        let row = self.id.to_string();
        let bytes = ring.open(&self.master_id, place(&row), &self.bytes)?;
        DataKey::from_bytes(self.id, &bytes).map_err(|_| Fault::Nonsense("data_key.wrapped"))
    }

    fn read(row: &mut Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: row.number("data_key.id")?,
            master_id: row.text()?,
            bytes: row.bytes()?,
        })
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row,
        column: "wrapped",
    }
}

/// A fresh key in a row of its own.
pub(super) async fn add(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    owner: &Owner,
    now: Timestamp,
) -> Result<DataKey, Fault> {
    let (key, bytes) = DataKey::generate();
    let wrapped = ring.seal(place(&key.id().to_string()), &*bytes);
    let [tenant, account, conversation] = owner.values();
    let values = [
        key.id().into(),
        tenant,
        account,
        conversation,
        wrapped.master_id.as_str().into(),
        wrapped.bytes.into(),
        now.0.into(),
    ];
    execute(db, &ADD, values).await?;
    Ok(key)
}

pub(super) async fn of(db: &impl ConnectionTrait, owner: &Owner) -> Result<Option<Wrapped>, Fault> {
    match owner {
        Owner::Conversation(key) => {
            first(db, OF_CONVERSATION, key_values(key), Wrapped::read).await
        }
        Owner::Tenant(tenant) => {
            first(db, OF_TENANT, [tenant.as_str().into()], Wrapped::read).await
        }
    }
}

/// Those that are still there.
pub(super) async fn with_ids(
    db: &impl ConnectionTrait,
    ids: &[i64],
) -> Result<Vec<Wrapped>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let places = ids.len().next_power_of_two();
        let numbered: Vec<_> = (1..=places).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT id, master_id, wrapped FROM data_key WHERE id IN ({})",
            numbered.join(", ")
        );
        // The places that are left over are filled with an id that is there already.
        let values = (0..places).map(|place| ids[place.min(ids.len() - 1)].into());
        found.extend(all(db, &sql, values, Wrapped::read).await?);
    }
    Ok(found)
}

pub(super) async fn remove(db: &impl ConnectionTrait, key: &ConversationKey) -> Result<(), Fault> {
    execute(db, REMOVE, key_values(key)).await?;
    Ok(())
}

/// Seals keys anew that are not under the first master key.
pub(super) async fn rewrap(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    limit: usize,
) -> Result<usize, Fault> {
    let sealing = ring.sealing().as_str();
    let old = all(
        db,
        UNDER_ANOTHER,
        [sealing.into(), number(limit)],
        Wrapped::read,
    );
    let old = old.await?;
    for wrapped in &old {
        let row = wrapped.id.to_string();
        let bytes = ring.open(&wrapped.master_id, place(&row), &wrapped.bytes)?;
        let anew = ring.seal(place(&row), &bytes);
        let values = [
            anew.master_id.as_str().into(),
            anew.bytes.into(),
            wrapped.id.into(),
        ];
        execute(db, REWRAP, values).await?;
    }
    Ok(old.len())
}

/// How many are under each master key.
pub(super) async fn by_master(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>, Fault> {
    let counts = all(db, BY_MASTER, [], |row| {
        Ok((row.text()?, row.number("COUNT(data_key)")?))
    });
    Ok(counts.await?.into_iter().collect())
}

/// Whether the ring opens what is under this master key.
pub(super) async fn try_one(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    master_id: &str,
) -> Result<(), Fault> {
    let sample = first(db, SAMPLE, [master_id.into()], Wrapped::read);
    if let Some(wrapped) = sample.await? {
        wrapped.unwrap_by(ring)?;
    }
    Ok(())
}
