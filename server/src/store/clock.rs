//! The database's clock. Where several replicas share a database its server tells the time: theirs may differ.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::connect::Location;
use crate::domain::{Clock, Timestamp};

/// This machine's clock, and how far the database's is from it.
#[derive(Debug)]
pub struct StoreClock {
    machine: Arc<dyn Clock>,
    /// Microseconds that the database's clock is ahead, as of the last transaction.
    ahead: AtomicI64,
    /// The database's server tells the time.
    is_shared: bool,
}

pub(super) fn of(location: &Location, machine: Arc<dyn Clock>) -> Arc<StoreClock> {
    let is_shared = matches!(location, Location::Server(_)) && machine.is_real();
    Arc::new(StoreClock::new(machine, is_shared))
}

impl StoreClock {
    pub(crate) fn new(machine: Arc<dyn Clock>, is_shared: bool) -> Self {
        Self {
            is_shared,
            machine,
            ahead: AtomicI64::new(0),
        }
    }

    /// What the database's server told just now.
    pub(crate) fn told(&self, time: Timestamp) {
        if self.is_shared {
            let ahead = time.0.saturating_sub(self.machine.now().0);
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp(self.machine.now().0.saturating_add(ahead))
    }
}
