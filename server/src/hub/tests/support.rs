//! A log in memory, a directory, and readers that keep account of what they were given.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use parloir_proto::v1;
use prost::Message;

use super::super::{Filter, Hub, Notice, OnExpired, Settings, Start, Subscription, Wish};
use crate::{
    domain::{
        Account, AgentSettings, Conversation, ConversationKey, Cursor, Delivery, Directory,
        Erasure, Error, Event, EventKind, Id, KnownContact, LaneKey, Position, Request, Result,
        StoredEvent, Timestamp, UpstreamErasure,
        agent::ActionFallback,
        ports::{OpenTransaction, SealedStore, Store},
        query::{ContactQuery, ConversationQuery, EventQuery},
    },
    live::{Live, Setup},
    metrics::Metrics,
};

pub(crate) const EPOCH: u64 = 4711;

/// The part of the store that readers of the log use. An event's time is its position.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    events: Mutex<Vec<StoredEvent>>,
    floor: AtomicUsize,
    pub pages_read: AtomicUsize,
    pub fails: AtomicBool,
    pub panics: AtomicBool,
}

impl MemoryLog {
    /// Commits events: gives them the next positions.
    pub fn append(&self, events: Vec<StoredEvent>) -> Vec<StoredEvent> {
        let mut log = self.events.lock().unwrap();
        let first = log.len() as u64 + 1;
        let positions = (first..).map(Position);
        let committed: Vec<_> = events
            .into_iter()
            .zip(positions)
            .map(|(event, position)| StoredEvent { position, ..event })
            .collect();
        log.extend_from_slice(&committed);
        committed
    }

    pub fn all(&self) -> Vec<StoredEvent> {
        self.events.lock().unwrap().clone()
    }

    /// Removes what lies before a position.
    pub fn trim(&self, floor: u64) {
        self.floor
            .store(usize::try_from(floor).unwrap(), Ordering::SeqCst);
    }

    fn floor(&self) -> u64 {
        self.floor.load(Ordering::SeqCst).max(1) as u64
    }
}

impl SealedStore for MemoryLog {}

#[async_trait]
impl Store for MemoryLog {
    fn epoch(&self) -> u64 {
        EPOCH
    }

    async fn bounds(&self) -> Result<(Position, Position)> {
        let newest = self.events.lock().unwrap().len() as u64;
        Ok((Position(self.floor()), Position(newest)))
    }

    async fn page(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredEvent>> {
        tokio::task::yield_now().await;
        assert!(!self.panics.load(Ordering::SeqCst), "asked to panic");
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::StoreUnavailable);
        }
        self.pages_read.fetch_add(1, Ordering::SeqCst);
        let first = after.next().0.max(self.floor());
        let log = self.events.lock().unwrap();
        let mut room = max_bytes;
        let page = log
            .iter()
            .skip(usize::try_from(first - 1).unwrap())
            .take(limit);
        Ok(page
            .take_while(|event| {
                let fits = room == max_bytes || event.bytes.len() <= room;
                room = room.saturating_sub(event.bytes.len().max(1));
                fits
            })
            .cloned()
            .collect())
    }

    async fn tail(
        &self,
        _: Position,
        _: usize,
        _: usize,
    ) -> Result<Vec<(StoredEvent, Arc<Event>)>> {
        Err(Error::Internal)
    }

    async fn position_before(&self, time: Timestamp) -> Result<Position> {
        let newest = self.events.lock().unwrap().len() as u64;
        let before = u64::try_from(time.0 - 1).unwrap_or(0);
        Ok(Position(before.min(newest)))
    }

    async fn begin(&self) -> Result<Box<dyn OpenTransaction>> {
        Err(Error::Internal)
    }
    async fn position_of(&self, _: &ConversationKey, _: u64) -> Result<Option<Position>> {
        Err(Error::Internal)
    }
    async fn position_of_event(&self, _: &str) -> Result<Option<Position>> {
        Err(Error::Internal)
    }
    async fn conversation(&self, _: &ConversationKey) -> Result<Option<Conversation>> {
        Err(Error::Internal)
    }
    async fn conversations(&self, _: &ConversationQuery) -> Result<Vec<Conversation>> {
        Err(Error::Internal)
    }
    async fn open_requests(&self, _: &ConversationKey) -> Result<Vec<Request>> {
        Err(Error::Internal)
    }
    async fn delivery(&self, _: &Id) -> Result<Option<Delivery>> {
        Err(Error::Internal)
    }
    async fn events(&self, _: &EventQuery) -> Result<Vec<(u64, StoredEvent)>> {
        Err(Error::Internal)
    }
    async fn first_sequence(&self, _: &ConversationKey) -> Result<u64> {
        Err(Error::Internal)
    }
    async fn idle_lanes(&self, _: Duration, _: Option<&LaneKey>, _: usize) -> Result<Vec<LaneKey>> {
        Err(Error::Internal)
    }
    async fn busy_lanes(&self) -> Result<Vec<LaneKey>> {
        Err(Error::Internal)
    }
    async fn contacts(&self, _: &ContactQuery) -> Result<Vec<KnownContact>> {
        Err(Error::Internal)
    }
    async fn erasure(&self, _: &Id, _: &Id) -> Result<Option<Erasure>> {
        Err(Error::Internal)
    }
    async fn unfinished_erasures(&self, _: usize) -> Result<Vec<(Id, Id)>> {
        Err(Error::Internal)
    }
    async fn due_upstream_erasures(&self, _: Timestamp, _: usize) -> Result<Vec<UpstreamErasure>> {
        Err(Error::Internal)
    }
    async fn next_upstream_erasure(&self, _: Timestamp) -> Result<Option<Timestamp>> {
        Err(Error::Internal)
    }
    async fn purge(&self) -> Result<()> {
        Err(Error::Internal)
    }
    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// A hub on a log in memory, with agents `bot` (accounts `a` and `b`) and `other` (account `c`).
#[derive(Clone)]
pub(crate) struct World {
    pub log: Arc<MemoryLog>,
    pub hub: Arc<Hub>,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        Self::on(Arc::default(), settings)
    }

    /// A hub that begins at the log's present end.
    pub fn on(log: Arc<MemoryLog>, settings: Settings) -> Self {
        let head = Position(log.all().len() as u64);
        let hub = Hub::start(settings, log.clone(), live(), Metrics::new(), head);
        Self { log, hub }
    }

    /// A choice among the events of the tenant `default`.
    pub fn filter(&self, accounts: Vec<Id>, conversations: Vec<Id>, kinds: &[EventKind]) -> Filter {
        let tenant = Id::trusted(crate::domain::TENANT);
        self.hub.filter(&tenant, accounts, conversations, kinds)
    }

    /// Commits and publishes.
    pub fn publish(&self, events: Vec<StoredEvent>) -> Vec<StoredEvent> {
        let committed = self.log.append(events);
        self.hub.publish(&committed);
        committed
    }

    /// Commits and publishes events of account `a`, all alike.
    pub fn publish_some(&self, count: usize) {
        self.publish(
            (0..count)
                .map(|_| event("a", "1", EventKind::AgentMessage))
                .collect(),
        );
    }

    pub async fn open(&self, start: Start, filter: Filter) -> Result<Reader> {
        let wish = Wish {
            filter,
            start,
            on_expired: OnExpired::Fail,
            heartbeat: None,
        };
        self.open_as(wish).await
    }

    pub async fn open_as(&self, wish: Wish) -> Result<Reader> {
        Ok(Reader {
            subscription: self.hub.subscribe(wish).await?,
            events: Vec::new(),
        })
    }
}

/// A reader that notes which events it was given.
pub(crate) struct Reader {
    pub subscription: Subscription,
    /// Positions.
    pub events: Vec<u64>,
}

impl Reader {
    /// The next notice.
    pub async fn next(&mut self) -> Notice {
        let notice = self.subscription.next().await;
        self.note(&notice);
        notice
    }

    /// What it is told without waiting, if anything.
    pub async fn ready(&mut self) -> Option<Notice> {
        let polled = std::future::poll_fn(|cx| Poll::Ready(self.subscription.poll_next(cx))).await;
        let Poll::Ready(notice) = polled else {
            return None;
        };
        self.note(&notice);
        Some(notice)
    }

    /// Reads until it is told that it is level.
    pub async fn catch_up(&mut self) -> Position {
        loop {
            match self.next().await {
                Notice::CaughtUp(position) => return position,
                Notice::Failed(error) => panic!("{error}"),
                _ => {}
            }
        }
    }

    /// Reads until it has so many events in all.
    pub async fn until(&mut self, events: usize) {
        while self.events.len() < events {
            if let Notice::Failed(error) = self.next().await {
                panic!("{error}");
            }
        }
    }

    /// Reads until nothing up to a position is still to come.
    pub async fn drain(&mut self, head: Position) {
        self.subscription.hub().checkpoint_all();
        loop {
            match self.next().await {
                Notice::Checkpoint(position) if position >= head => return,
                Notice::Failed(error) => panic!("{error}"),
                Notice::Checkpoint(_) => {
                    // It waits for a page.
                    self.ready().await;
                    tokio::task::yield_now().await;
                    self.subscription.hub().checkpoint_all();
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, notice: &Notice) {
        if let Notice::Events(bytes) = notice {
            self.events.extend(positions(bytes));
        }
    }
}

/// The positions of framed events, by their cursors.
pub(crate) fn positions(mut frames: &[u8]) -> Vec<u64> {
    let mut positions = Vec::new();
    while !frames.is_empty() {
        assert_eq!(frames[0], 0, "not compressed");
        let length = u32::from_be_bytes(frames[1..5].try_into().unwrap()) as usize;
        let message = v1::SubscribeEventsResponse::decode(&frames[5..5 + length]).unwrap();
        let Some(v1::subscribe_events_response::Message::Event(event)) = message.message else {
            panic!("an event")
        };
        positions.push(Cursor::decode(&event.cursor, EPOCH).unwrap().position.0);
        frames = &frames[5 + length..];
    }
    positions
}

/// An event of an account's conversation, to be committed.
pub(crate) fn event(account: &str, conversation: &str, kind: EventKind) -> StoredEvent {
    let bot = if account == "c" { "other" } else { "bot" };
    StoredEvent {
        account: Some(Id::trusted(account)),
        conversation_id: Some(Id::trusted(conversation)),
        ..agent_event(bot, kind)
    }
}

/// An event that belongs to an agent and to no conversation.
pub(crate) fn agent_event(agent: &str, kind: EventKind) -> StoredEvent {
    let bytes = v1::Event {
        event_id: "0190-an-id-of-usual-length-36-chars".into(),
        ..v1::Event::default()
    };
    StoredEvent {
        position: Position(0),
        tenant: Id::trusted(crate::domain::tenant_of(agent)),
        agent: Id::trusted(agent),
        account: None,
        conversation_id: None,
        kind,
        bytes: bytes.encode_to_vec().into(),
    }
}

pub(crate) fn ids(names: &[&str]) -> Vec<Id> {
    names.iter().map(|name| Id::trusted(*name)).collect()
}

pub(crate) fn live() -> Arc<Live> {
    let account = |name: &str, agent: &str| Account {
        name: Id::trusted(name),
        agent: Id::trusted(agent),
        upstream_prefix: String::new(),
        source: None,
    };
    let directory = Directory::new(
        vec![agent("bot"), agent("other")],
        vec![
            account("a", "bot"),
            account("b", "bot"),
            account("c", "other"),
        ],
    );
    Live::fixed(Setup {
        directory: Arc::new(directory),
        ..Setup::default()
    })
}

fn agent(name: &str) -> AgentSettings {
    let span = std::time::Duration::from_secs(8);
    AgentSettings {
        name: Id::trusted(name),
        paused: false,
        allowed: crate::domain::AllowList::default(),
        session_timeout: span,
        send_timeout: span,
        max_queue_age: span,
        max_queued: 1,
        max_open_requests: 1,
        action_time_limit: span,
        escalation_time_limit: span,
        availability_time_limit: span,
        repeat_window: span,
        fence_by_id: true,
        human_must_join: true,
        default_account: None,
        handback_parameter: "note".into(),
        always_personal: std::collections::HashSet::new(),
        action_fallback: ActionFallback::Empty,
        refuse_unlisted_actions: false,
        accept_unanswered_escalations: false,
        actions: std::collections::HashMap::new(),
    }
}
