//! Everything that the hub's one lock guards. Nothing in here waits or wakes: wakers are handed out and woken after
//! the lock is released.

use std::{collections::HashMap, task::Waker};

use super::{
    chunk::Chunk,
    filter::Filter,
    index::Index,
    pages::{Page, Pages},
    ring::Ring,
    settings::Settings,
    slots::{Key, Slots},
    subscriber::{Leave, Notice, Place, Subscriber, Wait},
};
use crate::domain::{Directory, Error, EventKind, Id, Position, Result};

#[derive(Debug)]
pub struct State {
    pub ring: Ring,
    pub pages: Pages,
    subscribers: Slots<Subscriber>,
    index: Index,
    max_streams: usize,
    /// What is read by others than the subscribers.
    pub interests: HashMap<u64, Filter>,
    /// Since the start of the hub.
    tick: u32,
    stopping: bool,
    /// How often everything in memory was dropped.
    purges: u64,
}

/// What a poll came to.
pub enum Polled {
    Notice(Notice),
    /// The waker is kept.
    Waiting,
    /// The waker is kept; the page that begins here is to be read by the one who gets this.
    Read(Position),
    /// To be polled again soon.
    Turn,
}

impl State {
    pub fn new(settings: &Settings, head: Position) -> Self {
        Self {
            ring: Ring::new(head, settings.ring_events, settings.ring_bytes),
            pages: Pages::new(settings.page_cache_bytes, settings.page_events),
            subscribers: Slots::default(),
            index: Index::default(),
            max_streams: settings.max_streams,
            interests: HashMap::new(),
            tick: 0,
            stopping: false,
            purges: 0,
        }
    }

    pub fn tick(&self) -> u32 {
        self.tick
    }

    pub fn streams(&self) -> usize {
        self.subscribers.len()
    }

    /// Whether another stream may begin.
    pub fn admit(&self) -> Result<()> {
        if self.stopping {
            return Err(Error::Stopping);
        }
        if self.subscribers.len() >= self.max_streams {
            return Err(Error::Limit {
                setting: "max_streams",
                limit: self.max_streams,
            });
        }
        Ok(())
    }

    /// Takes a subscriber in. It finds out by itself at its first poll where its events come from.
    pub fn join(&mut self, subscriber: Subscriber) -> Result<Key> {
        self.admit()?;
        let key = self.subscribers.insert(subscriber);
        if let Some(subscriber) = self.subscribers.at(key.index) {
            self.index.insert(key.index, &subscriber.filter);
        }
        Ok(key)
    }

    pub fn leave(&mut self, key: Key) -> Option<Subscriber> {
        let subscriber = self.subscribers.remove(key)?;
        self.index.remove(key.index, &subscriber.filter);
        Some(subscriber)
    }

    /// Filters follow what accounts and agents there are.
    pub fn reconfigure(&mut self, directory: &Directory) {
        self.index = Index::default();
        for (index, subscriber) in self.subscribers.iter_numbered() {
            subscriber.filter = subscriber.filter.clone().under(directory);
            self.index.insert(index, &subscriber.filter);
        }
        for filter in self.interests.values_mut() {
            *filter = filter.clone().under(directory);
        }
    }

    /// Adds what follows the head, and marks those whom it concerns.
    pub fn publish(&mut self, chunk: Chunk, woken: &mut Vec<Waker>) {
        for (position, concerns) in chunk.concerns() {
            for candidate in self.index.candidates(concerns) {
                if let Some(subscriber) = self.subscribers.at_mut(candidate)
                    && subscriber.place == Place::Level
                    && subscriber.filter.matches(concerns)
                    && subscriber.mark(position)
                {
                    woken.extend(subscriber.waker.take());
                }
            }
        }
        // Once a chunk and not once an event: for most of them the first one counts already.
        for tenant in chunk.tenants() {
            for candidate in self.index.everyone(tenant) {
                if let Some(subscriber) = self.subscribers.at_mut(*candidate)
                    && subscriber.place == Place::Level
                    && chunk.concerns().any(|(position, concerns)| {
                        subscriber.filter.matches(concerns) && subscriber.mark(position)
                    })
                {
                    woken.extend(subscriber.waker.take());
                }
            }
        }
        self.ring.push(chunk);
    }

    /// Events were committed that are not published here: everyone reads on from the log.
    pub fn skip_to(&mut self, head: Position, woken: &mut Vec<Waker>) {
        let before = self.ring.head();
        for subscriber in self.subscribers.iter_mut() {
            subscriber.position = subscriber.resume(before);
            if subscriber.place != Place::Log {
                // Seen at its next poll: the ring no longer covers its position.
                subscriber.place = Place::Ring;
            }
            woken.extend(subscriber.waker.take());
        }
        self.ring.restart(head);
    }

    /// Drops all events in memory; who follows reads on from the log. Pages that are being read now are not kept.
    pub fn purge(&mut self, woken: &mut Vec<Waker>) {
        self.purges += 1;
        self.pages.clear();
        self.skip_to(self.ring.head(), woken);
    }

    pub fn purges(&self) -> u64 {
        self.purges
    }

    pub fn poll(&mut self, key: Key, max_bytes: usize, waker: &Waker) -> Option<Polled> {
        let subscriber = self.subscribers.get_mut(key)?;
        let wait = match subscriber.next(&self.ring, &self.pages, max_bytes) {
            Ok(notice) => {
                subscriber.quiet_since = self.tick;
                return Some(Polled::Notice(notice));
            }
            Err(wait) => wait,
        };
        if !subscriber
            .waker
            .as_ref()
            .is_some_and(|kept| kept.will_wake(waker))
        {
            subscriber.waker = Some(waker.clone());
        }
        Some(match wait {
            Wait::Wake => Polled::Waiting,
            Wait::Turn => Polled::Turn,
            Wait::Page => match self.pages.wait(subscriber.position, key) {
                Some(start) => Polled::Read(start),
                None => Polled::Waiting,
            },
        })
    }

    /// A page was read, or could not be.
    /// `purges` is how often everything had been dropped when the read began: a page from before is read again.
    pub fn page_read(
        &mut self,
        start: Position,
        page: Result<Page>,
        purges: u64,
        woken: &mut Vec<Waker>,
    ) {
        let readers = self.pages.done(start);
        let error = match page {
            Ok(_) if purges != self.purges => None,
            Ok(page) => {
                self.pages.keep(page);
                None
            }
            Err(error) => Some(error),
        };
        for key in readers {
            if let Some(subscriber) = self.subscribers.get_mut(key) {
                subscriber.failed = error.clone().map(Box::new);
                woken.extend(subscriber.waker.take());
            }
        }
    }

    /// Time went on: marks who needs a sign of life or has to go. Answers how many events the one is behind that is
    /// furthest behind.
    pub fn advance(&mut self, tick: u32, woken: &mut Vec<Waker>) -> HashMap<Id, u64> {
        self.tick = tick;
        let head = self.ring.head();
        let mut largest_lag: HashMap<Id, u64> = HashMap::new();
        let mut anyone_reads = false;
        for subscriber in self.subscribers.iter_mut() {
            let lag = head.0.saturating_sub(subscriber.resume(head).0);
            let tenant = subscriber.filter.tenant();
            match largest_lag.get_mut(tenant) {
                Some(largest) => *largest = lag.max(*largest),
                None => drop(largest_lag.insert(tenant.clone(), lag)),
            }
            anyone_reads |= subscriber.place == Place::Log;
            let old = tick >= subscriber.ends_at && subscriber.leave.is_none();
            if old {
                subscriber.leave = Some((Leave::Lifetime, std::time::Duration::ZERO));
            }
            let quiet = tick.saturating_sub(subscriber.quiet_since);
            // One tick early: the interval is a promise, and the last sign came within a tick.
            let silent = !subscriber.checkpoint_due && quiet + 1 >= subscriber.heartbeat;
            subscriber.checkpoint_due |= silent;
            if old || silent {
                woken.extend(subscriber.waker.take());
            }
        }
        if !anyone_reads {
            self.pages.clear();
        }
        largest_lag
    }

    /// Everyone gets a checkpoint.
    pub fn checkpoint_all(&mut self, woken: &mut Vec<Waker>) {
        for subscriber in self.subscribers.iter_mut() {
            subscriber.checkpoint_due = true;
            woken.extend(subscriber.waker.take());
        }
    }

    /// Refuses new subscribers. Answers how many there are to say goodbye to.
    pub fn stop(&mut self) -> usize {
        self.stopping = true;
        self.subscribers.len()
    }

    /// Says goodbye to so many of those who were not told yet.
    pub fn dismiss(
        &mut self,
        count: usize,
        mut reconnect_after: impl FnMut() -> std::time::Duration,
        woken: &mut Vec<Waker>,
    ) {
        let staying = self
            .subscribers
            .iter_mut()
            .filter(|each| each.leave.is_none());
        for subscriber in staying.take(count) {
            subscriber.leave = Some((Leave::Shutdown, reconnect_after()));
            woken.extend(subscriber.waker.take());
        }
    }

    /// Whether anyone would see such an event of the agent.
    pub fn anyone_for(&self, agent: &Id, kind: EventKind) -> bool {
        let is_of_interest = |filter: &Filter| filter.matches_of_agent(agent, kind);
        self.interests.values().any(is_of_interest)
            || self
                .index
                .candidates_of_agent(agent)
                .filter_map(|index| self.subscribers.at(index))
                .any(|subscriber| {
                    subscriber.leave.is_none() && subscriber.filter.matches_of_agent(agent, kind)
                })
    }
}
