//! What the drivers write down together, and what is in flight at any moment.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use tokio::{sync::watch, time::Instant};

use crate::journal::{Entry, Fact, Journal, Logged};

/// One for all drivers: they share its clock.
pub struct Recorder {
    begun: Instant,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    journals: BTreeMap<String, Journal>,
    unanswered: HashSet<String>,
    acknowledged: HashSet<String>,
    /// Operations that a subscriber has seen.
    seen: HashSet<String>,
    /// Messages whose outcome a subscriber has seen.
    settled: HashSet<String>,
    /// Acknowledged, and neither seen nor settled so far.
    under_way: HashSet<String>,
    resumed: usize,
}

impl Recorder {
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            state: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Microseconds since the run began.
    pub fn tick_of(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begun).as_micros()).expect("a run is short")
    }

    pub fn asked(&self, driver: &str, conversation: &str, key: &str) {
        let tick = self.tick_of(Instant::now());
        self.change(|state| {
            state.unanswered.insert(key.to_owned());
            let (conversation, key) = (conversation.to_owned(), key.to_owned());
            state.write(
                driver,
                Entry::Asked {
                    tick,
                    conversation,
                    key,
                },
            );
        });
    }

    pub fn acknowledged(&self, driver: &str, key: &str) {
        let tick = self.tick_of(Instant::now());
        self.change(|state| {
            state.unanswered.remove(key);
            state.acknowledged.insert(key.to_owned());
            state.write(
                driver,
                Entry::Acknowledged {
                    tick,
                    key: key.to_owned(),
                },
            );
            if !state.is_done(key) {
                state.under_way.insert(key.to_owned());
            }
        });
    }

    /// A webhook that the simulated platform sent by itself: it tells of both ends once it is answered.
    pub fn platform_webhook(
        &self,
        conversation: &str,
        key: &str,
        started: Instant,
        acknowledged: Option<Instant>,
    ) {
        let (conversation, key) = (conversation.to_owned(), key.to_owned());
        let tick = self.tick_of(started);
        let acknowledged = acknowledged.map(|at| self.tick_of(at));
        self.change(|state| {
            state.write(
                "platform",
                Entry::Asked {
                    tick,
                    conversation,
                    key: key.clone(),
                },
            );
            if let Some(tick) = acknowledged {
                state.write("platform", Entry::Acknowledged { tick, key });
            }
        });
    }

    pub fn subscribed(&self, subscriber: &str, conversations: &[String]) {
        let entry = Entry::Subscribed {
            subscriber: subscriber.to_owned(),
            after: 0,
            conversations: conversations.to_vec(),
        };
        self.change(|state| state.write(subscriber, entry));
    }

    pub fn resumed(&self) {
        self.change(|state| state.resumed += 1);
    }

    pub fn delivered(&self, subscriber: &str, connection: u32, logged: Logged) {
        self.change(|state| {
            state.saw(&logged.fact);
            let subscriber = subscriber.to_owned();
            state.write(
                &subscriber.clone(),
                Entry::Delivered {
                    subscriber,
                    connection,
                    logged,
                },
            );
        });
    }

    /// How many operations are acknowledged and not yet through, and how many have been asked for and not answered.
    pub fn in_flight(&self) -> (usize, usize) {
        self.look(|state| (state.under_way.len(), state.unanswered.len()))
    }

    pub fn operations(&self) -> usize {
        self.look(|state| state.acknowledged.len())
    }

    pub fn resumes(&self) -> usize {
        self.look(|state| state.resumed)
    }

    /// Returns once `enough` holds.
    pub async fn until(&self, enough: impl Fn(&Self) -> bool) {
        let mut changed = self.changed.subscribe();
        while !enough(self) {
            changed
                .changed()
                .await
                .expect("the sender lives as long as the recorder");
        }
    }

    /// The furthest position that a subscriber has reached.
    pub fn reached(&self, subscriber: &str) -> u64 {
        self.look(|state| {
            let entries = state
                .journals
                .get(subscriber)
                .map_or(&[][..], |journal| &journal.0);
            entries.iter().rev().find_map(|entry| match entry {
                Entry::Delivered { logged, .. } => Some(logged.position),
                _ => None,
            })
        })
        .unwrap_or(0)
    }

    /// Everything that was written, without what subscribers got after `end`: the log was read up to there.
    pub fn journals(&self, end: u64) -> Vec<Journal> {
        let in_range = |entry: &Entry| !matches!(entry, Entry::Delivered { logged, .. } if logged.position > end);
        self.look(|state| {
            let journals = state.journals.values();
            journals
                .map(|journal| {
                    Journal(
                        journal
                            .0
                            .iter()
                            .filter(|entry| in_range(entry))
                            .cloned()
                            .collect(),
                    )
                })
                .collect()
        })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
    }

    fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn write(&mut self, driver: &str, entry: Entry) {
        self.journals
            .entry(driver.to_owned())
            .or_default()
            .0
            .push(entry);
    }

    fn saw(&mut self, fact: &Fact) {
        let key = match fact {
            Fact::Operation { key, owed } => {
                self.seen.insert(key.clone());
                if !owed {
                    self.settled.insert(key.clone());
                }
                key
            }
            Fact::Settled { key, .. } => {
                self.settled.insert(key.clone());
                key
            }
            Fact::Other => return,
        };
        if self.is_done(key) {
            self.under_way.remove(key);
        }
    }

    fn is_done(&self, key: &str) -> bool {
        self.seen.contains(key) && self.settled.contains(key)
    }
}
