//! How far the latest request on an HTTP/1 connection has come, and when its first byte came.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The latest request's progress. Clones speak of the same connection.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Inner>);

/// When the first byte of a request came.
#[derive(Debug, Clone, Copy)]
pub struct RequestStart(pub Instant);

#[derive(Debug)]
struct Inner {
    accepted: Instant,
    /// Microseconds after `accepted`.
    began: AtomicU64,
    phase: AtomicU8,
}

/// Nothing has come of the next request.
const IDLE: u8 = 0;
/// Its headers are coming.
const HEADERS: u8 = 1;
/// It is being served.
const SERVED: u8 = 2;

impl Progress {
    /// A connection accepted now.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            accepted: Instant::now(),
            began: AtomicU64::new(0),
            phase: AtomicU8::new(IDLE),
        }))
    }

    /// Bytes came. True: they are the first of a request.
    pub(super) fn bytes_came(&self) -> bool {
        let is_first = self.0.phase.load(Ordering::Relaxed) == IDLE;
        if is_first {
            self.begin(HEADERS);
        }
        is_first
    }

    pub(super) fn is_in_headers(&self) -> bool {
        self.0.phase.load(Ordering::Relaxed) == HEADERS
    }

    /// The headers are complete.
    pub fn headers_complete(&self) -> RequestStart {
        // A request that was sent along with the one before began, for us, when that one was answered.
        if self.0.phase.swap(SERVED, Ordering::Relaxed) != HEADERS {
            self.begin(SERVED);
        }
        let micros = self.0.began.load(Ordering::Relaxed);
        RequestStart(self.0.accepted + Duration::from_micros(micros))
    }

    /// The answer is ready; what comes next is another request.
    pub fn answered(&self) {
        self.0.phase.store(IDLE, Ordering::Relaxed);
    }

    fn begin(&self, phase: u8) {
        let micros = self.0.accepted.elapsed().as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.0.began.store(micros, Ordering::Relaxed);
        self.0.phase.store(phase, Ordering::Relaxed);
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
