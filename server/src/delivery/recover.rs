//! What was under way when a process ended: after a restart this one, and where replicas share a database any other.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    committer::Committer,
    domain::{
        Conversation, Delivery, DeliveryKind, DeliveryState, Direction, Directory, Error, LaneKey,
        Reason, Result, Timestamp,
        ports::{Store, Transaction, Unit},
    },
    live::Live,
};

use super::{
    lanes::Lanes,
    settle::record_change,
    settle_source::{may_have_handed_over, part_done, read_back},
};

/// How many rows one transaction settles: few enough to keep it short.
const AT_ONCE: usize = 200;

/// A request is under way at most for its agent's, or source's, `send_timeout` after it was committed ATTEMPTING, and this
/// long in all else: it begins within [`super::BEGUN_WITHIN`], and how it ended is committed at once.
const LEASE_SPARE: Duration = Duration::from_secs(15);
/// How often the rows of other replicas are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A lane that has not moved for so long has lost its replica: while that lives, it goes on by itself.
const LEFT_BEHIND: Duration = Duration::from_secs(5);
/// Lanes that are rung at once.
const LANES_AT_ONCE: usize = 200;

/// Settles what was under way and answers the lanes that have something to do. Run before any lane.
pub async fn recover(
    store: &dyn Store,
    committer: &Committer,
    directory: &Arc<Directory>,
    is_shared: bool,
) -> Result<Vec<LaneKey>> {
    settle_interrupted(committer, directory, is_shared).await?;
    store.busy_lanes().await
}

/// Takes over, for as long as it runs, what other replicas have left behind. What one of them still does is fenced: its
/// row was settled, or is at its next attempt, so how the old one ended changes nothing.
pub async fn take_over(
    store: Arc<dyn Store>,
    committer: Committer,
    lanes: Arc<Lanes>,
    live: Arc<Live>,
    stop: CancellationToken,
) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        let look = async {
            settle_interrupted(&committer, &live.directory(), true).await?;
            let waiting = (store.clone(), LEFT_BEHIND);
            let lanes =
                tokio::spawn(async move { waiting.0.idle_lanes(waiting.1, LANES_AT_ONCE).await });
            lanes.await.map_err(|_| Error::Internal)?
        };
        match look.await {
            Ok(left) => left.into_iter().for_each(|lane| lanes.ring(lane)),
            Err(error) => tracing::warn!(%error, "what other replicas left was not taken over"),
        }
    }
}

async fn settle_interrupted(
    committer: &Committer,
    directory: &Arc<Directory>,
    is_shared: bool,
) -> Result<()> {
    let interrupted = Interrupted {
        directory: Arc::clone(directory),
        is_shared,
    };
    while committer.submit(interrupted.clone()).await?.output == AT_ONCE {}
    Ok(())
}

/// A message that was under way may have arrived: UNKNOWN, or read back where a source can tell. Anything else is sent
/// again.
#[derive(Debug, Clone)]
struct Interrupted {
    directory: Arc<Directory>,
    is_shared: bool,
}

#[async_trait]
impl Unit for Interrupted {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let now = tx.now();
        let before = if self.is_shared {
            now - LEASE_SPARE
        } else {
            Timestamp(i64::MAX)
        };
        let mut deliveries = tx.attempting_deliveries(before, AT_ONCE).await?;
        deliveries.retain(|delivery| !self.is_held(delivery, now));
        for mut delivery in deliveries.iter().cloned() {
            delivery.reason = Some(Reason::Interrupted);
            let Some(mut conversation) = tx.conversation(&delivery.key).await? else {
                delivery.state = DeliveryState::Failed;
                tx.save_delivery(&delivery).await?;
                continue;
            };
            self.settle(&mut delivery, &conversation);
            tx.save_delivery(&delivery).await?;
            record_change(tx, &mut conversation, &delivery);
            tx.save_conversation(&conversation).await?;
        }
        Ok(deliveries.len())
    }
}

impl Interrupted {
    /// Whether the replica that sends it still may.
    fn is_held(&self, delivery: &Delivery, now: Timestamp) -> bool {
        if !self.is_shared {
            return false;
        }
        let account = (&delivery.key.tenant, &delivery.key.account);
        let timeout = match delivery.direction {
            Direction::Agent => self
                .directory
                .agent(delivery.agent.as_str())
                .map(|agent| agent.send_timeout),
            Direction::Source => {
                let account = self.directory.account(account.0, account.1).ok();
                let source = account.and_then(|(account, _)| account.source.clone());
                let source = source.and_then(|name| self.directory.source(name.as_str()).cloned());
                source.map(|source| source.settings.send_timeout)
            }
        };
        now < delivery.attempted_at + timeout.unwrap_or_default() + LEASE_SPARE
    }

    fn settle(&self, delivery: &mut Delivery, conversation: &Conversation) {
        delivery.state = DeliveryState::Queued;
        match (delivery.direction, delivery.kind) {
            (Direction::Agent, DeliveryKind::Message | DeliveryKind::Human) => {
                delivery.state = DeliveryState::Unknown;
            }
            (Direction::Source, kind) if is_shown(kind, delivery.part) => {
                let source = conversation.source.as_ref();
                let source = source.and_then(|name| self.directory.source(name.as_str()));
                if source.is_some_and(|source| source.capabilities.reads_back) {
                    read_back(delivery);
                } else {
                    delivery.unclear = true;
                    part_done(delivery, "");
                }
            }
            // Until it is repeated, the source may know another owner than we do.
            (Direction::Source, _) => delivery.unclear |= may_have_handed_over(delivery),
            (Direction::Agent, _) => {}
        }
    }
}

/// Whether the part under way is words for the visitor. A handover comes before what is said of it.
fn is_shown(kind: DeliveryKind, part: u32) -> bool {
    match kind {
        DeliveryKind::Reply | DeliveryKind::Human => true,
        DeliveryKind::Escalate => part > 0,
        _ => false,
    }
}
