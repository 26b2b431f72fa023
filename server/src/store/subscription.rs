//! Tables `subscription`, `subscription_entry` and `subscription_held_back`: named subscriptions and what is unfinished
//! in them. A batch of hand-outs or acknowledgements is a few statements, however large it is.

mod core;
mod entry;
mod held_back;

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, Value};

use super::{
    fault::Fault,
    log,
    reads::SqlStore,
    row::Row,
    table::{Table, all, execute, first, number},
    transaction::SqlTransaction,
};
use crate::domain::{
    ConversationKey, EventKind, Id, Position, Result, StoredEvent, Timestamp,
    ports::{SubscriptionRead, SubscriptionWrite, Unfinished},
    subscription::{Changes, Policy, SubscriptionKey, SubscriptionRecord, WhenParked},
};

const TABLE: Table = Table {
    name: "subscription",
    key: &["tenant", "name"],
    columns: &[
        "tenant",
        "name",
        "choice",
        "ack_deadline",
        "max_attempts",
        "when_parked",
        "window_events",
        "start_position",
        "revision",
        "policy_revision",
        "created_at",
        "updated_at",
        "core",
    ],
};

static FIND: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE tenant = $1 AND name = $2"));
static OF_TENANT: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE tenant = $1 ORDER BY name"));
static ALL: LazyLock<String> = LazyLock::new(|| TABLE.select("ORDER BY tenant, name"));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
const COUNT: &str = "SELECT COUNT(*) FROM subscription WHERE tenant = $1";
const REVISION: &str = "SELECT revision FROM subscription WHERE tenant = $1 AND name = $2";
const DELETE: [&str; 3] = [
    "DELETE FROM subscription_held_back WHERE tenant = $1 AND name = $2",
    "DELETE FROM subscription_entry WHERE tenant = $1 AND name = $2",
    "DELETE FROM subscription WHERE tenant = $1 AND name = $2",
];
/// Whoever has the subscription in memory finds out by its revision.
const TOUCH_ASKED: &str = "UPDATE subscription SET revision = revision + 1
    WHERE tenant = $1 AND name IN (
        SELECT name FROM subscription_entry WHERE tenant = $1 AND request_id = $2)";

#[async_trait]
impl SubscriptionWrite for SqlTransaction {
    async fn subscription(&mut self, key: &SubscriptionKey) -> Result<Option<SubscriptionRecord>> {
        let found = find(&self.db, key).await;
        self.read(found)
    }

    async fn unfinished(&mut self, key: &SubscriptionKey) -> Result<Unfinished> {
        let found = unfinished(&self.db, key).await;
        self.read(found)
    }

    async fn count_subscriptions(&mut self, tenant: &Id) -> Result<usize> {
        let values = [tenant.as_str().into()];
        let found = first(&self.db, COUNT, values, |row| row.number("COUNT(*)")).await;
        Ok(self.read(found)?.unwrap_or(0))
    }

    async fn save_subscription(&mut self, record: &SubscriptionRecord) -> Result<()> {
        let done = save(&self.db, record).await;
        self.wrote(done)
    }

    async fn save_changes(&mut self, key: &SubscriptionKey, changes: &Changes) -> Result<()> {
        let done = save_changes(&self.db, key, changes).await;
        self.wrote(done)
    }

    async fn delete_subscription(&mut self, key: &SubscriptionKey) -> Result<()> {
        let done = delete(&self.db, key).await;
        self.wrote(done)
    }

    async fn answered(&mut self, tenant: &Id, request_id: &Id) -> Result<()> {
        let done = answered(&self.db, tenant, request_id).await;
        self.wrote(done)
    }
}

#[async_trait]
impl SubscriptionRead for SqlStore {
    async fn subscription(&self, key: &SubscriptionKey) -> Result<Option<SubscriptionRecord>> {
        let key = key.clone();
        self.read(async move |db, _| find(&db, &key).await).await
    }

    async fn subscriptions(&self, tenant: Option<&Id>) -> Result<Vec<SubscriptionRecord>> {
        let tenant = tenant.cloned();
        self.read(async move |db, _| match tenant {
            Some(tenant) => all(&db, &OF_TENANT, [tenant.as_str().into()], read).await,
            None => all(&db, &ALL, [], read).await,
        })
        .await
    }

    async fn unfinished(&self, key: &SubscriptionKey) -> Result<Unfinished> {
        let key = key.clone();
        self.read(async move |db, _| unfinished(&db, &key).await)
            .await
    }

    async fn revision(&self, key: &SubscriptionKey) -> Result<Option<u64>> {
        let values = key_values(key);
        self.read(async move |db, _| {
            first(&db, REVISION, values, |row| {
                row.number("subscription.revision")
            })
            .await
        })
        .await
    }

    async fn events_at(&self, positions: &[Position]) -> Result<Vec<StoredEvent>> {
        let positions = positions.to_vec();
        self.read(async move |db, keys| log::at(&db, &keys, &positions).await)
            .await
    }

    async fn events_from(
        &self,
        key: &ConversationKey,
        from: Position,
        kinds: &[EventKind],
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let (key, kinds) = (key.clone(), kinds.to_vec());
        self.read(async move |db, keys| {
            log::from_in_conversation(&db, &keys, &key, from, &kinds, limit).await
        })
        .await
    }

    async fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>> {
        self.read(async move |db, _| log::recorded_at(&db, position).await)
            .await
    }
}

fn key_values(key: &SubscriptionKey) -> [Value; 2] {
    [key.tenant.as_str().into(), key.name.as_str().into()]
}

async fn find(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
) -> Result<Option<SubscriptionRecord>, Fault> {
    first(db, &FIND, key_values(key), read).await
}

async fn unfinished(db: &impl ConnectionTrait, key: &SubscriptionKey) -> Result<Unfinished, Fault> {
    Ok(Unfinished {
        entries: entry::all_of(db, key).await?,
        held_back: held_back::all_of(db, key).await?,
    })
}

async fn save(db: &impl ConnectionTrait, record: &SubscriptionRecord) -> Result<(), Fault> {
    let [tenant, name] = key_values(&record.key);
    let policy = &record.policy;
    let values = [
        tenant,
        name,
        core::write_choice(&record.choice).into(),
        number(policy.ack_deadline.as_micros()),
        number(policy.max_attempts),
        number(match policy.when_parked {
            WhenParked::Release => 0,
            WhenParked::Block => 1,
        }),
        number(policy.window),
        number(record.start.0),
        number(record.revision),
        number(record.policy_revision),
        record.created_at.0.into(),
        record.updated_at.0.into(),
        core::write(&record.core).into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}

async fn save_changes(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
    changes: &Changes,
) -> Result<(), Fault> {
    entry::remove(db, key, &changes.removed).await?;
    entry::save(db, key, &changes.entries).await?;
    held_back::remove(db, key, &changes.let_go).await?;
    held_back::save(db, key, &changes.held_back).await
}

async fn delete(db: &impl ConnectionTrait, key: &SubscriptionKey) -> Result<(), Fault> {
    for sql in DELETE {
        execute(db, sql, key_values(key)).await?;
    }
    Ok(())
}

async fn answered(db: &impl ConnectionTrait, tenant: &Id, request_id: &Id) -> Result<(), Fault> {
    if entry::answered(db, tenant, request_id).await? > 0 {
        let values = [tenant.as_str().into(), request_id.as_str().into()];
        execute(db, TOUCH_ASKED, values).await?;
    }
    Ok(())
}

fn read(row: &mut Row<'_>) -> Result<SubscriptionRecord, Fault> {
    let key = SubscriptionKey {
        tenant: row.id()?,
        name: row.id()?,
    };
    let choice = core::read_choice(&row.text()?)?;
    let policy = Policy {
        ack_deadline: Duration::from_micros(row.number("subscription.ack_deadline")?),
        max_attempts: row.number("subscription.max_attempts")?,
        when_parked: row.code("subscription.when_parked", |code| match code {
            0 => Some(WhenParked::Release),
            1 => Some(WhenParked::Block),
            _ => None,
        })?,
        window: row.number("subscription.window_events")?,
    };
    Ok(SubscriptionRecord {
        key,
        choice,
        policy,
        start: Position(row.number("subscription.start_position")?),
        revision: row.number("subscription.revision")?,
        policy_revision: row.number("subscription.policy_revision")?,
        created_at: row.time()?,
        updated_at: row.time()?,
        core: core::read(&row.text()?)?,
    })
}

/// A list in pieces of 1, 2, 4 ... 128, so that there are few statements and each is prepared once.
fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1 << rest.len().checked_ilog2()?.min(7);
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}
