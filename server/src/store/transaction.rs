//! The one writing transaction: what is appended is kept aside until the end, everything else is written at once.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::DatabaseTransaction;

use super::{
    clock::StoreClock,
    data_key::Owner,
    fault::Fault,
    log::{self, Head},
    patient::{Patient, answer},
    sealing::Keys,
    vault::Vault,
    writer::{Begun, Fate, Writer},
};
use crate::{
    domain::{
        Clock, Error, Event, NewEvent, Position, Result, StoredEvent, Timestamp,
        ports::{Batch, Effect, Mark, OpenTransaction},
    },
    keys::DataKey,
};

pub(super) struct SqlTransaction {
    pub(super) db: Patient<DatabaseTransaction>,
    pub(super) now: Timestamp,
    pub(super) hash_key: Arc<[u8]>,
    pub(super) keys: Keys,
    /// Appended so far, with the positions that they will have: nobody else can take them, the head is ours.
    pub(super) events: Vec<Arc<Event>>,
    pub(super) effects: Vec<Effect>,
    writer: Arc<Writer>,
    /// By which a server can be asked what became of it.
    number: Option<u64>,
    head: Head,
    unit_begins: usize,
    writes: u64,
    /// A statement failed. The database may have undone the whole transaction by itself, so nothing more is done in it.
    spoilt: Option<Error>,
    stored: Vec<StoredEvent>,
}

impl SqlTransaction {
    pub(super) async fn begin(
        writer: Arc<Writer>,
        hash_key: Arc<[u8]>,
        vault: Arc<Vault>,
        clock: Arc<StoreClock>,
    ) -> Result<Self, Fault> {
        let Begun { db, head, number } = writer.begin(&clock).await?;
        vault.follow(head.keys_destroyed);
        Ok(Self {
            db,
            now: clock.now(),
            number,
            hash_key,
            keys: Keys::new(vault),
            events: Vec::new(),
            effects: Vec::new(),
            writer,
            head,
            unit_begins: 0,
            writes: 0,
            spoilt: None,
            stored: Vec::new(),
        })
    }

    /// Keeps an event for the end. Answers its index among the unit's.
    pub(super) fn keep(&mut self, fact: NewEvent) -> usize {
        let index = self.events.len();
        self.events.push(Arc::new(Event {
            position: Position(self.head.position.0 + 1 + index as u64),
            // The machine's clock may be set back; the log's never.
            recorded_at: self.now.max(self.head.recorded_at),
            fact,
        }));
        index - self.unit_begins
    }

    /// What a statement that reads came to.
    pub(super) fn read<T>(&mut self, found: Result<T, Fault>) -> Result<T> {
        found.map_err(|fault| {
            let error = fault.report();
            self.spoilt = Some(error.clone());
            error
        })
    }

    /// What a statement that writes came to.
    pub(super) fn wrote<T>(&mut self, done: Result<T, Fault>) -> Result<T> {
        self.writes += 1;
        self.read(done)
    }

    fn check(&self) -> Result<()> {
        self.spoilt.clone().map_or(Ok(()), Err)
    }

    /// Each event with the key that it is sealed under.
    async fn with_keys(&mut self) -> Result<Vec<(Arc<Event>, Arc<DataKey>)>, Fault> {
        let mut events = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let owner = Owner::of(&event.fact);
            let key = self.keys.sealing(&self.db, &owner, self.now).await?;
            events.push((Arc::clone(event), key));
        }
        Ok(events)
    }

    async fn write(&mut self) -> Result<(), Fault> {
        if let Some(last) = self.events.last() {
            let (position, recorded_at) = (last.position, last.recorded_at);
            let events = self.with_keys().await?;
            log::advance(&self.db, position, recorded_at).await?;
            self.stored = log::insert(&self.db, &events).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl OpenTransaction for SqlTransaction {
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
        self.check()?;
        let done = self.write().await;
        self.wrote(done)
    }

    async fn commit(self: Box<Self>) -> Result<Batch> {
        self.check()?;
        let Patient {
            connection,
            patience,
        } = self.db;
        if let Err(fault) = answer(patience, connection.commit()).await {
            self.writer.give_up();
            let fault = Fault::from(fault);
            let error = fault.report();
            if fault.is_certain() {
                return Err(error);
            }
            let Some(number) = self.number else {
                return Err(Error::Internal);
            };
            match self.writer.fate(number).await {
                Fate::Committed => {}
                Fate::Undone => return Err(Error::StoreUnavailable),
                Fate::Unknown => return Err(Error::Internal),
            }
        }
        self.keys.committed();
        Ok(Batch {
            events: self.stored,
            facts: self.events,
            effects: self.effects,
        })
    }

    async fn roll_back(self: Box<Self>) -> Result<()> {
        // Where the database has undone it already, this fails; a fresh connection is the remedy for either.
        let Patient {
            connection,
            patience,
        } = self.db;
        if let Err(fault) = answer(patience, connection.rollback()).await {
            self.writer.give_up();
            tracing::debug!(%fault, "the transaction was undone before");
        }
        Ok(())
    }
}
