//! The one append path: webhooks and commands hand in units of work, and what waits is committed together. A reply is
//! given only once its unit is durable.

mod attempt;
mod queue;
mod run;
mod work;

#[cfg(test)]
mod tests;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::{
    domain::{
        Error, Position, Result,
        ports::{Batch, Store, Unit},
    },
    metrics::Metrics,
};

use self::{
    queue::Queue,
    run::Runner,
    work::{Job, Work},
};

/// Hands units of work to the task that commits them. Clones speak to the same one.
#[derive(Clone)]
pub struct Committer(Arc<Handle>);

/// How much is taken at once, and how much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitterSettings {
    /// Units of work in one commit at most. A batch is never waited for: what is there goes.
    pub max_batch: usize,
    /// Units of work that may wait. Above that, `submit` answers `StoreUnavailable` at once.
    pub max_waiting: usize,
}

impl Default for CommitterSettings {
    fn default() -> Self {
        Self {
            max_batch: 128,
            // Several seconds of work for one disk: whoever would wait longer is better told so.
            max_waiting: 10_000,
        }
    }
}

/// What is told of commits.
pub struct Observers {
    /// Called in the order of the log, after each commit and before its submitters are answered. It must be quick: the
    /// next commit waits for it.
    pub publish: Box<dyn Fn(Batch) + Send + Sync>,
    /// Called once when nobody can tell whether a commit was made: the process must end, the next one recovers.
    pub fatal: Box<dyn Fn() + Send + Sync>,
    pub metrics: Arc<Metrics>,
}

/// What became of a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed<T> {
    pub output: T,
    /// Of the unit's first event. Means nothing where it appended none.
    pub first: Position,
}

impl<T> Committed<T> {
    /// Of the unit's event with this index, from 0, as `Transaction::append` told it.
    pub fn position(&self, index: usize) -> Position {
        Position(self.first.0 + index as u64)
    }
}

impl Committer {
    /// Starts the task. It ends after [`Committer::drain`], or once every `Committer` is dropped.
    pub fn start(store: Arc<dyn Store>, settings: CommitterSettings, observers: Observers) -> Self {
        let queue = Arc::new(Queue::new(settings.max_waiting));
        let runner = Runner {
            store,
            observers,
            max_batch: settings.max_batch.max(1),
            queue: Arc::clone(&queue),
        };
        tokio::spawn(runner.run());
        Self(Arc::new(Handle { queue }))
    }

    /// Hands in a unit, at once, and waits until it is durable or refused. Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// What the unit says; `StoreFull` and `StoreUnavailable` when it could not be committed or too much waits;
    /// `Stopping` after [`Committer::drain`]; `Internal` when it panicked.
    pub fn submit<U: Unit>(
        &self,
        unit: U,
    ) -> impl Future<Output = Result<Committed<U::Output>>> + Send + use<U> {
        let (reply, answer) = oneshot::channel();
        let handed_in = self.0.queue.push(Box::new(Job::new(unit, reply)));
        async move {
            handed_in?;
            // Gone without an answer: the runtime is being torn down.
            answer.await.unwrap_or(Err(Error::Stopping))
        }
    }

    /// Refuses what comes from now on, and waits until all that came before is committed.
    pub async fn drain(&self) {
        self.0.queue.close(Error::Stopping);
        self.0.queue.ended().await;
    }

    /// How long the oldest unit has been waiting for its commit to be done; zero when none does.
    pub fn stalled_for(&self) -> Duration {
        self.0.queue.oldest_age()
    }
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committer").finish_non_exhaustive()
    }
}

/// Ends the task once nobody can hand in any more.
struct Handle {
    queue: Arc<Queue>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close(Error::Stopping);
    }
}
