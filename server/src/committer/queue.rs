//! What waits for its commit: bounded, first in, first out.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::domain::{Error, Result};

pub(super) struct Queue {
    max_waiting: usize,
    state: Mutex<State>,
    rung: Notify,
    ended: CancellationToken,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Since when the oldest of those that are being committed has waited.
    under_way: Option<Instant>,
    /// What whoever comes now is told.
    closed: Option<Error>,
}

/// A unit of work, and since when it waits.
pub(super) struct Waiting {
    pub(super) work: Box<dyn Work>,
    pub(super) since: Instant,
}

impl Queue {
    pub(super) fn new(max_waiting: usize) -> Self {
        Self {
            max_waiting,
            state: Mutex::default(),
            rung: Notify::new(),
            ended: CancellationToken::new(),
        }
    }

    pub(super) fn push(&self, work: Box<dyn Work>) -> Result<()> {
        let mut state = self.lock();
        if let Some(error) = &state.closed {
            return Err(error.clone());
        }
        if state.waiting.len() >= self.max_waiting {
            return Err(Error::StoreUnavailable);
        }
        let since = Instant::now();
        state.waiting.push_back(Waiting { work, since });
        drop(state);
        self.rung.notify_one();
        Ok(())
    }

    /// Waits until something is there and takes up to `most` of it. Empty: closed, and all was taken.
    pub(super) async fn take(&self, most: usize) -> Vec<Waiting> {
        loop {
            if let Some(taken) = self.take_now(most) {
                return taken;
            }
            // A ring since then is kept, so none is missed.
            self.rung.notified().await;
        }
    }

    /// Whoever comes from now on is told `error`; the first who closes decides.
    pub(super) fn close(&self, error: Error) {
        self.lock().closed.get_or_insert(error);
        self.rung.notify_one();
    }

    /// Everything that still waits.
    pub(super) fn take_rest(&self) -> Vec<Waiting> {
        mem::take(&mut self.lock().waiting).into()
    }

    /// What was taken last is done.
    pub(super) fn done(&self) {
        self.lock().under_way = None;
    }

    /// Nothing will be taken any more.
    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn oldest_age(&self) -> Duration {
        let state = self.lock();
        let waiting = state.waiting.front().map(|first| first.since);
        let oldest = state.under_way.or(waiting);
        oldest.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Absent: nothing is there yet. Empty: nothing will be there any more.
    fn take_now(&self, most: usize) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        if state.waiting.is_empty() && state.closed.is_none() {
            return None;
        }
        let count = state.waiting.len().min(most);
        let taken: Vec<_> = state.waiting.drain(..count).collect();
        state.under_way = taken.first().map(|first| first.since);
        Some(taken)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way, so what a panic elsewhere left is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
