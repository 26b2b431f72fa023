//! The simulator's time: the machine's own, plus what a test has added to it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that runs by itself and can be moved forward. Copies share their time.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    added: watch::Sender<Duration>,
}

/// A point on a [`Clock`]: the time since it was made.
pub type Moment = Duration;

impl Clock {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            added: watch::Sender::new(Duration::ZERO),
        }
    }

    pub fn now(&self) -> Moment {
        self.started.elapsed() + *self.added.borrow()
    }

    /// Moves the clock forward; everything that falls due wakes at once.
    pub fn advance(&self, by: Duration) {
        self.added.send_modify(|added| *added += by);
    }

    /// Returns when the clock shows `moment` or later.
    pub async fn sleep_until(&self, moment: Moment) {
        let mut moved = self.added.subscribe();
        loop {
            let left = moment.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The sender lives in `self`, so this cannot be an error.
                _ = moved.changed() => {}
            }
        }
    }

    /// As [`Clock::sleep_until`]; without a moment it never returns.
    pub(super) async fn sleep_until_any(&self, moment: Option<Moment>) {
        match moment {
            Some(moment) => self.sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }
}
