//! Whether work is welcome: between start and stop, while the committer keeps up.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use thiserror::Error;

/// Whether work is welcome. Clones speak of the same server.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

/// Why it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotReady {
    /// The server has not started yet.
    #[error("starting")]
    Starting,
    /// It is about to go.
    #[error("stopping")]
    Stopping,
    /// Work has waited too long for its commit.
    #[error("work has waited {0:?} for its commit")]
    Stalled(Duration),
}

struct Inner {
    phase: AtomicU8,
    longest_wait: Duration,
    oldest_wait: Box<dyn Fn() -> Duration + Send + Sync>,
}

const STARTING: u8 = 0;
const READY: u8 = 1;
const STOPPING: u8 = 2;

impl Readiness {
    /// Starting. `oldest_wait` tells how long the oldest work has been waiting for its commit; above `longest_wait`
    /// the server is not ready.
    pub fn new(
        longest_wait: Duration,
        oldest_wait: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            phase: AtomicU8::new(STARTING),
            longest_wait,
            oldest_wait: Box::new(oldest_wait),
        }))
    }

    /// The server has started, unless it is stopping already.
    pub fn started(&self) {
        let phase = &self.0.phase;
        let _ = phase.compare_exchange(STARTING, READY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The server is about to go. Final.
    pub fn stopping(&self) {
        self.0.phase.store(STOPPING, Ordering::Relaxed);
    }

    /// Whether work is welcome now.
    ///
    /// # Errors
    ///
    /// Why it is not.
    pub fn check(&self) -> Result<(), NotReady> {
        match self.0.phase.load(Ordering::Relaxed) {
            STARTING => return Err(NotReady::Starting),
            STOPPING => return Err(NotReady::Stopping),
            _ => {}
        }
        let wait = (self.0.oldest_wait)();
        if wait > self.0.longest_wait {
            return Err(NotReady::Stalled(wait));
        }
        Ok(())
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&self.check()).finish()
    }
}
