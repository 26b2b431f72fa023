//! A clock that a test moves.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use parloir::domain::{Clock, SystemClock, Timestamp};

/// The machine's clock, and as much ahead of it as a test wants.
#[derive(Debug, Default)]
pub struct TestClock {
    /// Microseconds.
    ahead: AtomicI64,
}

impl TestClock {
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).expect("a time that fits");
        self.ahead.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.ahead.load(Ordering::SeqCst))
    }
}
