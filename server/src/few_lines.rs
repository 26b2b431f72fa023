//! So many lines a minute and no more: a flood of refusals must not fill the disk.

use std::time::Duration;

use crate::domain::Timestamp;

/// Lines are counted by the minute.
pub const WINDOW: Duration = Duration::from_mins(1);

/// The lines about one thing.
#[derive(Debug)]
pub struct FewLines {
    since: Timestamp,
    told: u32,
    /// Since the last line.
    unsaid: u64,
}

impl FewLines {
    pub fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            told: 0,
            unsaid: 0,
        }
    }

    /// How many lines went unsaid before this one, which may be told; `None`: it goes unsaid too.
    pub fn may_tell(&mut self, now: Timestamp, per_minute: u32) -> Option<u64> {
        if now.since(self.since) >= WINDOW || self.since > now {
            self.since = now;
            self.told = 0;
        }
        if self.told >= per_minute {
            self.unsaid += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.unsaid))
    }
}
