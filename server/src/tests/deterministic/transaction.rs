//! A transaction: what it writes is its own until it is committed, all at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use super::{
    database::{Database, Kept},
    groups::{self, Group},
    lanes,
    life::Life,
    plan::Bug,
    world::World,
};
use crate::{
    domain::{
        Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState, Erasure, Error,
        Event, Fingerprint, Id, KnownContact, LaneKey, NewEvent, Position, Request, Result,
        StoredEvent, Timestamp, UpstreamErasure,
        ports::{
            Batch, Command, CommandKey, Effect, Mark, OpenTransaction, Sealing, SubscriptionWrite,
            Transaction,
        },
        subscription::SubscriptionKey,
    },
    wire::{body, envelope::Envelope},
};

/// How long a commit whose end is unknown is asked after.
const ASKED_FOR: Duration = Duration::from_secs(30);

/// Rows that are written and not committed.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub conversations: BTreeMap<ConversationKey, Conversation>,
    pub deliveries: BTreeMap<Id, Delivery>,
    pub commands: HashMap<CommandKey, Command>,
    pub upstream: BTreeMap<(Id, String), (ConversationKey, u64)>,
    pub groups: BTreeMap<SubscriptionKey, Group>,
}

pub(super) struct Open {
    pub world: Arc<World>,
    pub life: Arc<Life>,
    pub number: u64,
    pub now: Timestamp,
    pub written: Written,
    head: Position,
    recorded_at: Timestamp,
    events: Vec<Arc<Event>>,
    effects: Vec<Effect>,
    unit_begins: usize,
    writes: u64,
    spoilt: Option<Error>,
    stored: Vec<StoredEvent>,
    is_over: bool,
}

impl Open {
    pub(super) fn begin(world: Arc<World>, life: Arc<Life>, number: u64, now: Timestamp) -> Self {
        let (head, recorded_at) = {
            let database = world.database();
            let last = database.log.last_key_value();
            let recorded_at = last.map_or(Timestamp(0), |(_, kept)| kept.fact.recorded_at);
            (database.newest(), recorded_at)
        };
        Self {
            world,
            life,
            number,
            now,
            written: Written::default(),
            head,
            recorded_at,
            events: Vec::new(),
            effects: Vec::new(),
            unit_begins: 0,
            writes: 0,
            spoilt: None,
            stored: Vec::new(),
            is_over: false,
        }
    }

    /// A statement. Now and then others get their turn meanwhile, and what may happen to a connection happens.
    pub(super) async fn statement(&mut self) -> Result<()> {
        if self.world.chance.percent(4) {
            self.world.way().await;
        }
        self.life.goes_on().await;
        if let Some(error) = &self.spoilt {
            return Err(error.clone());
        }
        if !self.holds() || self.life.is_cut_off() {
            self.spoilt = Some(Error::StoreUnavailable);
            return Err(Error::StoreUnavailable);
        }
        Ok(())
    }

    pub(super) async fn wrote(&mut self) -> Result<()> {
        self.writes += 1;
        self.statement().await
    }

    /// Whether the head is still its own.
    fn holds(&self) -> bool {
        self.world.has(Bug::EarlyPositions) || self.world.database().is_current(self.number)
    }

    /// Deliveries as this transaction sees them, those that `pick` picks, in the order of their lanes.
    fn deliveries(&self, pick: impl Fn(&Delivery) -> bool) -> Vec<Delivery> {
        let database = self.world.database();
        let written = &self.written.deliveries;
        let kept = database.rows.deliveries.iter();
        let kept = kept.filter(|(id, _)| !written.contains_key(*id));
        let all = kept.chain(written).map(|(_, delivery)| delivery);
        let mut found: Vec<_> = all.filter(|delivery| pick(delivery)).cloned().collect();
        found.sort_by(|one, other| (&one.key, one.order).cmp(&(&other.key, other.order)));
        found
    }

    fn fact(&self, event: &NewEvent, at: u64) -> Event {
        Event {
            position: Position(self.head.0 + 1 + at),
            recorded_at: self.now.max(self.recorded_at),
            fact: event.clone(),
        }
    }

    /// Everything is there at once, for everybody.
    fn apply(&mut self) -> Batch {
        let written = std::mem::take(&mut self.written);
        for delivery in written.deliveries.values() {
            lanes::committed(&self.world, &self.life, self.now, delivery);
        }
        for group in written.groups.values() {
            groups::committed(&self.world, group);
        }
        let mut database = self.world.database();
        let rows = &mut database.rows;
        rows.conversations.extend(written.conversations);
        rows.deliveries.extend(written.deliveries);
        rows.commands.extend(written.commands);
        rows.upstream.extend(written.upstream);
        rows.groups.extend(written.groups);
        let batch = Batch {
            events: std::mem::take(&mut self.stored),
            facts: std::mem::take(&mut self.events),
            effects: std::mem::take(&mut self.effects),
        };
        for (stored, fact) in batch.events.iter().zip(&batch.facts) {
            let kept = Kept {
                stored: stored.clone(),
                fact: Arc::clone(fact),
            };
            database.log.insert(stored.position.0, kept);
        }
        database.release(self.number);
        self.is_over = true;
        drop(database);
        let newest = batch.events.last().map_or(0, |event| event.position.0);
        self.world.note("committed", self.life.number, newest);
        batch
    }

    /// Makes it durable after it was answered, unless the database is gone before.
    fn apply_late(mut self) -> Batch {
        let batch = Batch {
            events: self.stored.clone(),
            facts: self.events.clone(),
            effects: self.effects.clone(),
        };
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            world.way().await;
            world.way().await;
            if !self.life.is_over() && self.holds() {
                self.apply();
            }
        });
        batch
    }

    /// What the caller of a commit that was not answered finds out.
    async fn fate(&mut self) -> Result<Batch> {
        let arrived = self.holds() && self.world.chance.percent(50);
        self.world
            .note("commit unanswered", self.life.number, u64::from(arrived));
        let batch = if arrived {
            Ok(self.apply())
        } else {
            self.end();
            Err(Error::StoreUnavailable)
        };
        let asked = tokio::time::timeout(ASKED_FOR, self.life.reconnected());
        let is_told = asked.await.is_ok();
        self.life.goes_on().await;
        // Now and then the server has forgotten.
        if is_told && !self.world.chance.percent(10) {
            batch
        } else {
            Err(Error::Internal)
        }
    }

    fn end(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.world.database().release(self.number);
        }
    }

    fn database(&self) -> std::sync::MutexGuard<'_, Database> {
        self.world.database()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.end();
    }
}

#[async_trait]
impl OpenTransaction for Open {
    fn mark(&mut self) -> Mark {
        self.unit_begins = self.events.len();
        Mark {
            events: self.events.len(),
            effects: self.effects.len(),
            writes: self.writes,
        }
    }

    fn take_back(&mut self, mark: Mark) -> bool {
        if self.spoilt.is_some() || self.writes != mark.writes {
            return false;
        }
        self.events.truncate(mark.events);
        self.effects.truncate(mark.effects);
        true
    }

    async fn write_events(&mut self) -> Result<()> {
        self.statement().await?;
        if self.world.has(Bug::EarlyPositions) {
            let mut database = self.world.database();
            let first = database.given.max(database.newest().0);
            database.given = first + self.events.len() as u64;
            drop(database);
            for (event, position) in self.events.iter_mut().zip(first + 1..) {
                Arc::make_mut(event).position = Position(position);
            }
        }
        self.stored = self.events.iter().map(|event| stored(event)).collect();
        self.world.way().await;
        self.life.goes_on().await;
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<Batch> {
        self.statement().await?;
        self.world.way().await;
        let (life, world) = (Arc::clone(&self.life), Arc::clone(&self.world));
        if life.is_over() {
            // It may have left before the end.
            if self.holds() && world.chance.percent(50) {
                self.apply();
            }
            std::future::pending::<()>().await;
        }
        if !self.holds() {
            return Err(Error::StoreUnavailable);
        }
        if life.is_cut_off() || world.chance.percent(world.plan.commits_unclear) {
            return self.fate().await;
        }
        let batch = if world.has(Bug::EarlyAnswers) {
            self.apply_late()
        } else {
            self.apply()
        };
        if world.chance.percent(20) {
            world.way().await;
        }
        life.goes_on().await;
        Ok(batch)
    }

    async fn roll_back(mut self: Box<Self>) -> Result<()> {
        self.end();
        Ok(())
    }
}

/// As it travels.
fn stored(event: &Event) -> StoredEvent {
    let fact = &event.fact;
    let key = fact.key.as_ref();
    StoredEvent {
        position: event.position,
        tenant: fact.tenant.clone(),
        agent: fact.agent.clone(),
        account: key.map(|key| key.account.clone()),
        conversation_id: key.map(|key| key.id.clone()),
        kind: fact.body.kind(),
        bytes: Envelope::of(event).with_body(&body::encode(&fact.body)),
    }
}

#[async_trait]
impl Sealing for Open {
    async fn rewrap(&mut self, _: usize) -> Result<usize> {
        Ok(0)
    }
}

#[async_trait]
impl Transaction for Open {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn digest(&self, content: &Fingerprint) -> Vec<u8> {
        content.as_bytes().to_vec()
    }

    fn append(&mut self, event: NewEvent) -> usize {
        let index = self.events.len();
        let event = self.fact(&event, index as u64);
        self.events.push(Arc::new(event));
        index - self.unit_begins
    }

    fn after_commit(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn subscriptions(&mut self) -> Result<&mut dyn SubscriptionWrite> {
        Ok(self)
    }

    async fn conversation(&mut self, key: &ConversationKey) -> Result<Option<Conversation>> {
        self.statement().await?;
        let written = self.written.conversations.get(key).cloned();
        Ok(written.or_else(|| self.database().rows.conversations.get(key).cloned()))
    }

    async fn save_conversation(&mut self, conversation: &Conversation) -> Result<()> {
        self.wrote().await?;
        let saved = conversation.clone();
        self.written.conversations.insert(saved.key.clone(), saved);
        Ok(())
    }

    async fn resolve_upstream(
        &mut self,
        agent: &Id,
        upstream_id: &str,
    ) -> Result<Option<(ConversationKey, u64)>> {
        self.statement().await?;
        let id = (agent.clone(), upstream_id.to_owned());
        let written = self.written.upstream.get(&id).cloned();
        Ok(written.or_else(|| self.database().rows.upstream.get(&id).cloned()))
    }

    async fn claim_upstream(
        &mut self,
        agent: &Id,
        upstream_id: &str,
        key: &ConversationKey,
        owner_epoch: u64,
    ) -> Result<bool> {
        let known = self.resolve_upstream(agent, upstream_id).await?;
        if known.is_some_and(|(known, _)| known != *key) {
            return Ok(false);
        }
        self.wrote().await?;
        let id = (agent.clone(), upstream_id.to_owned());
        self.written.upstream.insert(id, (key.clone(), owner_epoch));
        Ok(true)
    }

    async fn remembered(&mut self, key: &CommandKey) -> Result<Option<Command>> {
        self.statement().await?;
        let written = self.written.commands.get(key).cloned();
        Ok(written.or_else(|| self.database().rows.commands.get(key).cloned()))
    }

    async fn remember(&mut self, key: &CommandKey, command: &Command) -> Result<()> {
        self.wrote().await?;
        self.written.commands.insert(key.clone(), command.clone());
        Ok(())
    }

    async fn first_seen(&mut self, _: &Id, _: &Fingerprint) -> Result<bool> {
        Err(Error::Internal)
    }

    async fn add_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.save_delivery(delivery).await
    }

    async fn save_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.wrote().await?;
        let saved = delivery.clone();
        self.written.deliveries.insert(saved.id.clone(), saved);
        Ok(())
    }

    async fn delivery(&mut self, id: &Id) -> Result<Option<Delivery>> {
        self.statement().await?;
        if self.world.has(Bug::NoFencing) {
            let of_life = (self.life.number, id.clone());
            if let Some(remembered) = self.database().remembered.get(&of_life) {
                return Ok(Some(remembered.clone()));
            }
        }
        let written = self.written.deliveries.get(id).cloned();
        Ok(written.or_else(|| self.database().rows.deliveries.get(id).cloned()))
    }

    async fn lane_head(&mut self, lane: &LaneKey) -> Result<Option<Delivery>> {
        self.statement().await?;
        let of_lane = |delivery: &Delivery| is_in(delivery, lane) && !delivery.state.is_final();
        Ok(self.deliveries(of_lane).into_iter().next())
    }

    async fn waiting_handovers(&mut self, _: &ConversationKey) -> Result<Vec<Delivery>> {
        Ok(Vec::new())
    }

    async fn remote_delivery(&mut self, _: &str, _: &str) -> Result<Option<Delivery>> {
        Ok(None)
    }

    async fn next_opening(
        &mut self,
        key: &ConversationKey,
        order: u64,
    ) -> Result<Option<Delivery>> {
        self.statement().await?;
        let opens = |delivery: &Delivery| {
            let kind = delivery.kind;
            delivery.key == *key
                && !delivery.state.is_final()
                && matches!(kind, DeliveryKind::Start | DeliveryKind::Message)
                && delivery.order > order
        };
        Ok(self.deliveries(opens).into_iter().next())
    }

    async fn next_order(&mut self, key: &ConversationKey) -> Result<u64> {
        self.statement().await?;
        let of_conversation = self.deliveries(|delivery| delivery.key == *key);
        let last = of_conversation.last().map_or(0, |delivery| delivery.order);
        Ok(last + 1)
    }

    async fn waiting_deliveries(&mut self, agent: &Id) -> Result<usize> {
        self.statement().await?;
        let waits = |delivery: &Delivery| delivery.agent == *agent && !delivery.state.is_final();
        Ok(self.deliveries(waits).len())
    }

    async fn unfinished_deliveries(&mut self, key: &ConversationKey) -> Result<Vec<Delivery>> {
        self.statement().await?;
        Ok(self.deliveries(|delivery| delivery.key == *key && !delivery.state.is_final()))
    }

    async fn attempting_deliveries(
        &mut self,
        before: Timestamp,
        after: Option<&(Timestamp, Id)>,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        self.statement().await?;
        let place = |delivery: &Delivery| (delivery.queued_at, delivery.id.clone());
        let mut found = self.deliveries(|delivery| {
            delivery.state == DeliveryState::Attempting
                && delivery.attempted_at <= before
                && after.is_none_or(|after| place(delivery) > *after)
        });
        found.sort_by_key(place);
        found.truncate(limit);
        Ok(found)
    }

    async fn contact(&mut self, _: &Id) -> Result<Option<KnownContact>> {
        Ok(None)
    }

    async fn contact_of(&mut self, _: &ConversationKey) -> Result<Option<KnownContact>> {
        Ok(None)
    }

    async fn save_contact(&mut self, _: &KnownContact) -> Result<()> {
        Err(Error::Internal)
    }

    async fn unknown_owners(
        &mut self,
        _: &Id,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<Conversation>> {
        Ok(Vec::new())
    }

    async fn count_unknown_owners(&mut self, _: &Id) -> Result<usize> {
        Ok(0)
    }

    async fn looked_until(&mut self, _: &Id) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    async fn save_looked_until(&mut self, _: &Id, _: Timestamp) -> Result<()> {
        Err(Error::Internal)
    }

    async fn add_request(&mut self, _: &Request) -> Result<()> {
        Err(Error::Internal)
    }

    async fn save_request(&mut self, _: &Request) -> Result<()> {
        Err(Error::Internal)
    }

    async fn request(&mut self, _: &Id) -> Result<Option<Request>> {
        Ok(None)
    }

    async fn repeated_request(&mut self, _: &[u8], _: Timestamp) -> Result<Option<Request>> {
        Ok(None)
    }

    async fn open_requests(&mut self, _: &ConversationKey) -> Result<Vec<Request>> {
        Ok(Vec::new())
    }

    async fn all_open_requests(&mut self, _: Timestamp, _: usize) -> Result<Vec<Request>> {
        Ok(Vec::new())
    }

    async fn count_open_requests(&mut self, _: &Id) -> Result<usize> {
        Ok(0)
    }

    async fn set_availability(
        &mut self,
        _: &Id,
        _: &str,
        _: &str,
        _: bool,
        _: Timestamp,
    ) -> Result<()> {
        Err(Error::Internal)
    }

    async fn availability(&mut self, _: &Id, _: &str) -> Result<Option<bool>> {
        Ok(None)
    }

    async fn event(&mut self, key: &ConversationKey, sequence: u64) -> Result<Option<Event>> {
        self.statement().await?;
        let of_ours = |event: &&Arc<Event>| {
            event.fact.key.as_ref() == Some(key) && event.fact.sequence == sequence
        };
        if let Some(event) = self.events.iter().find(of_ours) {
            return Ok(Some(Event::clone(event)));
        }
        let database = self.database();
        Ok(database
            .event(key, sequence)
            .map(|kept| Event::clone(&kept.fact)))
    }

    async fn event_by_id(&mut self, _: &str) -> Result<Option<Event>> {
        Ok(None)
    }

    async fn note_internal_id(&mut self, _: &ConversationKey, _: &Id, _: &str) -> Result<()> {
        Err(Error::Internal)
    }

    async fn take_internal_ids(&mut self, _: &ConversationKey) -> Result<Vec<(Id, String)>> {
        Err(Error::Internal)
    }

    async fn forget_internal_ids(&mut self, _: Timestamp, _: usize) -> Result<usize> {
        Err(Error::Internal)
    }

    async fn erase_words(&mut self, _: &ConversationKey) -> Result<()> {
        Err(Error::Internal)
    }

    async fn erase_aged(&mut self, _: &Id, _: Timestamp, _: usize) -> Result<(usize, u64)> {
        Err(Error::Internal)
    }

    async fn forget_idle(&mut self, _: &Id, _: Timestamp, _: usize) -> Result<(usize, u64)> {
        Err(Error::Internal)
    }

    async fn add_erasure(&mut self, _: &Erasure) -> Result<()> {
        Err(Error::Internal)
    }

    async fn erasure_of_command(&mut self, _: &Id, _: &Id, _: &Id) -> Result<Option<Erasure>> {
        Err(Error::Internal)
    }

    async fn erasure(&mut self, _: &Id, _: &Id) -> Result<Option<Erasure>> {
        Err(Error::Internal)
    }

    async fn mark_erased(&mut self, _: &Id) -> Result<()> {
        Err(Error::Internal)
    }

    async fn save_upstream_erasure(&mut self, _: &UpstreamErasure) -> Result<()> {
        Err(Error::Internal)
    }

    async fn expired_sessions(&mut self, _: usize) -> Result<Vec<Conversation>> {
        Ok(Vec::new())
    }

    async fn trim_log(&mut self, _: Timestamp, _: usize) -> Result<usize> {
        Err(Error::Internal)
    }

    async fn forget_finished(&mut self, _: Timestamp, _: usize) -> Result<usize> {
        Err(Error::Internal)
    }
}

fn is_in(delivery: &Delivery, lane: &LaneKey) -> bool {
    delivery.key == lane.conversation && delivery.direction == lane.direction
}
