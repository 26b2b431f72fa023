//! The master keys while the server runs: the place that they come from is looked at again, and once its first line has
//! changed, everything that is under another key is sealed anew, a batch a commit.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    committer::Committer,
    domain::{
        Result,
        ports::{Store, Transaction, Unit},
    },
    keys::{Custody, Looked},
    metrics::Metrics,
};

/// Runs beside the calls.
#[derive(Debug)]
pub struct MasterKeys {
    pub custody: Arc<Custody>,
    pub store: Arc<dyn Store>,
    pub committer: Committer,
    pub metrics: Arc<Metrics>,
    /// How often a file is looked at.
    pub interval: Duration,
    /// Rows in one commit.
    pub batch: usize,
}

impl MasterKeys {
    pub async fn run(self, stop: CancellationToken) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => {
                tracing::error!(%error, "SIGHUP cannot be awaited: master keys are read at the start only");
                return;
            }
        };
        let mut looks = interval(self.interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What the process before did not finish.
        let mut finished = self.rewrapped(&stop).await;
        // The same trouble is told once.
        let mut told = None;
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => false,
                _ = hangup.recv() => true,
            };
            if asked || self.custody.source().is_looked_at() {
                match self.look().await {
                    Ok(changed) => {
                        told = None;
                        finished &= !changed;
                    }
                    Err(trouble) => {
                        if told.as_ref() != Some(&trouble) {
                            tracing::error!(place = self.custody.place(), "{trouble}");
                        }
                        told = Some(trouble);
                    }
                }
            }
            if !finished {
                finished = self.rewrapped(&stop).await;
            }
        }
    }

    /// Whether other keys are in force now.
    async fn look(&self) -> Result<bool, String> {
        let needed = || async {
            let counts = self.store.keys_by_master().await.ok()?;
            Some(
                counts
                    .into_iter()
                    .map(|(id, _)| id)
                    .collect::<BTreeSet<_>>(),
            )
        };
        match self.custody.look(needed).await {
            Ok(Looked::Same) => Ok(false),
            Ok(Looked::Changed { kept }) => {
                let ring = self.custody.ring();
                tracing::info!(sealing = %ring.sealing(), place = self.custody.place(), "other master keys are in force");
                for id in kept {
                    tracing::error!(%id, "this master key is still needed, and its line is gone: it stays in memory, but \
                        after a restart nothing under it can be read; put its line back, below the one that seals");
                }
                Ok(true)
            }
            Ok(Looked::Contradiction(id)) => Err(format!(
                "the place of the master keys holds another key under the id {id} than the one in use: that one stays in \
                 force; give the other an id of its own"
            )),
            Err(error) => Err(format!(
                "the master keys cannot be read again, and those in force stay: {error}"
            )),
        }
    }

    /// Whether everything is under the first key.
    async fn rewrapped(&self, stop: &CancellationToken) -> bool {
        match self.rewrap(stop).await {
            Ok(finished) => finished,
            Err(error) => {
                tracing::warn!(%error, "keys were not sealed anew and this is tried again");
                false
            }
        }
    }

    async fn rewrap(&self, stop: &CancellationToken) -> Result<bool> {
        let sealing = self.custody.ring().sealing().to_string();
        let old = self.measure(&sealing).await?;
        if old == 0 {
            return Ok(true);
        }
        tracing::info!(
            sealing,
            keys = old,
            "keys are being sealed anew under the first master key"
        );
        while !stop.is_cancelled() {
            let unit = Rewrap { limit: self.batch };
            if self.committer.submit(unit).await?.output == 0 {
                self.measure(&sealing).await?;
                tracing::info!(
                    sealing,
                    "nothing is under another master key any more: the lines below the first may go"
                );
                return Ok(true);
            }
            self.measure(&sealing).await?;
        }
        Ok(false)
    }

    /// How many are under other keys than this one.
    async fn measure(&self, sealing: &str) -> Result<u64> {
        let mut counts = self.store.keys_by_master().await?;
        for id in self.custody.ring().ids() {
            if counts.iter().all(|(counted, _)| counted != id.as_str()) {
                counts.push((id.to_string(), 0));
            }
        }
        self.metrics.encryption.keys(&counts);
        let others = counts.iter().filter(|(id, _)| id != sealing);
        Ok(others.map(|(_, count)| count).sum())
    }
}

#[derive(Debug)]
struct Rewrap {
    limit: usize,
}

#[async_trait]
impl Unit for Rewrap {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        tx.rewrap(self.limit).await
    }
}
