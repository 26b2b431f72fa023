//! The database, on real files or at a real server.

mod administration;
mod cancelled;
mod erase;
mod failure;
mod forget;
mod lanes;
pub(crate) mod later;
mod log;
mod opening;
pub(crate) mod place;
mod sealing;
mod state;
mod subscription;
mod unanswered;
mod upgraded;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use sea_orm::{Database, DatabaseConnection};
use tempfile::TempDir;

use super::{SqlStore, StoreSettings};
use crate::domain::{
    Clock, Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState, Direction,
    EventBody, Id, LaneKey, NewEvent, Subject, Timestamp,
    ports::{Batch, OpenTransaction, Store},
};

/// A clock that stands still until it is told otherwise.
#[derive(Debug, Default)]
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    pub(crate) fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A database of its own, gone when dropped.
pub(crate) struct Scratch {
    pub(crate) store: Arc<SqlStore>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) settings: StoreSettings,
    folder: TempDir,
}

impl Scratch {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut StoreSettings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = place::fresh(folder.path());
        change(&mut settings);
        Self::open(settings, folder).await
    }

    /// In a file, whatever other tests run on.
    pub(crate) async fn in_file(change: impl FnOnce(&mut StoreSettings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = StoreSettings::new(folder.path().join("parloir.db"));
        change(&mut settings);
        Self::open(settings, folder).await
    }

    async fn open(settings: StoreSettings, folder: TempDir) -> Self {
        let clock = Arc::new(SetClock::default());
        clock.set(1_000_000);
        let store = SqlStore::open(&settings, clock.clone()).await;
        Self {
            store: Arc::new(store.expect("opens")),
            clock,
            settings,
            folder,
        }
    }

    /// The database, opened behind the server's back.
    pub(crate) async fn behind(&self) -> DatabaseConnection {
        let options = self.settings.writer();
        Database::connect(options).await.expect("opens")
    }

    /// Runs `work` in a transaction of its own and commits it.
    pub(crate) async fn commit(&self, work: impl AsyncFnOnce(&mut dyn OpenTransaction)) -> Batch {
        let mut tx = self.store.begin().await.expect("begins");
        work(&mut *tx).await;
        tx.write_events().await.expect("writes");
        tx.commit().await.expect("commits")
    }
}

pub(crate) fn id(text: &str) -> Id {
    Id::trusted(text)
}

pub(crate) fn key(conversation: &str) -> ConversationKey {
    ConversationKey {
        tenant: id("acme"),
        account: id("shop"),
        id: id(conversation),
    }
}

/// An event of a conversation; its body is about `size` bytes.
pub(crate) fn event(conversation: &str, sequence: u64, size: usize) -> NewEvent {
    NewEvent {
        event_id: Id::generate(),
        tenant: id("acme"),
        agent: id("bot"),
        key: Some(key(conversation)),
        session: 1,
        sequence,
        owner_epoch: 1,
        superseded: false,
        traceparent: String::new(),
        body: EventBody::PlatformAlert {
            name: "DOWN".into(),
            raw: "x".repeat(size),
        },
    }
}

fn conversation(id: &str, now: i64) -> Conversation {
    Conversation::new(key(id), self::id("bot"), id.to_owned(), Timestamp(now))
}

fn delivery(name: &str, conversation: &str, order: u64, state: DeliveryState) -> Delivery {
    Delivery {
        id: id(name),
        key: key(conversation),
        agent: id("bot"),
        direction: Direction::Agent,
        kind: DeliveryKind::Message,
        subject: Subject::Message(name.to_owned()),
        order,
        sequence: order,
        state,
        reason: None,
        detail: String::new(),
        attempt: 0,
        session: 0,
        new_session: false,
        owner_epoch: 1,
        queued_at: Timestamp(1),
        not_before: Timestamp(0),
        part: 0,
        unclear: false,
        read_back_since: None,
        remote_id: String::new(),
        attempted_at: Timestamp::default(),
        awaits_owner: false,
    }
}
