//! Sources that are looked at from time to time, because a webhook may be lost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use tracing::{Instrument, error_span};

use crate::{
    conversations::Conversations,
    domain::{Id, tenant_of},
    live::Setup,
};

/// One task for each source that wants it, as long as it does.
#[derive(Debug)]
pub struct Watches {
    conversations: Arc<Conversations>,
    stopping: CancellationToken,
    running: Mutex<HashMap<Id, Watch>>,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct Watch {
    every: Duration,
    over: CancellationToken,
}

impl Watches {
    pub fn new(conversations: &Arc<Conversations>, stopping: &CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            conversations: Arc::clone(conversations),
            stopping: stopping.clone(),
            running: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Ends the watches of sources that are gone and begins those of new ones.
    pub fn follow(&self, setup: &Setup) {
        let mut wanted: HashMap<&Id, Duration> = HashMap::new();
        for (name, source) in &setup.sources {
            if let Some(every) = source.looks_every() {
                wanted.insert(name, every);
            }
        }
        // A panic elsewhere leaves a map that is still whole.
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|name, watch| {
            let stays = wanted.get(name) == Some(&watch.every);
            if !stays {
                watch.over.cancel();
            }
            stays
        });
        for (name, every) in wanted {
            if running.contains_key(name) {
                continue;
            }
            let over = self.stopping.child_token();
            let conversations = Arc::clone(&self.conversations);
            let tenant = tenant_of(name.as_str());
            let span = error_span!("watch", tenant, source = name.as_str());
            let watch = watch(conversations, name.clone(), every, over.clone());
            self.tasks.spawn(watch.instrument(span));
            running.insert(name.clone(), Watch { every, over });
        }
    }

    /// Until the server stops and the last look has ended.
    pub async fn finished(self: Arc<Self>) {
        self.stopping.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn watch(
    conversations: Arc<Conversations>,
    name: Id,
    every: Duration,
    over: CancellationToken,
) {
    let tenant = Id::trusted(tenant_of(name.as_str()));
    // Webhooks may have been lost while the server was away, so the first look is at once.
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while over.run_until_cancelled(looks.tick()).await.is_some() {
        match conversations.look_at(&tenant, &name).await {
            Ok(found) => tracing::debug!(source = %name, found, "a source was looked at"),
            Err(error) => {
                tracing::warn!(source = %name, %error, "what a source holds was not taken");
            }
        }
    }
}
