//! Runs the lanes: a task for each conversation that has something to deliver, and none for the others.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, error_span};

use crate::{
    committer::Committer,
    conversations::Desk,
    domain::{
        Attempt, Clock, ConversationKey, Departure, Direction, Directory, Error, Id, LaneKey,
        Outbound, Recipient, Sent, ToSource, ports::Source, source::NotRead,
    },
    metrics::Metrics,
};

use super::{
    BEGUN_WITHIN,
    advance::{Advance, Ended, Step},
    backoff::Backoff,
    breaker::Breakers,
    look::{Found, Look, LookFor, Looked},
    settle::Finished,
};

/// How long a lane waits when the store did not take its step: the outcome of a request must not be forgotten.
const STORE_RETRY: Duration = Duration::from_millis(500);

/// The time between two lanes that go on when their agent is back, or that another replica left: ten thousand take ten
/// seconds.
const RAMP: Duration = Duration::from_millis(1);

/// All lanes of this process.
#[derive(Debug)]
pub struct Lanes {
    desk: Desk,
    breakers: Arc<Breakers>,
    backoff: Backoff,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    running: Mutex<HashMap<LaneKey, Arc<Lane>>>,
    /// The agents that were paused when the configuration last changed.
    paused: Mutex<HashSet<Id>>,
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
    pub desk: Desk,
    pub breakers: Arc<Breakers>,
    pub backoff: Backoff,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
}

impl Lanes {
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            desk: parts.desk,
            breakers: parts.breakers,
            backoff: parts.backoff,
            clock: parts.clock,
            metrics: parts.metrics,
            running: Mutex::default(),
            paused: Mutex::default(),
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
    pub fn ring(self: &Arc<Self>, key: LaneKey) {
        self.wake(key, None);
    }

    /// One after the other, so that neither the recipient nor the database is met by all at once.
    pub async fn ring_all(self: &Arc<Self>, lanes: Vec<LaneKey>) {
        for lane in lanes {
            self.ring(lane);
            tokio::time::sleep(RAMP).await;
        }
    }

    pub fn runs(&self, key: &LaneKey) -> bool {
        lock(&self.running).contains_key(key)
    }

    /// This delivery was committed ATTEMPTING: its request leaves now.
    pub fn start(self: &Arc<Self>, attempt: Attempt) {
        self.wake(attempt.delivery.lane(), Some(attempt));
    }

    /// Agents, accounts or sources have changed: what waited for an agent that was paused goes on.
    pub fn reconfigure(self: &Arc<Self>, directory: &Directory) {
        let now: HashSet<Id> = directory
            .agents()
            .filter(|agent| agent.paused)
            .map(|agent| agent.name.clone())
            .collect();
        let before = std::mem::replace(&mut *lock(&self.paused), now.clone());
        for agent in before.difference(&now) {
            self.resume(&Recipient::Agent(agent.clone()));
        }
    }

    /// Begins nothing more and waits until what is under way is committed.
    pub async fn drain(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn wake(self: &Arc<Self>, key: LaneKey, attempt: Option<Attempt>) {
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
        let ConversationKey {
            tenant, account, ..
        } = &key.conversation;
        let span =
            error_span!(parent: None, "lane", tenant = tenant.as_str(), account = account.as_str());
        self.tasks
            .spawn(async move { lanes.run(key, &lane, attempt).await }.instrument(span));
    }

    async fn run(self: Arc<Self>, key: LaneKey, lane: &Lane, mut attempt: Option<Attempt>) {
        let mut look = None;
        loop {
            let ended = match (attempt.take(), look.take()) {
                (Some(attempt), _) => Some(Ended::Sent(Box::new(self.send(attempt).await))),
                (None, Some(look)) => Some(Ended::Looked(Box::new(self.look(look).await))),
                (None, None) => None,
            };
            match self.advance(&key, ended).await {
                Step::Send(next) => attempt = Some(*next),
                Step::Look(next) => look = Some(*next),
                Step::Wait(span) => attempt = self.wait(lane, span).await,
                Step::Idle => match self.leave(&key, lane) {
                    Some(inbox) => attempt = inbox.attempt,
                    None => return,
                },
            }
        }
    }

    async fn send(self: &Arc<Self>, attempt: Attempt) -> Finished {
        let recipient = attempt.recipient();
        let begun = Instant::now();
        if Instant::from_std(attempt.decided_at).elapsed() > BEGUN_WITHIN {
            tracing::warn!(
                ?recipient,
                "a request came too late after its commit and was not sent"
            );
            let sent = Sent::NotSent;
            return Finished { attempt, sent };
        }
        let sent = match &attempt.departure {
            Departure::Agent { outbound, .. } => self.send_to_agent(&attempt, outbound).await,
            Departure::Source {
                source,
                address,
                what,
            } => self.send_to_source(source, address, what).await,
        };
        if let Sent::Refused { refusal, .. } = &sent {
            tracing::warn!(?recipient, ?refusal, "a request was refused");
        }
        if self.breakers.record(&recipient, &sent, self.clock.now()) {
            self.resume(&recipient);
        }
        self.count(&recipient, outcome_label(&sent), begun.elapsed());
        tracing::debug!(conversation = %attempt.delivery.key, delivery = %attempt.delivery.id, ?recipient,
            attempt = attempt.delivery.attempt, outcome = outcome_label(&sent), "a request ended");
        Finished { attempt, sent }
    }

    async fn send_to_agent(&self, attempt: &Attempt, outbound: &Outbound) -> Sent {
        let name = &attempt.delivery.agent;
        let setup = self.desk.live.setup();
        let settings = setup.directory.agent(name.as_str());
        let (Some(agent), Some(settings)) = (setup.agents.get(name), settings) else {
            return Sent::NotSent;
        };
        // A request that runs out of time may have arrived.
        tokio::time::timeout(settings.send_timeout, agent.send(outbound))
            .await
            .unwrap_or(Sent::Unclear)
    }

    async fn send_to_source(&self, name: &Id, address: &str, what: &ToSource) -> Sent {
        let Some((source, limit)) = self.source(name) else {
            return Sent::NotSent;
        };
        let request = async {
            match what {
                ToSource::Show(item) => source.deliver(address, item).await,
                ToSource::Escalate(handover) => source.escalate(address, handover).await,
                ToSource::Resume { note } => source.resume(address, note).await,
            }
        };
        let sent = tokio::time::timeout(limit, request).await;
        sent.unwrap_or(Sent::Unclear).without(&what.words())
    }

    /// Asks a source. What runs out of time is asked again later.
    async fn look(&self, look: Look) -> Looked {
        let later = || NotRead::Later { after: None };
        let source = self.source(&look.source);
        let begun = Instant::now();
        let found = match (&look.what, source) {
            (LookFor::Owner, None) => Found::Owner(Err(later())),
            (LookFor::Arrival { .. }, None) => Found::Arrival(Err(later())),
            (LookFor::Owner, Some((source, limit))) => {
                let read = tokio::time::timeout(limit, source.read_owner(&look.address)).await;
                Found::Owner(read.unwrap_or_else(|_| Err(later())))
            }
            (LookFor::Arrival { item, since, .. }, Some((source, limit))) => {
                let read = source.read_back(&look.address, item, *since);
                let read = tokio::time::timeout(limit, read).await;
                Found::Arrival(read.unwrap_or_else(|_| Err(later())))
            }
        };
        let outcome = match &found {
            Found::Owner(Ok(_)) | Found::Arrival(Ok(_)) => "looked",
            Found::Owner(Err(_)) | Found::Arrival(Err(_)) => "not_told",
        };
        let name = look.source.as_str();
        self.metrics.sources.request(name, outcome, begun.elapsed());
        Looked { look, found }
    }

    /// A source and the time that one request to it has.
    fn source(&self, name: &Id) -> Option<(Arc<dyn Source>, Duration)> {
        let setup = self.desk.live.setup();
        let entry = setup.directory.source(name.as_str())?;
        let source = Arc::clone(setup.sources.get(name)?);
        Some((source, entry.settings.send_timeout))
    }

    fn count(&self, recipient: &Recipient, outcome: &'static str, took: Duration) {
        let state = self.breakers.state(recipient);
        match recipient {
            Recipient::Agent(name) => {
                self.metrics.delivery.attempt(name.as_str(), outcome, took);
                self.metrics.delivery.breaker(name.as_str(), state);
            }
            Recipient::Source(name) => {
                self.metrics.sources.request(name.as_str(), outcome, took);
                self.metrics.sources.breaker(name.as_str(), state);
            }
        }
    }

    /// The recipient is back: the lanes that wait for it go on.
    fn resume(self: &Arc<Self>, recipient: &Recipient) {
        let directory = self.desk.directory();
        let goes_there = |lane: &LaneKey| match (
            directory.account(&lane.conversation.tenant, &lane.conversation.account),
            recipient,
        ) {
            (Ok((_, agent)), Recipient::Agent(name)) => {
                lane.direction == Direction::Agent && &agent.name == name
            }
            (Ok((account, _)), Recipient::Source(name)) => {
                lane.direction == Direction::Source && account.source.as_ref() == Some(name)
            }
            (Err(_), _) => false,
        };
        let mut waiting: Vec<_> = lock(&self.running)
            .keys()
            .filter(|lane| goes_there(lane))
            .cloned()
            .collect();
        // Not in the order of a hash, which differs from process to process.
        waiting.sort_unstable();
        let lanes = Arc::clone(self);
        tokio::spawn(async move { lanes.ring_all(waiting).await });
    }

    /// Commits until the store takes it: only the end of the process may lose how a request ended.
    async fn advance(&self, key: &LaneKey, ended: Option<Ended>) -> Step {
        let Some(committer) = self.committer.get() else {
            return Step::Idle;
        };
        loop {
            let step = Advance {
                key: key.clone(),
                ended: ended.clone(),
                desk: self.desk.clone(),
                breakers: Arc::clone(&self.breakers),
                backoff: self.backoff,
                stopping: self.stop.is_cancelled(),
            };
            match committer.submit(step).await {
                Ok(step) => return step.output,
                // The committer has ended; the restart finds the row ATTEMPTING.
                Err(Error::Stopping) => return Step::Idle,
                Err(error) => {
                    tracing::warn!(conversation = %key.conversation, %error, "a lane's step was not committed, trying again");
                    tokio::time::sleep(STORE_RETRY).await;
                }
            }
        }
    }

    async fn wait(&self, lane: &Lane, span: Duration) -> Option<Attempt> {
        let until = Instant::now() + span;
        tokio::select! {
            // Whatever wakes it, it does the same; so it is no matter of chance which of two is seen.
            biased;
            () = lane.rung.notified() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep_until(until) => {}
        }
        std::mem::take(&mut *lock(&lane.inbox)).attempt
    }

    /// Ends the lane's task, unless something reached it meanwhile.
    fn leave(&self, key: &LaneKey, lane: &Lane) -> Option<Inbox> {
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
