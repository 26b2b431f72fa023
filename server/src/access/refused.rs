//! What the log says of calls whose credentials do not count: anybody can send as many as they like.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::key::KeyId;
use crate::{domain::Clock, few_lines::FewLines};

/// Tells why calls are refused, in so many lines a minute.
#[derive(Debug)]
pub(super) struct RefusedCalls {
    clock: Arc<dyn Clock>,
    per_minute: u32,
    /// By key. What shows none that exists shares its lines: ids are made up easily.
    told: Mutex<HashMap<Option<KeyId>, FewLines>>,
}

impl RefusedCalls {
    pub fn new(clock: Arc<dyn Clock>, per_minute: u32) -> Self {
        Self {
            clock,
            per_minute,
            told: Mutex::default(),
        }
    }

    pub fn set_lines(&mut self, per_minute: u32) {
        self.per_minute = per_minute;
    }

    /// A call was refused that showed a key which exists.
    pub fn of_key(&self, key: KeyId, why: &'static str) {
        if let Some(unsaid) = self.may_tell(Some(key)) {
            tracing::info!(%key, why, unsaid, "a call was refused");
        }
    }

    /// A call was refused that showed a key which does not exist.
    pub fn of_unknown_key(&self, key: KeyId) {
        if let Some(unsaid) = self.may_tell(None) {
            let why = "there is no such key";
            tracing::info!(%key, why, unsaid, "a call was refused");
        }
    }

    /// A call was refused that showed no key.
    pub fn of_nobody(&self, why: &'static str) {
        if let Some(unsaid) = self.may_tell(None) {
            tracing::info!(why, unsaid, "a call was refused");
        }
    }

    /// Keys that are gone are not counted any longer.
    pub fn keep(&self, exists: impl Fn(KeyId) -> bool) {
        self.told().retain(|key, _| key.is_none_or(&exists));
    }

    fn may_tell(&self, key: Option<KeyId>) -> Option<u64> {
        let now = self.clock.now();
        let mut told = self.told();
        let lines = told.entry(key).or_insert_with(|| FewLines::new(now));
        lines.may_tell(now, self.per_minute)
    }

    fn told(&self) -> MutexGuard<'_, HashMap<Option<KeyId>, FewLines>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::Key, domain::SystemClock};

    #[test]
    fn a_flood_of_refused_calls_is_told_in_so_many_lines_and_hides_no_key_that_exists() {
        let calls = RefusedCalls::new(Arc::new(SystemClock), 2);
        let known = Key::generate().expect("random").id();
        for _ in 0..1000 {
            calls.of_unknown_key(Key::generate().expect("random").id());
            calls.of_nobody("it shows nothing");
        }
        assert_eq!(calls.told().len(), 1, "strangers take up no room");
        assert_eq!(calls.may_tell(None), None);
        let told: Vec<_> = (0..3).map(|_| calls.may_tell(Some(known))).collect();
        assert_eq!(told, [Some(0), Some(0), None]);
        calls.keep(|key| key != known);
        assert_eq!(calls.may_tell(Some(known)), Some(0));
    }
}
