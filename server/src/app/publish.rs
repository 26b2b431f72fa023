//! What follows a commit.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::replicas::Replicas;
use crate::{
    committer::Observers,
    delivery::Lanes,
    domain::ports::{Batch, Effect},
    live::Live,
    metrics::Metrics,
    tail::Tail,
};

/// In this order: subscribers see the events and those who wait are woken, other replicas hear of
/// it, lanes go on.
pub fn after_commit(
    tail: Arc<Tail>,
    replicas: Option<Arc<Replicas>>,
    lanes: &Arc<Lanes>,
    live: &Arc<Live>,
) -> impl Fn(Batch) + Send + Sync + use<> {
    let (lanes, live) = (Arc::clone(lanes), Arc::clone(live));
    move |batch| {
        tail.committed(&batch);
        if let Some(replicas) = &replicas {
            replicas.ring(&batch);
        }
        for effect in batch.effects {
            match effect {
                Effect::RingLane(key) => lanes.ring(key),
                Effect::Attempt(attempt) => lanes.start(*attempt),
                Effect::Forget { source, address } => live.forget(source.as_str(), &address),
            }
        }
    }
}

/// Who is told of commits, and that one failed in a way that only a restart can mend.
pub fn observers(
    publish: impl Fn(Batch) + Send + Sync + 'static,
    failed: &CancellationToken,
    metrics: &Arc<Metrics>,
) -> Observers {
    let failed = failed.clone();
    Observers {
        publish: Box::new(publish),
        fatal: Box::new(move || failed.cancel()),
        metrics: Arc::clone(metrics),
    }
}
