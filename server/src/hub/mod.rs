//! The hub: one tail of the log per process. Each event is framed once, into a ring that everyone shares; a
//! subscriber is a position in it and never a queue, and takes everything that is new to it at once.
//!
//! It writes nothing and carries no truth: whoever drops out of the ring, or starts in the past, reads pages of the
//! log instead, and nothing is lost.

mod chunk;
mod filter;
mod frame;
mod index;
mod pages;
mod peek;
mod publish;
mod purge;
mod read;
mod ring;
mod settings;
mod shutdown;
mod slots;
mod start;
mod state;
mod subscriber;
mod subscription;
mod ticker;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use filter::{Concerns, Filter};
pub use frame::{Handed, append_handed, append_prefix};
pub use peek::Interest;
pub use settings::Settings;
pub use start::{OnExpired, Start, Wish};
pub use subscriber::{Leave, Notice};
pub use subscription::{Subscription, Terms};

use crate::{
    domain::{Directory, EventKind, Id, Position, ports::Store},
    live::Live,
    metrics::Metrics,
};
use chunk::Log;
use state::State;

/// Follows the log and feeds the streams.
#[derive(Debug)]
pub struct Hub {
    settings: Settings,
    store: Arc<dyn Store>,
    live: Arc<Live>,
    log: Log,
    state: Mutex<State>,
    /// How many pages may be read at once.
    reads: tokio::sync::Semaphore,
    heads: tokio::sync::watch::Sender<Position>,
    started: tokio::time::Instant,
    metrics: Arc<Metrics>,
}

impl Hub {
    /// Begins after `head`, the newest event of the log, and starts the clock of the streams, which runs until the
    /// hub is dropped. Must be called within a runtime.
    pub fn start(
        settings: Settings,
        store: Arc<dyn Store>,
        live: Arc<Live>,
        metrics: Arc<Metrics>,
        head: Position,
    ) -> Arc<Self> {
        let log = Log {
            epoch: store.epoch(),
            // One log; the number is in cursors so that there may be several one day.
            log_id: 0,
        };
        let hub = Arc::new(Self {
            state: Mutex::new(State::new(&settings, head)),
            reads: tokio::sync::Semaphore::new(settings.page_reads.max(1)),
            heads: tokio::sync::watch::Sender::new(head),
            settings,
            store,
            live,
            log,
            started: tokio::time::Instant::now(),
            metrics,
        });
        tokio::spawn(ticker::run(Arc::downgrade(&hub)));
        hub
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The database's identity, as it stands in cursors.
    pub fn epoch(&self) -> u64 {
        self.log.epoch
    }

    pub fn log_id(&self) -> u16 {
        self.log.log_id
    }

    /// The text that carries a position to callers.
    pub fn cursor(&self, position: Position) -> String {
        self.log.cursor(position).encode()
    }

    /// The newest event that was published.
    pub fn head(&self) -> Position {
        self.lock().ring.head()
    }

    /// A filter as a caller of this tenant names it. Empty lists match everything of the tenant.
    pub fn filter(
        &self,
        tenant: &Id,
        accounts: Vec<Id>,
        conversations: Vec<Id>,
        kinds: &[EventKind],
    ) -> Filter {
        Filter::new(
            tenant,
            accounts,
            conversations,
            kinds,
            &self.live.directory(),
        )
    }

    /// The accounts have these agents from now on: open streams find their events by them.
    pub fn reconfigure(&self, directory: &Directory) {
        self.lock().reconfigure(directory);
    }

    /// Whether a stream is open that an availability check of this agent would reach.
    pub fn has_subscribers_for(&self, agent: &Id) -> bool {
        self.lock()
            .anyone_for(agent, EventKind::AvailabilityRequested)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What a panic elsewhere left behind is a position too low at worst: events come twice, and none is lost.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes outside the lock, so that those who wake up do not find it taken.
fn wake(woken: Vec<std::task::Waker>) {
    for waker in woken {
        waker.wake();
    }
}
