//! The composition root: builds the parts, ties them together, serves, and stops in order. Only here are concrete types
//! named.

mod admission;
mod assemble;
mod follow;
mod listeners;
mod master_keys;
mod publish;
mod replicas;
mod settings;
mod sinks;
mod stop;
mod tls;
mod watch;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Callers, Limits},
    admin::{self, Admin},
    committer::Committer,
    config::{Config, ShutdownConfig},
    conversations::{Conversations, Desk, Erasures, Housekeeping, WebhookLog},
    delivery::{self, Breakers, Lanes},
    domain::{Clock, SystemClock, ports::Store},
    grpc::health::HealthReporter,
    hub::Hub,
    keys::Custody,
    live::Live,
    metrics::Metrics,
    ops::Readiness,
    store::SqlStore,
    subscriptions::{self, Subscriptions},
    tail::Tail,
    waiters::Waiters,
};
use assemble::Assembler;
use listeners::Listeners;
use master_keys::MasterKeys;
use replicas::Replicas;
pub use settings::database;
use watch::Watches;

/// How often readiness is looked at: well within what orchestrators ask for.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);

/// How long beyond its deadline a held webhook waits for the store.
const STORE_PATIENCE: Duration = Duration::from_millis(500);

/// A running server.
#[derive(Debug)]
pub struct App {
    addresses: Addresses,
    parts: Parts,
    shutdown: ShutdownConfig,
    health: HealthReporter,
    readiness: Readiness,
    /// Nothing new is begun.
    stopping: CancellationToken,
    /// The store failed in a way that only a restart can mend.
    failed: CancellationToken,
    /// Keeps callers' health checks up to date.
    reporting: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy)]
struct Addresses {
    grpc: SocketAddr,
    webhooks: SocketAddr,
    ops: SocketAddr,
}

/// What the listeners and the end of the server work with.
#[derive(Debug, Clone)]
struct Parts {
    callers: Arc<Callers>,
    limits: Arc<Limits>,
    custody: Arc<Custody>,
    store: Arc<dyn Store>,
    committer: Committer,
    lanes: Arc<Lanes>,
    hub: Arc<Hub>,
    conversations: Arc<Conversations>,
    subscriptions: Arc<Subscriptions>,
    admin: Arc<Admin>,
    metrics: Arc<Metrics>,
    store_clock: Arc<dyn Clock>,
    /// What is done because other replicas use the database, too.
    replicas: Option<Arc<Replicas>>,
}

impl App {
    /// Starts the server: recovers what the process before left, and only then listens.
    ///
    /// # Errors
    ///
    /// Why it cannot start: an address that is taken, a database that is locked by another server.
    pub async fn start(config: &Config) -> Result<Self> {
        Self::start_by(config, Arc::new(SystemClock)).await
    }

    /// As [`App::start`], with sessions, limits and retention by the time that `clock` tells.
    ///
    /// # Errors
    ///
    /// As [`App::start`].
    pub async fn start_by(config: &Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let listeners = Listeners::bind(config).await?;
        let failed = CancellationToken::new();
        let parts = build(config, &clock, &failed).await?;
        // Before anything is sent or recorded: who does not start leaves all as it was.
        admission::check(config, &parts.callers)?;
        // Where replicas share a database, its server tells the time.
        let clock = parts.store_clock.clone();
        let stopping = CancellationToken::new();
        let housekeeping = housekeeping(config, &parts, &clock);
        // Before anything can ring a lane: what is ATTEMPTING now belongs to the process before.
        let directory = parts.conversations.live.directory();
        let is_shared = parts.replicas.is_some();
        let lanes = delivery::recover(
            parts.store.as_ref(),
            &parts.committer,
            &directory,
            is_shared,
        )
        .await
        .context("deliveries could not be recovered")?;
        housekeeping
            .abandon_requests()
            .await
            .context("open requests could not be closed")?;
        for key in lanes {
            parts.lanes.ring(key);
        }
        let addresses = listeners.addresses;
        let (health, readiness, mut tasks) = listeners.serve(config, &parts, &stopping)?;
        tasks.push(tokio::spawn(housekeeping.run(stopping.clone())));
        tasks.extend(replicas::run(&parts, &stopping));
        tasks.extend(sinks::run(config, &parts, &stopping).await?);
        tasks.push(tokio::spawn(
            Arc::clone(&parts.admin).sweep(stopping.clone()),
        ));
        let subscriptions = Arc::clone(&parts.subscriptions);
        tasks.push(tokio::spawn(subscriptions.keep_measured(stopping.clone())));
        tasks.push(tokio::spawn(
            Arc::clone(&parts.callers).keep_live(stopping.clone()),
        ));
        tasks.extend(admission::remind(config, &stopping));
        tasks.push(tokio::spawn(
            master_keys(config, &parts).run(stopping.clone()),
        ));
        tasks.push(tokio::spawn(watch_sources(&parts, &stopping).finished()));
        let erasures = Erasures {
            conversations: Arc::clone(&parts.conversations),
            rules: settings::erasure_rules(config),
            agents_at_once: config.erasure.agents_at_once,
        };
        tasks.push(tokio::spawn(erasures.run(stopping.clone())));
        readiness.started();
        health.set_serving(true);
        let reporting = tokio::spawn(report_health(readiness.clone(), health.clone()));
        let agents = directory.agents().count();
        let accounts = directory.agents();
        let accounts = accounts
            .flat_map(|agent| directory.accounts_of(agent.name.as_str()))
            .count();
        if accounts == 0 {
            tracing::warn!(
                "there is no account, so every conversation is refused: name a file with --config, or make one with \
                 `parloir admin`"
            );
        }
        for source in &config.sources {
            tracing::info!(
                source = source.name,
                system = source.system.name(),
                path = format!("/sources/{}", source.name),
                "taking webhooks"
            );
        }
        tracing::info!(grpc = %addresses.grpc, webhooks = %addresses.webhooks, ops = %addresses.ops,
            database = config.database.url, agents, accounts, "serving");
        let shutdown = config.shutdown.clone();
        Ok(Self {
            addresses,
            parts,
            shutdown,
            health,
            readiness,
            stopping,
            failed,
            reporting,
            tasks,
        })
    }

    /// Where callers connect.
    pub fn grpc(&self) -> SocketAddr {
        self.addresses.grpc
    }

    /// The agents, accounts and sources that there are.
    pub fn live(&self) -> &Arc<Live> {
        &self.parts.conversations.live
    }

    /// Who may call: what is stored of them is handed in here.
    pub fn callers(&self) -> &Arc<Callers> {
        &self.parts.callers
    }

    /// Where platforms call back.
    pub fn webhooks(&self) -> SocketAddr {
        self.addresses.webhooks
    }

    /// Where operators look.
    pub fn ops(&self) -> SocketAddr {
        self.addresses.ops
    }

    /// Waits for a fault that only a restart can mend.
    pub async fn failed(&self) -> &'static str {
        self.failed.cancelled().await;
        "the store failed while it committed; what was acknowledged is on disk, so start it again"
    }
}

async fn build(
    config: &Config,
    clock: &Arc<dyn Clock>,
    failed: &CancellationToken,
) -> Result<Parts> {
    let metrics = Metrics::new();
    let kept = Arc::new(SqlStore::open(&settings::database(config)?, Arc::clone(clock)).await?);
    let custody = kept.custody();
    master_keys::warn_of_open_file(&custody);
    let live = live(config, clock, &custody)?;
    let clock = &kept.clock();
    let store: Arc<dyn Store> = kept.clone();
    let (_, head) = store.bounds().await?;
    let hub = Hub::start(
        settings::hub(config),
        Arc::clone(&store),
        Arc::clone(&live),
        Arc::clone(&metrics),
        head,
    );
    let waiters = Arc::new(Waiters::default());
    let breakers = Arc::new(Breakers::new(settings::breakers(config)));
    let desk = Desk {
        waiters: Arc::clone(&waiters),
        live: Arc::clone(&live),
    };
    let lanes = Lanes::new(delivery::Parts {
        desk,
        breakers: Arc::clone(&breakers),
        backoff: settings::backoff(config),
        clock: Arc::clone(clock),
        metrics: Arc::clone(&metrics),
    });
    let tail = Tail::new(
        Arc::clone(&store),
        Arc::clone(&hub),
        Arc::clone(&waiters),
        head,
    );
    let replicas = Replicas::of(&kept, &tail, &config.nats, &metrics).await?;
    let publish = publish::after_commit(tail, replicas.clone(), &lanes, &live);
    let observers = publish::observers(publish, failed, &metrics);
    let committer = Committer::start(Arc::clone(&store), settings::committer(config), observers);
    lanes.attach(committer.clone());
    let limits = admission::limits(config);
    follow::follow(&live, (&hub, &lanes), (&limits, &metrics));
    let callers = admission::callers(config, &store.pepper(), &limits, clock)?;
    let admin = Admin::start(admin::Parts {
        store: kept.clone(),
        committer: committer.clone(),
        live: Arc::clone(&live),
        callers: Arc::clone(&callers),
        clock: Arc::clone(clock),
        declared: config.clone(),
        reason: crate::grpc::status::reason,
    });
    let admin = admin
        .await
        .context("what administrators made cannot be read")?;
    let subscriptions = Subscriptions::new(subscriptions::Parts {
        store: Arc::clone(&store),
        kept,
        committer: committer.clone(),
        hub: Arc::clone(&hub),
        live: Arc::clone(&live),
        clock: Arc::clone(clock),
        metrics: Arc::clone(&metrics),
        settings: settings::subscriptions(config),
        reason: crate::grpc::status::reason,
    });
    let conversations = Arc::new(Conversations {
        store: Arc::clone(&store),
        committer: committer.clone(),
        live,
        breakers,
        waiters,
        hub: Arc::clone(&hub),
        clock: Arc::clone(clock),
        metrics: Arc::clone(&metrics),
        is_shared: replicas.is_some(),
        erasures: Arc::default(),
        idempotency_window: config.log.idempotency_window,
        store_patience: STORE_PATIENCE,
        webhook_log: WebhookLog::new(Arc::clone(clock), config.logging.refused_webhooks),
    });
    Ok(Parts {
        callers,
        limits,
        custody,
        store,
        committer,
        lanes,
        hub,
        conversations,
        subscriptions,
        admin,
        metrics,
        store_clock: Arc::clone(clock),
        replicas,
    })
}

fn live(config: &Config, clock: &Arc<dyn Clock>, custody: &Arc<Custody>) -> Result<Arc<Live>> {
    Ok(Live::start(Box::new(Assembler {
        declared: config.clone(),
        clock: Arc::clone(clock),
        custody: Arc::clone(custody),
    }))?)
}

fn watch_sources(parts: &Parts, stopping: &CancellationToken) -> Arc<Watches> {
    let watches = Watches::new(&parts.conversations, stopping);
    let live = &parts.conversations.live;
    watches.follow(&live.setup());
    let told = Arc::downgrade(&watches);
    live.follow(move |setup| {
        if let Some(watches) = told.upgrade() {
            watches.follow(setup);
        }
    });
    watches
}

/// Callers' health checks say the same as `/readyz`.
async fn report_health(readiness: Readiness, health: HealthReporter) {
    let mut looks = tokio::time::interval(HEALTH_INTERVAL);
    loop {
        looks.tick().await;
        health.set_serving(readiness.check().is_ok());
    }
}

fn master_keys(config: &Config, parts: &Parts) -> MasterKeys {
    MasterKeys {
        custody: Arc::clone(&parts.custody),
        store: Arc::clone(&parts.store),
        live: Arc::clone(&parts.conversations.live),
        committer: parts.committer.clone(),
        metrics: Arc::clone(&parts.metrics),
        interval: config.encryption.look_interval,
        batch: config.encryption.rewrap_batch,
    }
}

fn housekeeping(config: &Config, parts: &Parts, clock: &Arc<dyn Clock>) -> Housekeeping {
    Housekeeping {
        store: Arc::clone(&parts.store),
        metrics: Arc::clone(&parts.metrics),
        committer: parts.committer.clone(),
        hub: Arc::clone(&parts.hub),
        clock: Arc::clone(clock),
        is_shared: parts.replicas.is_some(),
        desk: Desk {
            waiters: Arc::clone(&parts.conversations.waiters),
            live: Arc::clone(&parts.conversations.live),
        },
        interval: config.log.sweep_interval,
        retention_age: config.log.retention_age,
        tenant_ages: settings::tenant_ages(config),
        idempotency_window: config.log.idempotency_window,
    }
}
