//! `[log]`: the event log.

use std::time::Duration;

use super::section::section;

section! {
    /// The event log.
    LogConfig {
        /// Events older than this are removed, except those that something unfinished needs. A subscriber whose
        /// cursor is older is told of the gap.
        #[serde(with = "humantime_serde")]
        retention_age: Duration = Duration::from_hours(30 * 24), "1m" to "36500days";
        /// How often old events and forgotten idempotency keys are removed, and the gauges of named subscriptions counted.
        #[serde(with = "humantime_serde")]
        sweep_interval: Duration = Duration::from_mins(1), "10ms" to "1day";
        /// How long a repeated command or message is recognised. A repeat after that time is done again.
        #[serde(with = "humantime_serde")]
        idempotency_window: Duration = Duration::from_hours(7 * 24), "1m" to "365days";
        /// Commands and webhooks committed together at most. Larger batches carry more load and wait longer.
        commit_batch: usize = 128, "1" to "4096";
    }
}
