//! The task: takes what waits, commits it, publishes it, answers.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Observers, Work,
    attempt::{Attempt, attempt},
    queue::{Queue, Waiting},
};
use crate::domain::{
    Error, Position, Result,
    ports::{Batch, Store},
};

/// A store that is busy is tried this often in all; what waits behind it waits as well.
const TRIES: u32 = 3;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

type Units = Vec<Box<dyn Work>>;

pub(super) struct Runner {
    pub(super) store: Arc<dyn Store>,
    pub(super) observers: Observers,
    pub(super) max_batch: usize,
    pub(super) queue: Arc<Queue>,
}

/// Nobody can tell what is in the store: nothing more may be done with it.
struct Lost;

impl Runner {
    pub(super) async fn run(self) {
        loop {
            let taken = self.queue.take(self.max_batch).await;
            if taken.is_empty() {
                return;
            }
            let done = self.settle(self.units(taken)).await;
            self.queue.done();
            if let Err(Lost) = done {
                tracing::error!(
                    "nobody can tell whether a commit was made: the server has to recover"
                );
                self.queue.close(Error::StoreUnavailable);
                (self.observers.fatal)();
                return;
            }
        }
    }

    fn units(&self, taken: Vec<Waiting>) -> Units {
        let units = taken.into_iter().map(|waiting| {
            self.observers.metrics.log.waited(waiting.since.elapsed());
            waiting.work
        });
        units.collect()
    }

    /// Brings every unit to its end: durable or refused.
    async fn settle(&self, units: Units) -> Result<(), Lost> {
        let mut groups = VecDeque::from([units]);
        while let Some(mut units) = groups.pop_front() {
            match self.try_to_commit(&mut units).await {
                Attempt::Committed(batch, ran) => self.publish(batch, units, ran),
                Attempt::Without(index, error) => {
                    units.remove(index).refused(error);
                    if !units.is_empty() {
                        groups.push_front(units);
                    }
                }
                Attempt::Refused if units.len() > 1 => {
                    tracing::error!("events were refused: the batch is committed one by one");
                    groups = units
                        .into_iter()
                        .map(|unit| vec![unit])
                        .chain(groups)
                        .collect();
                }
                Attempt::Refused => refuse(units, &Error::Internal),
                Attempt::Trouble(error) => {
                    self.observers.metrics.log.failed();
                    refuse(units, &error);
                }
                Attempt::Lost => {
                    self.observers.metrics.log.failed();
                    refuse(units, &Error::StoreUnavailable);
                    refuse(groups.into_iter().flatten(), &Error::StoreUnavailable);
                    return Err(Lost);
                }
            }
        }
        Ok(())
    }

    /// Tries again while the store is busy; a full disk does not empty itself so soon.
    async fn try_to_commit(&self, units: &mut Units) -> Attempt {
        let mut tried = 1;
        loop {
            let begun = Instant::now();
            let ended = attempt(&*self.store, units).await;
            match &ended {
                Attempt::Trouble(Error::StoreUnavailable) if tried < TRIES => tried += 1,
                Attempt::Committed(..) => {
                    let count = u32::try_from(units.len()).unwrap_or(u32::MAX);
                    self.observers.metrics.log.committed(count, begun.elapsed());
                    return ended;
                }
                _ => return ended,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Subscribers and lanes first, then those who handed in.
    fn publish(&self, batch: Batch, units: Units, ran: Vec<Result<usize>>) {
        let first = batch.events.first().map_or(0, |event| event.position.0);
        // The events are durable: whoever misses them here finds them in the log.
        let told = catch_unwind(AssertUnwindSafe(|| (self.observers.publish)(batch)));
        if told.is_err() {
            tracing::error!("what follows a commit panicked; it is made up for from the log");
        }
        for (unit, ran) in units.into_iter().zip(ran) {
            match ran {
                Ok(before) => unit.committed(Position(first + before as u64)),
                Err(error) => unit.refused(error),
            }
        }
    }
}

/// However the task ends, nobody waits for it in vain.
impl Drop for Runner {
    fn drop(&mut self) {
        self.queue.close(Error::StoreUnavailable);
        let rest = self.queue.take_rest().into_iter();
        refuse(rest.map(|waiting| waiting.work), &Error::StoreUnavailable);
        self.queue.end();
    }
}

fn refuse(units: impl IntoIterator<Item = Box<dyn Work>>, error: &Error) {
    for unit in units {
        unit.refused(error.clone());
    }
}
