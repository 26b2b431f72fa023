//! The log and its commits.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::family::{registered, times};

/// The log and its commits.
#[derive(Debug)]
pub struct LogMetrics {
    batch: Histogram,
    time: Histogram,
    wait: Histogram,
    failures: Counter,
    trimmed: Counter,
    wal: Gauge,
}

impl LogMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        // From a lone command to the largest batch that may be configured.
        let sizes = (0..=12).map(|power| f64::from(1 << power));
        Self {
            batch: registered(
                r,
                "commit_batch_size",
                "Units of work in one commit",
                Histogram::new(sizes),
            ),
            time: registered(r, "commit_seconds", "Time that one commit took", times()),
            wait: registered(
                r,
                "commit_wait_seconds",
                "Time that a unit of work waited for its commit to begin",
                times(),
            ),
            failures: registered(
                r,
                "commit_failures",
                "Commits that failed",
                Counter::default(),
            ),
            trimmed: registered(
                r,
                "events_removed",
                "Events removed because of their age",
                Counter::default(),
            ),
            wal: registered(
                r,
                "wal_bytes",
                "Size of the database's write-ahead log",
                Gauge::default(),
            ),
        }
    }

    /// A batch was committed.
    pub fn committed(&self, units: u32, took: Duration) {
        self.batch.observe(units.into());
        self.time.observe(took.as_secs_f64());
    }

    /// A unit of work waited this long for its commit to begin.
    pub fn waited(&self, time: Duration) {
        self.wait.observe(time.as_secs_f64());
    }

    /// A commit failed.
    pub fn failed(&self) {
        self.failures.inc();
    }

    /// Events were removed because of their age.
    pub fn trimmed(&self, events: u64) {
        self.trimmed.inc_by(events);
    }

    /// How large the write-ahead log is.
    pub fn wal_bytes(&self, bytes: u64) {
        self.wal.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}
