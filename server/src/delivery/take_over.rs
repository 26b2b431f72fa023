//! What other replicas have left behind goes on here. What one of them still does is fenced: its row was settled, or is at
//! its next attempt, so how the old one ended changes nothing.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    committer::Committer,
    domain::{LaneKey, Result, ports::Store},
    live::Live,
};

use super::{lanes::Lanes, recover::settle_interrupted};

/// How often the rows of other replicas are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A lane that has not moved for so long has lost its replica: while that lives, it goes on by itself.
const LEFT_BEHIND: Duration = Duration::from_secs(5);
/// Lanes that one look goes through at most; the next look goes on behind them.
const LANES_A_LOOK: usize = 10_000;

/// Takes over for as long as it runs.
pub async fn take_over(
    store: Arc<dyn Store>,
    committer: Committer,
    lanes: Arc<Lanes>,
    live: Arc<Live>,
    stop: CancellationToken,
) {
    let mut search = Search {
        store,
        lanes,
        after: None,
    };
    let work = async { tokio::join!(settle(&committer, &live), search.run()) };
    // Reads and commits run in tasks of their own, so that ending here cancels none.
    stop.run_until_cancelled(work).await;
}

async fn settle(committer: &Committer, live: &Live) {
    let mut looks = looks();
    loop {
        looks.tick().await;
        if let Err(error) = settle_interrupted(committer, &live.directory(), true).await {
            tracing::warn!(%error, "what other replicas had under way was not settled");
        }
    }
}

/// Looks for lanes that no replica runs.
struct Search {
    store: Arc<dyn Store>,
    lanes: Arc<Lanes>,
    /// The last lane of the last look, where there may be more behind it.
    after: Option<LaneKey>,
}

impl Search {
    async fn run(&mut self) {
        let mut looks = looks();
        loop {
            looks.tick().await;
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "what other replicas left was not taken over");
            }
        }
    }

    /// Whether another replica runs a lane cannot be told. So each that waits, for its agent perhaps, comes to run here as
    /// well, and only those that do not are rung.
    async fn look(&mut self) -> Result<()> {
        let after = self.after.as_ref();
        let found = self.store.idle_lanes(LEFT_BEHIND, after, LANES_A_LOOK);
        let mut found = found.await?;
        let last = found.last().filter(|_| found.len() == LANES_A_LOOK);
        self.after = last.cloned();
        found.retain(|lane| !self.lanes.runs(lane));
        self.lanes.ring_all(found).await;
        Ok(())
    }
}

fn looks() -> Interval {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}
