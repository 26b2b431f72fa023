//! Forgetting what is in memory because it was erased: everyone reads on from the log, where it reads as erased.

use super::{Hub, wake};

impl Hub {
    /// Drops all that is kept for those who follow. What a stream has been handed already cannot be taken back.
    pub fn purge(&self) {
        let mut woken = Vec::new();
        self.lock().purge(&mut woken);
        wake(woken);
    }
}
