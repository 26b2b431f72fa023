//! Every choice of a run, drawn from its seed.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Clones draw from the same well. One thread runs a seed, so what is drawn depends on nothing but the seed.
#[derive(Debug, Clone)]
pub(super) struct Chance(Arc<Mutex<fastrand::Rng>>);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    pub(super) fn number(&self) -> u64 {
        self.draw(|rng| rng.u64(..))
    }

    /// Within a range that is not empty.
    pub(super) fn within(&self, range: Range<u64>) -> u64 {
        self.draw(|rng| rng.u64(range))
    }

    pub(super) fn index(&self, count: usize) -> usize {
        self.draw(|rng| rng.usize(..count))
    }

    pub(super) fn percent(&self, percent: u64) -> bool {
        percent > 0 && self.within(0..100) < percent
    }

    pub(super) fn millis(&self, range: Range<u64>) -> Duration {
        Duration::from_micros(self.within(range.start * 1000..range.end * 1000))
    }

    pub(super) fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
