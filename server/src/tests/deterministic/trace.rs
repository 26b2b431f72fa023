//! What happened in a run: a number that two runs of one seed share, and its last lines in words.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Lines that a failing run shows.
const SHOWN: usize = 400;

#[derive(Debug, Default)]
pub(super) struct Trace {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sum: u64,
    steps: u64,
    /// What, who and how much; turned into words only when somebody reads them.
    last: VecDeque<(Duration, &'static str, u64, u64)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            sum: 0xcbf2_9ce4_8422_2325,
            steps: 0,
            last: VecDeque::new(),
        }
    }
}

impl Trace {
    pub(super) fn note(&self, now: Duration, what: &'static str, who: u64, much: u64) {
        let mut state = self.lock();
        state.steps += 1;
        let at = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        for number in [at, who, much] {
            state.sum = (state.sum ^ number).wrapping_mul(0x100_0000_01b3);
        }
        for byte in what.bytes() {
            state.sum = (state.sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if state.last.len() == SHOWN {
            state.last.pop_front();
        }
        state.last.push_back((now, what, who, much));
    }

    /// The same for every run of a seed.
    pub(super) fn sum(&self) -> u64 {
        self.lock().sum
    }

    pub(super) fn steps(&self) -> u64 {
        self.lock().steps
    }

    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        for (now, what, who, much) in &self.lock().last {
            let _ = writeln!(words, "{:>12.6} {who:>3} {what} {much}", now.as_secs_f64());
        }
        words
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
