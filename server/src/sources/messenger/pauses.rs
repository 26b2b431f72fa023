//! Conversations that the platform wants to be slower with. Each is left alone by itself; the others go on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::{Clock, Timestamp};

/// The first pause, and the longest: doubling from the one, the other is reached after six refusals, and an hour is
/// longer than any rate's span but that of a day.
pub(super) const FIRST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(1);
/// Conversations that are remembered, at some hundred bytes each. Forgetting one costs a refused call.
const MOST: usize = 10_000;

/// Which conversations are to be left alone, and until when.
#[derive(Debug)]
pub(super) struct Pauses {
    clock: Arc<dyn Clock>,
    paused: Mutex<HashMap<String, Pause>>,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Timestamp,
    /// How long it is, or was.
    length: Duration,
}

impl Pauses {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            paused: Mutex::default(),
        }
    }

    /// What is left of a visitor's pause.
    pub(super) fn left(&self, psid: &str) -> Option<Duration> {
        let pause = self.lock().get(psid).copied()?;
        let left = pause.until.since(self.clock.now());
        (!left.is_zero()).then_some(left)
    }

    /// The platform refused for being too fast: begins a pause, twice as long as the one before.
    pub(super) fn begin(&self, psid: &str) -> Duration {
        let now = self.clock.now();
        let mut paused = self.lock();
        let length = paused
            .get(psid)
            .map_or(FIRST, |pause| (pause.length * 2).min(LONGEST));
        if paused.len() >= MOST && !paused.contains_key(psid) {
            make_room(&mut paused, now);
        }
        let until = now + length;
        paused.insert(psid.to_owned(), Pause { until, length });
        length
    }

    /// It went through.
    pub(super) fn end(&self, psid: &str) {
        self.lock().remove(psid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Pause>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(paused: &mut HashMap<String, Pause>, now: Timestamp) {
    paused.retain(|_, pause| pause.until > now);
    while paused.len() >= MOST {
        let first = paused.iter().min_by_key(|(_, pause)| pause.until);
        let Some(first) = first.map(|(psid, _)| psid.clone()) else {
            return;
        };
        paused.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many as are remembered; number `n` ends at `n`.
    fn full() -> HashMap<String, Pause> {
        let ends = |number| {
            let until = Timestamp(number);
            let length = FIRST;
            (number.to_string(), Pause { until, length })
        };
        (0..10_000).map(ends).collect()
    }

    #[test]
    fn pauses_that_are_over_make_room_for_others() {
        let mut paused = full();
        assert_eq!(paused.len(), MOST);
        make_room(&mut paused, Timestamp(99));
        assert_eq!(paused.len(), MOST - 100);
        assert!(paused.contains_key("100"));
    }

    #[test]
    fn while_none_is_over_the_one_that_ends_first_makes_room() {
        let mut paused = full();
        make_room(&mut paused, Timestamp(-1));
        assert_eq!(paused.len(), MOST - 1);
        assert!(!paused.contains_key("0"));
    }
}
