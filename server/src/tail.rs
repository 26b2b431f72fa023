//! The end of the log as this process sees it: every event in order, whichever replica committed it, for the subscribers
//! and for those who wait here. The database is the truth; being rung is a hint, and looking now and then makes up for
//! every hint that was lost.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        Event, Position, Result, StoredEvent,
        ports::{Batch, Store},
    },
    hub::Hub,
    waiters::Waiters,
};

/// Events that are read at once, and their bytes: as much as a few commits.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: usize = 1 << 20;
/// Between two tries when the database cannot be read.
const PAUSE: Duration = Duration::from_millis(200);

/// How often the log is looked at although nobody rang.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// While a bell would be heard: so late may an event be whose ring was lost.
    pub connected: Duration,
    /// While it is known that none would be.
    pub alone: Duration,
}

/// Where this process has come to.
#[derive(Debug)]
pub struct Tail {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    waiters: Arc<Waiters>,
    /// The newest event that was told here. Held while events are told, so that they are told in order.
    head: Mutex<Position>,
    rung: Notify,
    hears: AtomicBool,
}

impl Tail {
    /// Begins after `head`.
    pub fn new(
        store: Arc<dyn Store>,
        hub: Arc<Hub>,
        waiters: Arc<Waiters>,
        head: Position,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            hub,
            waiters,
            head: Mutex::new(head),
            rung: Notify::new(),
            hears: AtomicBool::new(false),
        })
    }

    /// This process committed. Where others have committed before it, their events are read first, and these with them.
    pub fn committed(&self, batch: &Batch) {
        let Some(first) = batch.events.first() else {
            return;
        };
        let mut head = self.head();
        if first.position == head.next() {
            self.tell(&mut head, &batch.events, &batch.facts);
        } else {
            drop(head);
            self.ring();
        }
    }

    /// There may be something new. Ringing too often is harmless.
    pub fn ring(&self) {
        self.rung.notify_one();
    }

    /// Somebody says that the log ends at `head`, and may be wrong: what it really holds is read.
    pub fn told(&self, head: Position) {
        if head > *self.head() {
            self.ring();
        }
    }

    /// Whether rings are heard from now on. The log is looked at once: for what was missed until now.
    pub fn hears(&self, hears: bool) {
        self.hears.store(hears, Ordering::Relaxed);
        self.ring();
    }

    /// Reads what other replicas commit: when rung, and now and then.
    pub async fn run(self: Arc<Self>, looks: Looks, stop: CancellationToken) {
        let mut erased = 0;
        let work = async {
            loop {
                let pause = match self.read_on(&mut erased).await {
                    Ok(()) => self.pause(looks).mul_f64(0.8 + 0.4 * fastrand::f64()),
                    Err(error) => {
                        tracing::warn!(%error, "the log could not be read, trying again");
                        PAUSE
                    }
                };
                // A ring since the last read is kept, so none is missed.
                let _ = tokio::time::timeout(pause, self.rung.notified()).await;
            }
        };
        // Reads run in tasks of their own, so that ending here cancels none.
        stop.run_until_cancelled(work).await;
    }

    fn pause(&self, looks: Looks) -> Duration {
        if self.hears.load(Ordering::Relaxed) {
            looks.connected
        } else {
            looks.alone
        }
    }

    /// Reads until nothing is left.
    async fn read_on(&self, erased: &mut u64) -> Result<()> {
        let now = self.store.erased_elsewhere().await?;
        if *erased != now {
            *erased = now;
            self.hub.purge();
        }
        loop {
            let after = *self.head();
            let page = self.store.tail(after, PAGE_EVENTS, PAGE_BYTES).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut head = self.head();
            let fresh = page.into_iter().filter(|(event, _)| event.position > *head);
            let (events, facts): (Vec<_>, Vec<_>) = fresh.unzip();
            self.tell(&mut head, &events, &facts);
        }
    }

    fn tell(&self, head: &mut Position, events: &[StoredEvent], facts: &[Arc<Event>]) {
        self.hub.publish(events);
        self.waiters.tell(facts);
        if let Some(last) = events.last() {
            *head = last.position;
        }
    }

    fn head(&self) -> MutexGuard<'_, Position> {
        // A panic elsewhere leaves a position that is too low at worst: the hub passes over what it has.
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
