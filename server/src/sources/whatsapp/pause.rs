//! What keeps us from calling: a visitor who was written to too fast, and a token that must not be used any more.
//! Neither need survive a restart: the platform says it again.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::domain::Timestamp;

/// Visitors that are remembered at one time. Each waits for seconds, so even a busy number has a handful; this many
/// take about a megabyte.
const MAX_VISITORS: usize = 10_000;

/// Visitors who must not be written to before a time.
#[derive(Default)]
pub(super) struct Pauses(Mutex<HashMap<String, Timestamp>>);

impl Pauses {
    /// Nothing more to `visitor` before `until`.
    pub(super) fn pause(&self, visitor: &str, until: Timestamp, now: Timestamp) {
        let mut paused = lock(&self.0);
        paused.retain(|_, until| *until > now);
        if paused.len() >= MAX_VISITORS {
            let soonest = paused.iter().min_by_key(|(_, until)| **until);
            if let Some(soonest) = soonest.map(|(visitor, _)| visitor.clone()) {
                paused.remove(&soonest);
            }
        }
        let known = paused.entry(visitor.to_owned()).or_insert(until);
        *known = until.max(*known);
    }

    /// How long `visitor` has to be left alone yet.
    pub(super) fn left(&self, visitor: &str, now: Timestamp) -> Option<Duration> {
        let until = *lock(&self.0).get(visitor)?;
        Some(until.since(now)).filter(|left| !left.is_zero())
    }
}

/// How many, never who: they are phone numbers.
impl fmt::Debug for Pauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pauses")
            .field("visitors", &lock(&self.0).len())
            .finish_non_exhaustive()
    }
}

/// The token that must not be used any more, known by its hash.
#[derive(Default)]
pub(super) struct Stop(Mutex<Option<[u8; 32]>>);

impl Stop {
    /// Nothing more with `token`. True: that is news.
    pub(super) fn stop(&self, token: &str) -> bool {
        let hash = hash(token);
        lock(&self.0).replace(hash) != Some(hash)
    }

    pub(super) fn holds(&self, token: &str) -> bool {
        lock(&self.0).is_some_and(|stopped| stopped == hash(token))
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop")
            .field(&lock(&self.0).is_some())
            .finish()
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_are_remembered_while_they_wait_and_never_more_than_the_bound() {
        let pauses = Pauses::default();
        let at = |seconds: u64| Timestamp(0) + Duration::from_secs(seconds);
        for number in 0..MAX_VISITORS + 5 {
            let until = Timestamp(i64::try_from(number).expect("a few") + 10_000_000);
            pauses.pause(&number.to_string(), until, at(0));
        }
        assert_eq!(lock(&pauses.0).len(), MAX_VISITORS);
        assert_eq!(pauses.left("0", at(0)), None, "the soonest makes room");
        assert!(pauses.left("9999", at(0)).is_some());
        pauses.pause("late", at(30), at(20));
        assert_eq!(lock(&pauses.0).len(), 1, "the others have waited");
        assert_eq!(pauses.left("late", at(20)), Some(Duration::from_secs(10)));
        pauses.pause("late", at(25), at(21));
        assert_eq!(pauses.left("late", at(21)), Some(Duration::from_secs(9)));
        assert_eq!(pauses.left("late", at(30)), None);
    }
}
