//! The composition root: builds the parts, ties them together, serves, and stops in order. Only here are concrete types
//! named.

mod listeners;
mod settings;
mod stop;
mod watch;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    agents,
    committer::{Committer, CommitterSettings, Observers},
    config::{Config, ShutdownConfig},
    conversations::{Conversations, Desk, Housekeeping},
    delivery::{self, Breakers, Lanes},
    domain::{
        Clock, Id, SystemClock,
        ports::{Agent, Batch, Effect, Source, Store},
    },
    grpc::health::HealthReporter,
    hub::Hub,
    metrics::Metrics,
    ops::Readiness,
    sources,
    store::SqliteStore,
    waiters::Waiters,
};
use listeners::Listeners;

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
    store: Arc<dyn Store>,
    committer: Committer,
    lanes: Arc<Lanes>,
    hub: Arc<Hub>,
    conversations: Arc<Conversations>,
    metrics: Arc<Metrics>,
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
        let stopping = CancellationToken::new();
        let housekeeping = housekeeping(config, &parts, &clock);
        // Before anything can ring a lane: what is ATTEMPTING now belongs to the process before.
        let directory = &parts.conversations.directory;
        let lanes = delivery::recover(parts.store.as_ref(), &parts.committer, directory)
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
        tasks.extend(watch::sources(&parts.conversations, &stopping));
        readiness.started();
        health.set_serving(true);
        let reporting = tokio::spawn(report_health(readiness.clone(), health.clone()));
        if config.accounts.is_empty() {
            tracing::warn!(
                "no account is configured, so every conversation is refused: name a file with --config"
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
            database = config.database.url, agents = config.agents.len(), accounts = config.accounts.len(), "serving");
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
    let agents = platforms(config, clock)?;
    let sources = systems(config, clock)?;
    let directory = Arc::new(settings::directory(config, &sources));
    let store = SqliteStore::open(&settings::database(config)?, Arc::clone(clock)).await?;
    let store: Arc<dyn Store> = Arc::new(store);
    let (_, head) = store.bounds().await?;
    let hub = Hub::start(
        settings::hub(config),
        Arc::clone(&store),
        Arc::clone(&directory),
        Arc::clone(&metrics),
        head,
    );
    let waiters = Arc::new(Waiters::default());
    let breakers = Arc::new(Breakers::new(settings::breakers(config)));
    let desk = Desk {
        waiters: Arc::clone(&waiters),
        directory: Arc::clone(&directory),
    };
    let lanes = Lanes::new(delivery::Parts {
        agents: agents.clone(),
        sources: sources.clone(),
        desk,
        breakers: Arc::clone(&breakers),
        backoff: settings::backoff(config),
        clock: Arc::clone(clock),
        metrics: Arc::clone(&metrics),
    });
    let publish = after_commit(Arc::clone(&hub), Arc::clone(&waiters), Arc::clone(&lanes));
    let failed = failed.clone();
    let committer = Committer::start(
        Arc::clone(&store),
        CommitterSettings {
            max_batch: config.log.commit_batch,
            ..CommitterSettings::default()
        },
        Observers {
            publish: Box::new(publish),
            fatal: Box::new(move || failed.cancel()),
            metrics: Arc::clone(&metrics),
        },
    );
    lanes.attach(committer.clone());
    let conversations = Arc::new(Conversations {
        store: Arc::clone(&store),
        committer: committer.clone(),
        directory,
        agents,
        sources,
        breakers,
        waiters,
        hub: Arc::clone(&hub),
        clock: Arc::clone(clock),
        metrics: Arc::clone(&metrics),
        erasures: Arc::default(),
        idempotency_window: config.log.idempotency_window,
        store_patience: STORE_PATIENCE,
    });
    Ok(Parts {
        store,
        committer,
        lanes,
        hub,
        conversations,
        metrics,
    })
}

fn platforms(config: &Config, clock: &Arc<dyn Clock>) -> Result<HashMap<Id, Arc<dyn Agent>>> {
    let each = config.agents.iter();
    each.map(|agent| {
        Ok((
            Id::trusted(agent.name.as_str()),
            agents::build(agent, Arc::clone(clock))?,
        ))
    })
    .collect()
}

fn systems(config: &Config, clock: &Arc<dyn Clock>) -> Result<HashMap<Id, Arc<dyn Source>>> {
    let each = config.sources.iter();
    each.map(|source| {
        Ok((
            Id::trusted(source.name.as_str()),
            sources::build(source, Arc::clone(clock))?,
        ))
    })
    .collect()
}

/// What follows a commit, in this order: subscribers see the events, those who wait are woken, lanes go on.
fn after_commit(
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
            }
        }
    }
}

/// Callers' health checks say the same as `/readyz`.
async fn report_health(readiness: Readiness, health: HealthReporter) {
    let mut looks = tokio::time::interval(HEALTH_INTERVAL);
    loop {
        looks.tick().await;
        health.set_serving(readiness.check().is_ok());
    }
}

fn housekeeping(config: &Config, parts: &Parts, clock: &Arc<dyn Clock>) -> Housekeeping {
    Housekeeping {
        store: Arc::clone(&parts.store),
        metrics: Arc::clone(&parts.metrics),
        committer: parts.committer.clone(),
        hub: Arc::clone(&parts.hub),
        clock: Arc::clone(clock),
        desk: Desk {
            waiters: Arc::clone(&parts.conversations.waiters),
            directory: Arc::clone(&parts.conversations.directory),
        },
        interval: config.log.sweep_interval,
        retention_age: config.log.retention_age,
        idempotency_window: config.log.idempotency_window,
    }
}
