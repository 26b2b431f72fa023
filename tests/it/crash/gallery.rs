//! All subscribers of a run: where each is, how far it has come, and how long it went without anything.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::recorder::Recorder;
use crate::journal::Logged;

/// What is known of one subscriber.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The replica that it turned to; unknown behind a load balancer.
    pub at: Option<usize>,
    pub connection: u32,
    pub position: u64,
    /// Streams that the server ended itself, with a cursor to resume from.
    pub goodbyes: u32,
    last: Instant,
    /// The longest time without an event.
    pub longest: Duration,
}

/// All subscribers of a run.
pub struct Gallery {
    recorder: Arc<Recorder>,
    seen: Mutex<BTreeMap<String, Seen>>,
    changed: watch::Sender<()>,
}

impl Gallery {
    pub fn new(recorder: &Arc<Recorder>) -> Arc<Self> {
        Arc::new(Self {
            recorder: Arc::clone(recorder),
            seen: Mutex::default(),
            changed: watch::Sender::new(()),
        })
    }

    pub fn seen(&self) -> BTreeMap<String, Seen> {
        self.lock().clone()
    }

    /// Counts the time without an event from now on.
    pub fn measure(&self) {
        for seen in self.lock().values_mut() {
            (seen.last, seen.longest) = (Instant::now(), Duration::ZERO);
        }
    }

    /// Waits until `enough` holds of every subscriber. Answers since when it does.
    pub async fn until(&self, enough: impl Fn(&str, &Seen) -> bool) -> Instant {
        let mut changed = self.changed.subscribe();
        while !self.lock().iter().all(|(name, seen)| enough(name, seen)) {
            changed.changed().await.expect("the sender is our own");
        }
        Instant::now()
    }

    pub(super) fn subscribed(&self, name: &str, conversations: &[String]) {
        self.recorder.subscribed(name, conversations);
        let seen = Seen {
            at: None,
            connection: 0,
            position: 0,
            goodbyes: 0,
            last: Instant::now(),
            longest: Duration::ZERO,
        };
        self.lock().insert(name.to_owned(), seen);
    }

    pub(super) fn connected(&self, name: &str, at: Option<usize>) -> u32 {
        self.recorder.resumed();
        let connection = self.change(name, |seen| {
            seen.at = at;
            seen.connection += 1;
            seen.connection
        });
        self.changed.send_replace(());
        connection
    }

    pub(super) fn delivered(&self, name: &str, connection: u32, logged: Logged) {
        let position = logged.position;
        self.recorder.delivered(name, connection, logged);
        self.change(name, |seen| {
            let now = Instant::now();
            seen.position = seen.position.max(position);
            seen.longest = seen.longest.max(now - seen.last);
            seen.last = now;
        });
        self.changed.send_replace(());
    }

    pub(super) fn said_goodbye(&self, name: &str) {
        self.change(name, |seen| seen.goodbyes += 1);
    }

    fn change<T>(&self, name: &str, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(self.lock().get_mut(name).expect("it has subscribed"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
