//! The database as one replica reaches it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{
    database::{self, Database},
    life::Life,
    transaction::Open,
    world::World,
};
use crate::{
    domain::{
        Clock, Conversation, ConversationKey, Delivery, DeliveryState, Erasure, Error, Event, Id,
        KnownContact, LaneKey, Position, Request, Result, StoredEvent, Timestamp, UpstreamErasure,
        ports::{OpenTransaction, SealedStore, Store},
        query::{ContactQuery, ConversationQuery, EventQuery},
    },
    store::StoreClock,
};

/// What cursors of this database say.
pub(super) const EPOCH: u64 = 4711;
/// For so long at least does nobody ask again who was refused.
const PATIENCE: Duration = Duration::from_millis(100);

pub(super) struct Reached {
    pub world: Arc<World>,
    pub life: Arc<Life>,
    pub clock: Arc<StoreClock>,
    /// When what is handed out again could not be read the last time.
    pub refused_at: Mutex<Option<Duration>>,
}

impl std::fmt::Debug for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reached").finish_non_exhaustive()
    }
}

impl Reached {
    /// The way there. What cannot be reached is given up after a while.
    async fn go(&self, what: &'static str) -> Result<()> {
        self.world.way().await;
        self.life.goes_on().await;
        self.world.note(what, self.life.number, 0);
        if self.life.is_cut_off() {
            let span = self.world.chance.millis(0..3000);
            self.world.turns.after(span).await;
            self.life.goes_on().await;
            return Err(Error::StoreUnavailable);
        }
        if self.world.chance.percent(self.world.plan.reads_failing) {
            return Err(Error::StoreUnavailable);
        }
        Ok(())
    }

    /// Reads, and comes back: what was read may be old by then.
    pub(super) async fn read<T>(
        &self,
        what: &'static str,
        read: impl FnOnce(&Database) -> T,
    ) -> Result<T> {
        self.go(what).await?;
        let found = read(&self.world.database());
        if self.world.chance.percent(25) {
            self.world.way().await;
        }
        self.life.goes_on().await;
        Ok(found)
    }
}

impl Reached {
    /// Whoever was refused waits before asking again.
    pub(super) fn asks_for_bodies(&self) {
        let now = self.world.turns.now();
        let refused_at = *self
            .refused_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if refused_at.is_some_and(|at| now < at + PATIENCE) {
            let number = self.life.number;
            let wrong = format!("replica {number} does not wait before it reads bodies again");
            self.world.wrong(wrong);
        }
    }

    pub(super) fn was_refused(&self) {
        let mut refused_at = self
            .refused_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *refused_at = Some(self.world.turns.now());
    }
}

impl SealedStore for Reached {}

#[async_trait]
impl Store for Reached {
    fn epoch(&self) -> u64 {
        EPOCH
    }

    async fn begin(&self) -> Result<Box<dyn OpenTransaction>> {
        self.go("begin").await?;
        let taken = database::take_head(&self.world, &self.life).await;
        let number = taken.map_err(|_| Error::StoreUnavailable)?;
        let now = self.world.now();
        let open = Open::begin(Arc::clone(&self.world), Arc::clone(&self.life), number, now);
        self.life.goes_on().await;
        self.clock.told(now);
        Ok(Box::new(open))
    }

    async fn bounds(&self) -> Result<(Position, Position)> {
        self.read("bounds", |database| (Position(1), database.newest()))
            .await
    }

    async fn page(&self, after: Position, limit: usize, _: usize) -> Result<Vec<StoredEvent>> {
        self.read("page", |database| {
            let page = database.page(after, limit).into_iter();
            page.map(|kept| kept.stored).collect()
        })
        .await
    }

    async fn tail(
        &self,
        after: Position,
        limit: usize,
        _: usize,
    ) -> Result<Vec<(StoredEvent, Arc<Event>)>> {
        self.read("tail", |database| {
            let page = database.page(after, limit).into_iter();
            page.map(|kept| (kept.stored, kept.fact)).collect()
        })
        .await
    }

    async fn position_before(&self, time: Timestamp) -> Result<Position> {
        self.read("position before", |database| {
            let before = database.log.values();
            let before = before.take_while(|kept| kept.fact.recorded_at < time);
            Position(before.last().map_or(0, |kept| kept.stored.position.0))
        })
        .await
    }

    async fn position_of(&self, key: &ConversationKey, sequence: u64) -> Result<Option<Position>> {
        self.read("position of", |database| {
            let kept = database.event(key, sequence);
            kept.map(|kept| kept.stored.position)
        })
        .await
    }

    async fn position_of_event(&self, _: &str) -> Result<Option<Position>> {
        Ok(None)
    }

    async fn conversation(&self, key: &ConversationKey) -> Result<Option<Conversation>> {
        self.read("conversation", |database| {
            database.rows.conversations.get(key).cloned()
        })
        .await
    }

    async fn conversations(&self, _: &ConversationQuery) -> Result<Vec<Conversation>> {
        Ok(Vec::new())
    }

    async fn open_requests(&self, _: &ConversationKey) -> Result<Vec<Request>> {
        Ok(Vec::new())
    }

    async fn delivery(&self, id: &Id) -> Result<Option<Delivery>> {
        self.read("delivery", |database| {
            database.rows.deliveries.get(id).cloned()
        })
        .await
    }

    async fn events(&self, _: &EventQuery) -> Result<Vec<(u64, StoredEvent)>> {
        Ok(Vec::new())
    }

    async fn first_sequence(&self, _: &ConversationKey) -> Result<u64> {
        Ok(1)
    }

    async fn busy_lanes(&self) -> Result<Vec<LaneKey>> {
        self.read("busy lanes", |database| {
            lanes(database, |delivery| !delivery.state.is_final())
        })
        .await
    }

    async fn idle_lanes(
        &self,
        span: Duration,
        after: Option<&LaneKey>,
        limit: usize,
    ) -> Result<Vec<LaneKey>> {
        let before = self.clock.now() - span;
        let idle = self.read("idle lanes", |database| {
            let busy = lanes(database, |delivery| {
                delivery.state == DeliveryState::Attempting
            });
            let mut idle = lanes(database, |delivery| {
                delivery.state == DeliveryState::Queued
                    && delivery.queued_at <= before
                    && delivery.not_before <= before
            });
            idle.retain(|lane| !busy.contains(lane) && after.is_none_or(|after| lane > after));
            idle
        });
        let mut idle = idle.await?;
        idle.truncate(limit);
        Ok(idle)
    }

    async fn contacts(&self, _: &ContactQuery) -> Result<Vec<KnownContact>> {
        Ok(Vec::new())
    }

    async fn erasure(&self, _: &Id, _: &Id) -> Result<Option<Erasure>> {
        Ok(None)
    }

    async fn unfinished_erasures(&self, _: usize) -> Result<Vec<(Id, Id)>> {
        Ok(Vec::new())
    }

    async fn due_upstream_erasures(&self, _: Timestamp, _: usize) -> Result<Vec<UpstreamErasure>> {
        Ok(Vec::new())
    }

    async fn next_upstream_erasure(&self, _: Timestamp) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    async fn purge(&self) -> Result<()> {
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// Lanes of which some row is picked, each once, in the order of their names.
fn lanes(database: &Database, pick: impl Fn(&Delivery) -> bool) -> Vec<LaneKey> {
    let picked = database.rows.deliveries.values().filter(|it| pick(it));
    let mut lanes: Vec<_> = picked.map(Delivery::lane).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}
