//! A house on a real database, which can lose its process at any moment and be started again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{
    ledger::Shared,
    outside::Outside,
    setup::{AGENT, SOURCE, Setup},
    witness::Witness,
};
use crate::{
    committer::{Committer, CommitterSettings, Observers},
    conversations::{Caller, Conversations, Desk, Housekeeping, WebhookLog},
    delivery::{self, Backoff, BreakerSettings, Breakers, Lanes},
    domain::{
        Clock, Id, LaneKey, Result, TENANT,
        ports::{Agent, Batch, Effect, Source, Store, Transaction, Unit},
    },
    hub::{self, Hub},
    live::{self, Live},
    metrics::Metrics,
    store::{
        SqlStore, StoreSettings, Synchronous,
        tests::{SetClock, place},
    },
    waiters::Waiters,
};

/// Rounds in which nothing happens, after which nothing will by itself.
const STILL: u32 = 3;

pub(super) struct World {
    pub ledger: Shared,
    pub outside: Arc<Outside>,
    pub process: Option<Process>,
    setup: Setup,
    clock: Arc<SetClock>,
    settings: StoreSettings,
    runtime: Option<Runtime>,
    _folder: TempDir,
}

/// What ends with the process.
pub(super) struct Process {
    pub conversations: Arc<Conversations>,
    pub lanes: Arc<Lanes>,
    pub housekeeping: Housekeeping,
    pub committer: Committer,
    pub store: Arc<dyn Store>,
}

impl World {
    pub(super) fn new(setup: Setup) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = place::fresh(folder.path());
        // The process dies here, not the machine.
        settings.synchronous = Synchronous::Normal;
        let clock = Arc::new(SetClock::default());
        clock.set(1_000_000_000_000);
        let ledger = Shared::new(setup);
        let outside = Arc::new(Outside::new(setup, ledger.clone()));
        let mut world = Self {
            ledger,
            outside,
            process: None,
            setup,
            clock,
            settings,
            runtime: None,
            _folder: folder,
        };
        world.start();
        world
    }

    pub(super) fn now(&self) -> crate::domain::Timestamp {
        self.clock.now()
    }

    /// Runs `work` while everything else goes on as well.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it runs").block_on(work)
    }

    pub(super) fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// The process is gone, in the middle of whatever it did, and another one starts.
    pub(super) fn restart(&mut self) {
        self.ledger.lock().tell("== the process dies");
        // Only between commits, so that what is written is what the ledger has.
        while self.ledger.lock().committing {
            self.run(breathe());
        }
        let guard = self.runtime.as_ref().expect("it runs").enter();
        self.process = None;
        drop(guard);
        drop(self.runtime.take());
        self.outside.release(usize::MAX);
        self.start();
    }

    fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        self.runtime = Some(runtime.expect("a runtime"));
        let process = self.run(self.build());
        self.process = Some(process);
    }

    async fn build(&self) -> Process {
        let store = SqlStore::open(&self.settings, self.clock.clone()).await;
        let store: Arc<dyn Store> = Arc::new(Witness {
            store: Arc::new(store.expect("opens")),
            ledger: self.ledger.clone(),
        });
        let process = self.assemble(store).await;
        let directory = &process.conversations.live.directory();
        let busy =
            delivery::recover(process.store.as_ref(), &process.committer, directory, false).await;
        process
            .housekeeping
            .abandon_requests()
            .await
            .expect("commits");
        for lane in busy.expect("recovers") {
            process.lanes.ring(lane);
        }
        process
    }

    async fn assemble(&self, store: Arc<dyn Store>) -> Process {
        let metrics = Metrics::new();
        let agent: Arc<dyn Agent> = self.outside.clone();
        let source: Arc<dyn Source> = self.outside.clone();
        let live = Live::fixed(live::Setup {
            directory: Arc::new(self.setup.directory()),
            agents: HashMap::from([(Id::trusted(AGENT), agent)]),
            sources: HashMap::from([(Id::trusted(SOURCE), source)]),
            ..live::Setup::default()
        });
        let (_, head) = store.bounds().await.expect("reads");
        let hub = Hub::start(
            hub::Settings::default(),
            Arc::clone(&store),
            Arc::clone(&live),
            Arc::clone(&metrics),
            head,
        );
        let waiters = Arc::new(Waiters::default());
        let breakers = Arc::new(Breakers::new(BreakerSettings {
            failures: 3,
            open_for: Duration::from_secs(5),
        }));
        let desk = Desk {
            waiters: Arc::clone(&waiters),
            live: Arc::clone(&live),
        };
        let clock: Arc<dyn Clock> = self.clock.clone();
        let lanes = Lanes::new(delivery::Parts {
            desk: desk.clone(),
            breakers: Arc::clone(&breakers),
            // Waits are what the other side asks for; time stands still meanwhile.
            backoff: Backoff {
                base: Duration::ZERO,
                max: Duration::ZERO,
            },
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
        });
        let publish = publisher(Arc::clone(&hub), Arc::clone(&waiters), Arc::clone(&lanes));
        let observers = Observers {
            publish: Box::new(publish),
            fatal: Box::new(|| panic!("nobody knows what was committed")),
            metrics: Arc::clone(&metrics),
        };
        let committer =
            Committer::start(Arc::clone(&store), CommitterSettings::default(), observers);
        lanes.attach(committer.clone());
        let housekeeping = Housekeeping {
            store: Arc::clone(&store),
            committer: committer.clone(),
            metrics: Arc::clone(&metrics),
            hub: Arc::clone(&hub),
            clock: Arc::clone(&clock),
            is_shared: false,
            desk,
            interval: Duration::from_hours(1),
            tenant_ages: Vec::new(),
            retention_age: Duration::from_hours(1000),
            idempotency_window: Duration::from_hours(1000),
        };
        let conversations = Arc::new(Conversations {
            is_shared: false,
            erasures: Arc::default(),
            store: Arc::clone(&store),
            committer: committer.clone(),
            live,
            breakers,
            waiters,
            hub,
            webhook_log: WebhookLog::new(Arc::clone(&clock), 10),
            clock,
            metrics,
            idempotency_window: Duration::from_hours(1000),
            store_patience: Duration::from_secs(5),
        });
        Process {
            conversations,
            lanes,
            housekeeping,
            committer,
            store,
        }
    }

    /// Lets what can go on by itself go on until nothing does.
    pub(super) fn settle(&self) {
        let committer = self.process().committer.clone();
        self.run(async {
            let mut still = 0;
            while still < STILL {
                let before = self.ledger.lock().activity;
                committer.submit(Nothing).await.expect("commits");
                breathe().await;
                let same = self.ledger.lock().activity == before;
                still = if same { still + 1 } else { 0 };
            }
        });
    }

    /// Time passes, and whoever waits looks again.
    pub(super) fn pass(&self, span: Duration) {
        self.ledger
            .lock()
            .tell(format!("== {} s pass", span.as_secs()));
        self.clock.set((self.clock.now() + span).0);
        let keys: Vec<_> = self.ledger.lock().talks.keys().cloned().collect();
        self.run(async {
            for key in keys {
                self.process().lanes.ring(LaneKey::to_agent(&key));
                self.process().lanes.ring(LaneKey::to_source(&key));
            }
        });
    }

    /// One round of housekeeping.
    pub(super) fn tidy(&self) {
        let now = self.now();
        let stop = CancellationToken::new();
        self.run(self.process().housekeeping.tidy(&stop))
            .expect("commits");
        self.ledger.lock().check_unknown(now);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            let guard = runtime.enter();
            self.process = None;
            drop(guard);
        }
    }
}

/// What follows a commit, as in the server.
fn publisher(
    hub: Arc<Hub>,
    waiters: Arc<Waiters>,
    lanes: Arc<Lanes>,
) -> impl Fn(Batch) + Send + Sync {
    move |batch| {
        hub.publish(&batch.events);
        waiters.tell(&batch.facts);
        for effect in batch.effects {
            match effect {
                Effect::RingLane(key) => lanes.ring(key),
                Effect::Attempt(attempt) => lanes.start(*attempt),
                Effect::Forget { .. } => {}
            }
        }
    }
}

/// Everybody who can go on does, once or twice.
pub(super) async fn breathe() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

pub(super) fn tenant() -> Id {
    Id::trusted(TENANT)
}

pub(super) fn caller() -> Caller {
    Caller {
        tenant: tenant(),
        traceparent: String::new(),
    }
}

/// A place in the order of the commits.
struct Nothing;

#[async_trait]
impl Unit for Nothing {
    type Output = ();

    async fn run(&self, _tx: &mut dyn Transaction) -> Result<()> {
        Ok(())
    }
}
