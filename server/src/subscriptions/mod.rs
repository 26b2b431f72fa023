//! Named subscriptions at work. One task for each subscription that somebody uses here reads the log once for all its
//! members on this server, and commits what it hands out and what they acknowledge in batches. What matters is in the
//! database and changes in units of work alone, so members may be connected to different servers.

mod act;
mod create;
mod deliver;
mod dispatcher;
mod mailbox;
mod measure;
mod member;
mod op;
mod plan;
mod read;
mod settle;
mod turn;
mod view;
mod wake;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    committer::Committer,
    domain::{
        Clock, Error, Id, Result,
        ports::{Store, SubscriptionRead},
        subscription::{Ack, Acked, SubscriptionKey},
    },
    hub::Hub,
    live::Live,
    metrics::Metrics,
};
use dispatcher::Dispatcher;

pub use act::{Act, Redrive};
pub use create::{Creation, Place};
pub use mailbox::{Mail, Mailbox};
pub use member::{MemberStream, Terms};
pub use op::{Pulled, PulledEvent};
pub use view::{MemberView, SubscriptionView};

use op::Op;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub max_subscriptions: usize,
    pub max_members: usize,
    pub max_in_flight: u32,
    pub max_pending: usize,
    pub lease: Duration,
    pub pull_lease: Duration,
    pub retention_alarm: Duration,
    pub look_interval: Duration,
    /// How long events stay in the log.
    pub retention_age: Duration,
    /// Of tenants whose events stay for less.
    pub tenant_ages: BTreeMap<Id, Duration>,
    /// How often it is measured how subscriptions stand.
    pub measure_interval: Duration,
}

/// What subscriptions work with.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub kept: Arc<dyn SubscriptionRead>,
    pub committer: Committer,
    pub hub: Arc<Hub>,
    pub live: Arc<Live>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub settings: Settings,
    /// The word by which a refusal is recorded.
    pub reason: fn(&Error) -> &'static str,
}

/// All named subscriptions, seen from this server.
pub struct Subscriptions {
    parts: Arc<Parts>,
    running: Arc<Running>,
    /// Open streams of members.
    streams: AtomicUsize,
}

/// The tasks of those that are used here.
#[derive(Default)]
struct Running(Mutex<Registry>);

#[derive(Default)]
struct Registry {
    inboxes: HashMap<SubscriptionKey, mpsc::UnboundedSender<Op>>,
    stopping: bool,
    /// Over how long members come back once the server stops.
    spread: Duration,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, Registry> {
        // A panic elsewhere leaves a map that is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriptions {
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            parts: Arc::new(parts),
            running: Arc::default(),
            streams: AtomicUsize::new(0),
        })
    }

    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// What members say of events: what became of each.
    ///
    /// # Errors
    ///
    /// `NotFound`; `StoreUnavailable`, when nothing was changed; `Stopping`.
    pub async fn ack(&self, key: &SubscriptionKey, acks: Vec<Ack>) -> Result<Vec<Acked>> {
        let (reply, answer) = oneshot::channel();
        self.send(key, Op::Ack { acks, reply })?;
        answer.await.unwrap_or(Err(Error::Stopping))
    }

    /// How many members have a stream here.
    pub fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Ends all streams in good order and gives their leases back. Members are told to come back spread over a time, as
    /// other subscribers are.
    pub async fn shut_down(&self, spread: Duration) {
        let inboxes: Vec<_> = {
            let mut running = self.running.lock();
            running.stopping = true;
            running.spread = spread;
            running.inboxes.values().cloned().collect()
        };
        let mut ended = Vec::new();
        for inbox in inboxes {
            let (reply, answer) = oneshot::channel();
            if inbox.send(Op::Stop { reply }).is_ok() {
                ended.push(answer);
            }
        }
        for answer in ended {
            // Gone: it has ended.
            let _ = answer.await;
        }
    }

    /// Hands something to the subscription's task, which is started if it does not run.
    fn send(&self, key: &SubscriptionKey, op: Op) -> Result<()> {
        let mut running = self.running.lock();
        let op = match running.inboxes.get(key) {
            Some(inbox) => match inbox.send(op) {
                Ok(()) => return Ok(()),
                Err(returned) => returned.0,
            },
            None => op,
        };
        // A member that left while the server stops need not be noted: its leases were given back.
        if running.stopping {
            return Err(Error::Stopping);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "one for each call that waits and each stream that ended, and those are bounded"
        )]
        let (inbox, ops) = mpsc::unbounded_channel();
        // The receiver is in hand.
        let _ = inbox.send(op);
        running.inboxes.insert(key.clone(), inbox);
        let parts = Arc::clone(&self.parts);
        let dispatcher = Dispatcher::new(parts, Arc::clone(&self.running), key.clone(), ops);
        tokio::spawn(dispatcher.run());
        Ok(())
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions").finish_non_exhaustive()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}
