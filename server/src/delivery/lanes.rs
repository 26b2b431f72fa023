//! Runs the lanes: a task for each conversation that has something to deliver, and none for the others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    committer::Committer,
    domain::{Attempt, Clock, ConversationKey, Directory, Error, Id, Sent, ports::Agent},
    metrics::Metrics,
};

use super::{
    advance::{Advance, Step},
    backoff::Backoff,
    breaker::Breakers,
    settle::Finished,
};

/// How long a lane waits when the store did not take its step: the outcome of a request must not be forgotten.
const STORE_RETRY: Duration = Duration::from_millis(500);

/// The time between two lanes that go on when their agent is back: ten thousand take ten seconds.
const RAMP: Duration = Duration::from_millis(1);

/// All lanes of this process.
#[derive(Debug)]
pub struct Lanes {
    agents: HashMap<Id, Arc<dyn Agent>>,
    directory: Arc<Directory>,
    breakers: Arc<Breakers>,
    backoff: Backoff,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    running: Mutex<HashMap<ConversationKey, Arc<Lane>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    // Set once: the committer tells lanes about commits, and lanes commit.
    committer: std::sync::OnceLock<Committer>,
}

/// One lane that runs.
#[derive(Debug, Default)]
struct Lane {
    rung: Notify,
    inbox: Mutex<Inbox>,
}

/// What reached a lane while it was busy.
#[derive(Debug, Default)]
struct Inbox {
    rung: bool,
    attempt: Option<Attempt>,
}

/// What the lanes are built from.
#[derive(Debug)]
pub struct Parts {
    pub agents: HashMap<Id, Arc<dyn Agent>>,
    pub directory: Arc<Directory>,
    pub breakers: Arc<Breakers>,
    pub backoff: Backoff,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
}

impl Lanes {
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            agents: parts.agents,
            directory: parts.directory,
            breakers: parts.breakers,
            backoff: parts.backoff,
            clock: parts.clock,
            metrics: parts.metrics,
            running: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            committer: std::sync::OnceLock::new(),
        })
    }

    /// Ties the lanes to the committer. Call once, before anything rings.
    pub fn attach(&self, committer: Committer) {
        // A second call would change nothing; there is none.
        let _ = self.committer.set(committer);
    }

    /// Something in this lane may be possible that was not before. Ringing too often is harmless.
    pub fn ring(self: &Arc<Self>, key: ConversationKey) {
        self.wake(key, None);
    }

    /// This delivery was committed ATTEMPTING: its request leaves now.
    pub fn start(self: &Arc<Self>, attempt: Attempt) {
        self.wake(attempt.delivery.key.clone(), Some(attempt));
    }

    /// Begins nothing more and waits until what is under way is committed.
    pub async fn drain(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn wake(self: &Arc<Self>, key: ConversationKey, attempt: Option<Attempt>) {
        let mut running = lock(&self.running);
        if let Some(lane) = running.get(&key) {
            let mut inbox = lock(&lane.inbox);
            inbox.rung = true;
            inbox.attempt = attempt.or(inbox.attempt.take());
            lane.rung.notify_one();
            return;
        }
        if self.stop.is_cancelled() && attempt.is_none() {
            return;
        }
        let lane = Arc::new(Lane::default());
        running.insert(key.clone(), Arc::clone(&lane));
        drop(running);
        let lanes = Arc::clone(self);
        self.tasks
            .spawn(async move { lanes.run(key, &lane, attempt).await });
    }

    async fn run(self: Arc<Self>, key: ConversationKey, lane: &Lane, mut attempt: Option<Attempt>) {
        loop {
            let finished = match attempt.take() {
                Some(attempt) => Some(self.send(attempt).await),
                None => None,
            };
            match self.advance(&key, finished).await {
                Step::Send(next) => attempt = Some(*next),
                Step::Wait(span) => attempt = self.wait(lane, span).await,
                Step::Idle => match self.leave(&key, lane) {
                    Some(inbox) => attempt = inbox.attempt,
                    None => return,
                },
            }
        }
    }

    async fn send(self: &Arc<Self>, attempt: Attempt) -> Finished {
        let name = &attempt.delivery.agent;
        let begun = Instant::now();
        let limit = self
            .directory
            .agent(name.as_str())
            .map(|settings| settings.send_timeout);
        let sent = match (self.agents.get(name), limit) {
            // A request that runs out of time may have arrived.
            (Some(agent), Some(limit)) => {
                tokio::time::timeout(limit, agent.send(&attempt.outbound))
                    .await
                    .unwrap_or(Sent::Unclear)
            }
            _ => Sent::NotSent,
        };
        if let Sent::Refused { refusal, .. } = &sent {
            tracing::warn!(agent = %name, ?refusal, "the agent's platform refused a request");
        }
        if self.breakers.record(name, &sent, self.clock.now()) {
            self.resume(name);
        }
        self.metrics
            .delivery
            .attempt(name.as_str(), outcome_label(&sent), begun.elapsed());
        self.metrics
            .delivery
            .breaker(name.as_str(), self.breakers.state(name));
        tracing::debug!(conversation = %attempt.delivery.key, delivery = %attempt.delivery.id,
            attempt = attempt.delivery.attempt, outcome = outcome_label(&sent), "a request to the agent ended");
        Finished { attempt, sent }
    }

    /// The agent is back: the lanes that wait for it go on, one after the other, so that it is not met by all at once.
    fn resume(self: &Arc<Self>, agent: &Id) {
        let is_of = |key: &ConversationKey| {
            let account = self.directory.account(&key.account);
            account.is_ok_and(|(_, settings)| &settings.name == agent)
        };
        let waiting: Vec<_> = lock(&self.running)
            .keys()
            .filter(|key| is_of(key))
            .cloned()
            .collect();
        let lanes = Arc::clone(self);
        tokio::spawn(async move {
            for key in waiting {
                lanes.ring(key);
                tokio::time::sleep(RAMP).await;
            }
        });
    }

    /// Commits until the store takes it: only the end of the process may lose how a request ended.
    async fn advance(&self, key: &ConversationKey, finished: Option<Finished>) -> Step {
        let Some(committer) = self.committer.get() else {
            return Step::Idle;
        };
        loop {
            let step = Advance {
                key: key.clone(),
                finished: finished.clone(),
                directory: Arc::clone(&self.directory),
                breakers: Arc::clone(&self.breakers),
                backoff: self.backoff,
                stopping: self.stop.is_cancelled(),
            };
            match committer.submit(step).await {
                Ok(step) => return step.output,
                // The committer has ended; the restart finds the row ATTEMPTING.
                Err(Error::Stopping) => return Step::Idle,
                Err(error) => {
                    tracing::warn!(conversation = %key, %error, "a lane's step was not committed, trying again");
                    tokio::time::sleep(STORE_RETRY).await;
                }
            }
        }
    }

    async fn wait(&self, lane: &Lane, span: Duration) -> Option<Attempt> {
        let until = Instant::now() + span;
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = lane.rung.notified() => {}
            () = self.stop.cancelled() => {}
        }
        std::mem::take(&mut *lock(&lane.inbox)).attempt
    }

    /// Ends the lane's task, unless something reached it meanwhile.
    fn leave(&self, key: &ConversationKey, lane: &Lane) -> Option<Inbox> {
        let mut running = lock(&self.running);
        let inbox = std::mem::take(&mut *lock(&lane.inbox));
        if inbox.attempt.is_some() || inbox.rung && !self.stop.is_cancelled() {
            return Some(inbox);
        }
        running.remove(key);
        None
    }
}

fn outcome_label(sent: &Sent) -> &'static str {
    match sent {
        Sent::Acknowledged | Sent::AcknowledgedAs { .. } => "acknowledged",
        Sent::NotNow { .. } => "not_now",
        Sent::NotSent => "not_sent",
        Sent::Busy { .. } => "busy",
        Sent::Unclear => "unclear",
        Sent::Refused { .. } => "refused",
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves a value that is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
