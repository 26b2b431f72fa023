//! Other replicas on the same database: they are told of what is committed here, and what they commit, change and leave
//! behind is seen to.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::{
    admin::Admin,
    config::NatsConfig,
    delivery,
    domain::{
        Position,
        ports::{Batch, Store},
    },
    doorbell::{Doorbell, Ears},
    metrics::Metrics,
    nats::{Link, NatsDoorbell},
    store::SqlStore,
    tail::{Looks, Tail},
};

/// So long may an event be late when its ring is lost, and so long when it is known that none is heard.
const LOOKS: Looks = Looks {
    connected: Duration::from_secs(1),
    alone: Duration::from_millis(100),
};
/// How often it is looked whether an administrator changed something at another replica: so long may a key that was
/// revoked there count here.
const ADMINISTRATION_EVERY: Duration = Duration::from_secs(1);

/// What ties this replica to the others.
#[derive(Debug)]
pub struct Replicas {
    doorbell: Arc<dyn Doorbell>,
    tail: Arc<Tail>,
    metrics: Arc<Metrics>,
}

impl Replicas {
    /// Absent: the database is this process's alone. By the broker where one is configured, whether it is there or not.
    pub async fn of(
        store: &SqlStore,
        tail: &Arc<Tail>,
        nats: &NatsConfig,
        metrics: &Arc<Metrics>,
    ) -> Result<Option<Arc<Self>>> {
        let Some(notifications) = store.doorbell() else {
            return Ok(None);
        };
        let doorbell = match &nats.url {
            None => notifications,
            Some(url) => {
                let link = Link::open(url, &nats.access, "doorbell").await?;
                Arc::new(NatsDoorbell::new(link, &nats.prefix, store.epoch()))
            }
        };
        Ok(Some(Arc::new(Self {
            doorbell,
            tail: Arc::clone(tail),
            metrics: Arc::clone(metrics),
        })))
    }

    /// This was committed here.
    pub fn ring(&self, batch: &Batch) {
        // Nothing new in the log: of what else there may be the others learn when they look by themselves.
        if let Some(last) = batch.events.last() {
            self.doorbell.ring(last.position);
        }
    }
}

impl Ears for Replicas {
    fn heard(&self, head: Option<Position>) {
        match head {
            Some(head) => self.tail.told(head),
            None => self.tail.ring(),
        }
    }

    fn connected(&self, is_connected: bool) {
        self.metrics.doorbell.connected(is_connected);
        self.tail.hears(is_connected);
    }
}

/// Runs what `parts` need because of other replicas.
pub fn run(parts: &Parts, stopping: &CancellationToken) -> Vec<JoinHandle<()>> {
    let Some(replicas) = &parts.replicas else {
        return Vec::new();
    };
    let ears: Arc<dyn Ears> = Arc::clone(replicas) as _;
    let stop = || stopping.clone();
    vec![
        tokio::spawn(Arc::clone(&replicas.tail).run(LOOKS, stop())),
        tokio::spawn(Arc::clone(&replicas.doorbell).run(ears, stop())),
        tokio::spawn(follow_administrators(Arc::clone(&parts.admin), stop())),
        tokio::spawn(delivery::take_over(
            Arc::clone(&parts.store),
            parts.committer.clone(),
            Arc::clone(&parts.lanes),
            Arc::clone(&parts.conversations.live),
            stop(),
        )),
    ]
}

async fn follow_administrators(admin: Arc<Admin>, stop: CancellationToken) {
    let mut looks = tokio::time::interval(ADMINISTRATION_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        if let Err(error) = admin.follow().await {
            tracing::warn!(%error, "what administrators changed elsewhere was not read");
        }
    }
}
