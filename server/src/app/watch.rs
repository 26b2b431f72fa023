//! Sources that are looked at from time to time, because a webhook may be lost.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    conversations::Conversations,
    domain::{Id, TENANT},
};

/// One task for each source that wants it.
pub fn sources(
    conversations: &Arc<Conversations>,
    stopping: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let each = conversations.sources.iter();
    let watched = each.filter_map(|(name, source)| Some((name.clone(), source.looks_every()?)));
    watched
        .map(|(name, every)| {
            let watch = watch(Arc::clone(conversations), name, every, stopping.clone());
            tokio::spawn(watch)
        })
        .collect()
}

async fn watch(
    conversations: Arc<Conversations>,
    name: Id,
    every: Duration,
    stopping: CancellationToken,
) {
    let tenant = Id::trusted(TENANT);
    // Webhooks may have been lost while the server was away, so the first look is at once.
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(looks.tick()).await.is_some() {
        match conversations.look_at(&tenant, &name).await {
            Ok(found) => tracing::debug!(source = %name, found, "a source was looked at"),
            Err(error) => {
                tracing::warn!(source = %name, %error, "what a source holds was not taken");
            }
        }
    }
}
