//! The database as everybody else sees it. Reads run to their end even where nobody waits for them any more.

use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use sea_orm::DatabaseConnection;
use secrecy::SecretSlice;

use super::{
    clock::{self, StoreClock},
    connect::{Location, StoreSettings},
    contact, conversation, delivery,
    doorbell::Notifications,
    erasure,
    fault::Fault,
    lock::Lock,
    log, master, meta,
    open::{OpenError, connected, up_to_date},
    patient::Patient,
    postgres::Server,
    readers::Readers,
    replica, request,
    sealing::Keys,
    transaction::SqlTransaction,
    upstream_erasure,
    vault::Vault,
    writer::Writer,
};
use crate::domain::{
    Clock, Conversation, ConversationKey, Delivery, Erasure, Error, Event, Id, KnownContact,
    LaneKey, Position, Request, Result, StoredEvent, Timestamp, UpstreamErasure,
    ports::{OpenTransaction, Store},
    query::{ContactQuery, ConversationQuery, EventQuery},
};
use crate::{doorbell::Doorbell, keys::Custody};

/// One `SQLite` file, or one database at a `PostgreSQL` server.
pub struct SqlStore {
    epoch: u64,
    hash_key: Arc<[u8]>,
    pub(super) pepper: SecretSlice<u8>,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Arc<StoreClock>,
    pub(super) writer: Arc<Writer>,
    readers: Arc<Readers>,
    server: Option<Server>,
    /// Absent: the database keeps its own at its server.
    journal: Option<PathBuf>,
    _lock: Option<Lock>,
}

impl SqlStore {
    /// The master keys.
    pub fn custody(&self) -> Arc<Custody> {
        Arc::clone(&self.vault.custody)
    }

    /// Opens the file, makes it if it is not there, and brings it up to date. No other process may have it open.
    pub async fn open(settings: &StoreSettings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let lock = Lock::of(&settings.location).await?;
        let (connection, _) = up_to_date(settings).await?;
        let clock = clock::of(&settings.location, clock);
        let meta = meta::find(&connection).await?;
        let custody = master::custody(&connection, settings).await?;
        let own = master::own(&connection, &custody, clock.now()).await?;
        let readers = connected(&settings.location, settings.readers()).await?;
        let patience = settings.location.patience();
        let replica = Id::generate();
        if let Location::Server(_) = &settings.location {
            replica::enter(&connection, &replica).await?;
        }
        let writer = Writer::new(settings.writer(), patience, connection, replica);
        Ok(Self {
            epoch: meta.epoch,
            hash_key: own.hash_key.as_slice().into(),
            pepper: own.pepper.to_vec().into(),
            vault: Arc::new(Vault::new(custody, settings.cached_keys)),
            clock,
            writer: Arc::new(writer),
            readers: Arc::new(Readers::new(settings.readers(), patience, readers)),
            server: match &settings.location {
                Location::File(_) => None,
                Location::Server(server) => Some(server.clone()),
            },
            journal: settings.file().map(journal),
            _lock: lock,
        })
    }

    /// The clock that all times in it are by.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// By which replicas that share it wake each other when they have nothing better. Absent: nobody else uses it.
    pub fn doorbell(&self) -> Option<Arc<dyn Doorbell>> {
        let server = self.server.clone()?;
        Some(Arc::new(Notifications::new(
            server,
            Arc::clone(&self.readers),
        )))
    }

    /// The key under which content is hashed.
    pub(super) fn hash_key(&self) -> Arc<[u8]> {
        Arc::clone(&self.hash_key)
    }

    pub(super) async fn read<T, F>(
        &self,
        query: impl FnOnce(Patient<DatabaseConnection>, Keys) -> F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let (reader, number) = self.readers.get();
        let keys = Keys::new(Arc::clone(&self.vault));
        let found = tokio::spawn(query(reader, keys)).await;
        let found = found.map_err(|fault| {
            tracing::error!(%fault, "a query did not come to its end");
            Error::Internal
        })?;
        if found.as_ref().is_err_and(Fault::is_unanswered) {
            self.readers.replace(number).await;
        }
        found.map_err(|fault| fault.report())
    }
}

/// The write-ahead log beside the file.
fn journal(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[async_trait]
impl Store for SqlStore {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    async fn begin(&self) -> Result<Box<dyn OpenTransaction>> {
        let (writer, hash_key) = (self.writer.clone(), self.hash_key.clone());
        let (vault, clock) = (Arc::clone(&self.vault), Arc::clone(&self.clock));
        let begun = SqlTransaction::begin(writer, hash_key, vault, clock).await;
        let transaction = begun.map_err(|fault| fault.report())?;
        Ok(Box::new(transaction))
    }

    fn journal_bytes(&self) -> u64 {
        let journal = self.journal.as_ref();
        let file = journal.and_then(|path| std::fs::metadata(path).ok());
        file.map_or(0, |file| file.len())
    }

    async fn bounds(&self) -> Result<(Position, Position)> {
        let head = self.read(async move |db, _| log::head(&db).await).await?;
        Ok((head.floor, head.position))
    }

    async fn page(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredEvent>> {
        self.read(async move |db, keys| log::page(&db, &keys, after, limit, max_bytes).await)
            .await
    }

    async fn tail(
        &self,
        after: Position,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<(StoredEvent, Arc<Event>)>> {
        self.read(async move |db, keys| log::tail(&db, &keys, after, limit, max_bytes).await)
            .await
    }

    async fn erased_elsewhere(&self) -> Result<u64> {
        let head = self.read(async move |db, _| log::head(&db).await).await?;
        Ok(self.vault.follow(head.keys_destroyed))
    }

    async fn position_before(&self, time: Timestamp) -> Result<Position> {
        self.read(async move |db, _| log::position_before(&db, time).await)
            .await
    }

    async fn position_of(&self, key: &ConversationKey, sequence: u64) -> Result<Option<Position>> {
        let key = key.clone();
        self.read(async move |db, _| log::position_of(&db, &key, sequence).await)
            .await
    }

    async fn position_of_event(&self, event_id: &str) -> Result<Option<Position>> {
        let event_id = event_id.to_owned();
        self.read(async move |db, _| log::position_of_event(&db, &event_id).await)
            .await
    }

    async fn conversation(&self, key: &ConversationKey) -> Result<Option<Conversation>> {
        let key = key.clone();
        self.read(async move |db, keys| conversation::find(&db, &keys, &key).await)
            .await
    }

    async fn conversations(&self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        let query = query.clone();
        self.read(async move |db, keys| conversation::list(&db, &keys, &query).await)
            .await
    }

    async fn open_requests(&self, key: &ConversationKey) -> Result<Vec<Request>> {
        let key = key.clone();
        self.read(async move |db, keys| request::open(&db, &keys, &key).await)
            .await
    }

    async fn delivery(&self, id: &Id) -> Result<Option<Delivery>> {
        let id = id.clone();
        self.read(async move |db, keys| delivery::find(&db, &keys, &id).await)
            .await
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<(u64, StoredEvent)>> {
        let query = query.clone();
        self.read(async move |db, keys| log::events(&db, &keys, &query).await)
            .await
    }

    async fn first_sequence(&self, key: &ConversationKey) -> Result<u64> {
        let key = key.clone();
        self.read(async move |db, _| log::first_sequence(&db, &key).await)
            .await
    }

    async fn busy_lanes(&self) -> Result<Vec<LaneKey>> {
        self.read(async move |db, _| delivery::busy_lanes(&db).await)
            .await
    }

    async fn idle_lanes(
        &self,
        span: Duration,
        after: Option<&LaneKey>,
        limit: usize,
    ) -> Result<Vec<LaneKey>> {
        let (since, after) = (self.clock.now() - span, after.cloned());
        self.read(async move |db, _| delivery::idle_lanes(&db, since, after.as_ref(), limit).await)
            .await
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<Vec<KnownContact>> {
        let query = query.clone();
        self.read(async move |db, keys| contact::list(&db, &keys, &query).await)
            .await
    }

    async fn erasure(&self, tenant: &Id, receipt_id: &Id) -> Result<Option<Erasure>> {
        let (tenant, receipt_id) = (tenant.clone(), receipt_id.clone());
        self.read(async move |db, _| erasure::find(&db, &tenant, &receipt_id).await)
            .await
    }

    async fn unfinished_erasures(&self, limit: usize) -> Result<Vec<(Id, Id)>> {
        self.read(async move |db, _| erasure::unfinished(&db, limit).await)
            .await
    }

    async fn due_upstream_erasures(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<UpstreamErasure>> {
        self.read(async move |db, _| upstream_erasure::due(&db, now, limit).await)
            .await
    }

    async fn next_upstream_erasure(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.read(async move |db, _| upstream_erasure::next(&db, now).await)
            .await
    }

    async fn purge(&self) -> Result<()> {
        let writer = Arc::clone(&self.writer);
        let done = tokio::spawn(async move { writer.empty_journal().await }).await;
        let done = done.map_err(|fault| {
            tracing::error!(%fault, "the write-ahead log was not emptied");
            Error::Internal
        })?;
        if done.map_err(|fault| fault.report())? {
            return Ok(());
        }
        Err(Error::StoreUnavailable)
    }

    async fn close(&self) -> Result<()> {
        let readers = self.readers.close().await;
        let writer = self.writer.close().await;
        readers
            .and(writer)
            .map_err(|fault| Fault::from(fault).report())
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
