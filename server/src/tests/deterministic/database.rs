//! The database that all replicas share: rows, a log, and the head that one transaction at a time holds.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    groups::{Group, History},
    life::Life,
    plan::Bug,
    world::World,
};
use crate::domain::{
    Conversation, ConversationKey, Delivery, Event, Id, Position, StoredEvent,
    ports::{Command, CommandKey},
    subscription::SubscriptionKey,
};

/// What the server does with a connection whose transaction does nothing.
pub(super) const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(3);
/// How long a statement may wait for the head.
pub(super) const STATEMENT: Duration = Duration::from_secs(5);

/// An event as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub stored: StoredEvent,
    pub fact: Arc<Event>,
}

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub conversations: BTreeMap<ConversationKey, Conversation>,
    pub deliveries: BTreeMap<Id, Delivery>,
    pub commands: HashMap<CommandKey, Command>,
    pub upstream: BTreeMap<(Id, String), (ConversationKey, u64)>,
    pub groups: BTreeMap<SubscriptionKey, Group>,
}

#[derive(Debug, Default)]
pub(super) struct Database {
    pub rows: Rows,
    pub log: BTreeMap<u64, Kept>,
    /// Who began the attempt that each delivery is at, or was at last.
    pub begun: BTreeMap<Id, u64>,
    /// What each life has begun: only a house without fencing looks there.
    pub remembered: BTreeMap<(u64, Id), Delivery>,
    /// What has become of what the subscription handed out.
    pub history: History,
    /// Positions that were given, where they are given early.
    pub given: u64,
    writer: Option<Connection>,
    waiting: VecDeque<(Connection, oneshot::Sender<()>)>,
    transactions: u64,
}

/// The connection of a transaction.
#[derive(Debug)]
struct Connection {
    transaction: u64,
    life: Arc<Life>,
}

/// A transaction that did not get the head.
#[derive(Debug)]
pub(super) struct NotTaken;

impl Database {
    pub(super) fn newest(&self) -> Position {
        Position(
            self.log
                .last_key_value()
                .map_or(0, |(position, _)| *position),
        )
    }

    /// Whether it is still the one that may write.
    pub(super) fn is_current(&self, transaction: u64) -> bool {
        let writer = self.writer.as_ref();
        writer.is_some_and(|writer| writer.transaction == transaction)
    }

    /// Whoever waits is next.
    pub(super) fn release(&mut self, transaction: u64) {
        if !self.is_current(transaction) {
            self.waiting
                .retain(|(connection, _)| connection.transaction != transaction);
            return;
        }
        self.writer = None;
        while let Some((connection, ring)) = self.waiting.pop_front() {
            if ring.send(()).is_ok() {
                self.writer = Some(connection);
                return;
            }
        }
    }

    /// All connections end.
    pub(super) fn restart(&mut self) {
        self.waiting.clear();
        self.writer = None;
    }

    /// First position that is left; nothing is removed here.
    pub(super) fn page(&self, after: Position, limit: usize) -> Vec<Kept> {
        let rest = self.log.range(after.0 + 1..);
        rest.take(limit).map(|(_, kept)| kept.clone()).collect()
    }

    pub(super) fn event(&self, key: &ConversationKey, sequence: u64) -> Option<&Kept> {
        self.log.values().find(|kept| {
            kept.fact.fact.sequence == sequence && kept.fact.fact.key.as_ref() == Some(key)
        })
    }
}

/// Takes the head of the log, once it is free.
pub(super) async fn take_head(world: &World, life: &Arc<Life>) -> Result<u64, NotTaken> {
    let (number, granted) = {
        let mut database = world.database();
        database.transactions += 1;
        let connection = Connection {
            transaction: database.transactions,
            life: Arc::clone(life),
        };
        let number = connection.transaction;
        if database.writer.is_none() || world.has(Bug::EarlyPositions) {
            database.writer = Some(connection);
            return Ok(number);
        }
        let (ring, granted) = oneshot::channel();
        database.waiting.push_back((connection, ring));
        (number, granted)
    };
    if let Ok(Ok(())) = tokio::time::timeout(STATEMENT, granted).await {
        return Ok(number);
    }
    world.database().release(number);
    Err(NotTaken)
}

/// The server ends connections whose replica is gone or says nothing.
pub(super) async fn watch_connections(world: Arc<World>) {
    let mut silent_since: Option<(u64, Duration)> = None;
    loop {
        world.turns.after(Duration::from_millis(500)).await;
        let now = world.turns.now();
        let mut database = world.database();
        let silent = database.writer.as_ref().filter(|writer| {
            let life = &writer.life;
            life.is_over() || life.stands_still() || life.is_cut_off()
        });
        let Some(number) = silent.map(|writer| writer.transaction) else {
            silent_since = None;
            continue;
        };
        match silent_since {
            Some((known, since)) if known == number => {
                if now.saturating_sub(since) >= IDLE_IN_TRANSACTION {
                    database.release(number);
                    drop(database);
                    world.note("let go of the head", 0, number);
                }
            }
            _ => silent_since = Some((number, now)),
        }
    }
}
