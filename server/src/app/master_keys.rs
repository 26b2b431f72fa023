//! The master keys while the server runs: the place that they come from is looked at again, and once its first line has
//! changed, everything that is under another key is sealed anew, a batch a commit.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

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
    live::Live,
    metrics::Metrics,
};

/// Whoever reads the file can read what it seals.
pub fn warn_of_open_file(custody: &Custody) {
    if let Some(file) = custody.open_to_others() {
        let file = file.display();
        tracing::warn!(%file, "others than its owner can read the master key's file: chmod 600 keeps it for the server");
    }
}

/// Runs beside the calls.
#[derive(Debug)]
pub struct MasterKeys {
    pub custody: Arc<Custody>,
    pub store: Arc<dyn Store>,
    /// Its sources keep files under the keys, too.
    pub live: Arc<Live>,
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
        let mut left = 0;
        self.rewrapped(&stop, &mut left).await;
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
                    Ok(()) => told = None,
                    Err(trouble) => {
                        if told.as_ref() != Some(&trouble) {
                            tracing::error!(place = self.custody.place(), "{trouble}");
                        }
                        told = Some(trouble);
                    }
                }
            }
            // Also where no other keys are in force: keys come and go with conversations, secrets and files of sources.
            self.rewrapped(&stop, &mut left).await;
        }
    }

    /// Puts in force what the place of the keys holds now.
    async fn look(&self) -> Result<(), String> {
        let needed = || async {
            let counts = self.by_master().await.ok()?;
            Some(counts.into_keys().collect())
        };
        match self.custody.look(needed).await {
            Ok(Looked::Same) => Ok(()),
            Ok(Looked::Changed { kept }) => {
                let ring = self.custody.ring();
                tracing::info!(sealing = %ring.sealing(), place = self.custody.place(), "other master keys are in force");
                for id in kept {
                    tracing::error!(%id, "this master key is still needed, and its line is gone: it stays in memory while \
                        everything is sealed anew under the first; until the log says that nothing is under another one, \
                        a restart would refuse to start, unless its line is put back below the one that seals");
                }
                Ok(())
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

    /// Counts, and brings everything under the first key. `left` is what could not be sealed anew, here and the last time.
    async fn rewrapped(&self, stop: &CancellationToken, left: &mut u64) {
        if let Err(error) = self.rewrap(stop, left).await {
            tracing::warn!(%error, "keys were not counted or not sealed anew, and this is tried again");
        }
    }

    async fn rewrap(&self, stop: &CancellationToken, left: &mut u64) -> Result<()> {
        let sealing = self.custody.ring().sealing().to_string();
        let old = self.measure(&sealing).await?;
        if old == 0 {
            *left = 0;
            return Ok(());
        }
        let told = old == *left;
        if !told {
            tracing::info!(
                sealing,
                keys = old,
                "keys are being sealed anew under the first master key"
            );
        }
        while !stop.is_cancelled() {
            let unit = Rewrap { limit: self.batch };
            let done = self.committer.submit(unit).await?.output;
            *left = self.measure(&sealing).await?;
            if done > 0 {
                continue;
            }
            if *left == 0 {
                tracing::info!(
                    sealing,
                    "nothing is under another master key any more: the lines below the first may go"
                );
            } else if !told {
                tracing::error!(
                    sealing,
                    left,
                    "token files of sources are still under other master keys: put their lines back, make the folders \
                     writable, or run parloir source-login; until then those lines must stay"
                );
            }
            break;
        }
        Ok(())
    }

    /// How many are under other keys than this one.
    async fn measure(&self, sealing: &str) -> Result<u64> {
        let mut counts = self.by_master().await?;
        for id in self.custody.ring().ids() {
            counts.entry(id.to_string()).or_default();
        }
        let counts: Vec<_> = counts.into_iter().collect();
        self.metrics.encryption.keys(&counts);
        let others = counts.iter().filter(|(id, _)| id != sealing);
        Ok(others.map(|(_, count)| count).sum())
    }

    /// How many are under each master key: rows, and files of sources, which are sealed anew by looking at them.
    async fn by_master(&self) -> Result<BTreeMap<String, u64>> {
        let rows = self.store.keys_by_master().await?;
        let mut counts: BTreeMap<_, _> = rows.into_iter().collect();
        let setup = self.live.setup();
        for id in setup.sources.values().filter_map(|source| source.reseal()) {
            *counts.entry(id).or_default() += 1;
        }
        Ok(counts)
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
