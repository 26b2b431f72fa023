//! Other replicas on the same database: they are told of what is committed here, and what they commit, change and leave
//! behind is seen to.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Parts;
use crate::{
    admin::Admin,
    delivery,
    store::{Doorbell, SqlStore},
    tail::Tail,
};

/// How often the log is looked at when no bell is heard: so long may an event be late when the bell is lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether an administrator changed something at another replica: so long may a key that was
/// revoked there count here.
const ADMINISTRATION_EVERY: Duration = Duration::from_secs(1);

/// What ties this replica to the others.
#[derive(Debug)]
pub struct Replicas {
    doorbell: Arc<Doorbell>,
    tail: Arc<Tail>,
}

impl Replicas {
    /// Absent: the database is this process's alone.
    pub fn of(store: &SqlStore, tail: &Arc<Tail>) -> Option<Arc<Self>> {
        let doorbell = store.doorbell()?;
        let tail = Arc::clone(tail);
        Some(Arc::new(Self { doorbell, tail }))
    }

    /// Something was committed here.
    pub fn ring(&self) {
        self.doorbell.ring();
    }
}

/// Runs what `parts` need because of other replicas.
pub fn run(parts: &Parts, stopping: &CancellationToken) -> Vec<JoinHandle<()>> {
    let Some(replicas) = &parts.replicas else {
        return Vec::new();
    };
    let tail = Arc::clone(&replicas.tail);
    let heard = move || tail.ring();
    let stop = || stopping.clone();
    vec![
        tokio::spawn(Arc::clone(&replicas.tail).run(LOOK_EVERY, stop())),
        tokio::spawn(Arc::clone(&replicas.doorbell).tell(stop())),
        tokio::spawn(Arc::clone(&replicas.doorbell).listen(heard, stop())),
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
