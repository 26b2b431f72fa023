//! What was under way when a process ended: after a restart this one, and where replicas share a database any other.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    committer::Committer,
    domain::{
        Conversation, Delivery, DeliveryKind, DeliveryState, Direction, Directory, Id, LaneKey,
        Reason, Result, Timestamp,
        ports::{Store, Transaction, Unit},
    },
};

use super::{
    settle::record_change,
    settle_source::{may_have_handed_over, part_done, read_back},
};

/// How many rows one transaction looks at and settles: few enough to keep it short.
const AT_ONCE: usize = 200;

/// A request is under way at most for its agent's, or source's, `send_timeout` after it was committed ATTEMPTING, and this
/// long in all else: it begins within [`super::BEGUN_WITHIN`], and how it ended is committed at once.
const LEASE_SPARE: Duration = Duration::from_secs(15);

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

pub(super) async fn settle_interrupted(
    committer: &Committer,
    directory: &Arc<Directory>,
    is_shared: bool,
) -> Result<()> {
    let mut interrupted = Interrupted {
        directory: Arc::clone(directory),
        is_shared,
        after: None,
    };
    loop {
        let last = committer.submit(interrupted.clone()).await?.output;
        if last.is_none() {
            return Ok(());
        }
        interrupted.after = last;
    }
}

/// A message that was under way may have arrived: UNKNOWN, or read back where a source can tell. Anything else is sent
/// again.
#[derive(Debug, Clone)]
struct Interrupted {
    directory: Arc<Directory>,
    is_shared: bool,
    /// The last one that was looked at: those that may still be under way hide none behind them.
    after: Option<(Timestamp, Id)>,
}

#[async_trait]
impl Unit for Interrupted {
    /// The last one that was looked at, where there may be more behind it.
    type Output = Option<(Timestamp, Id)>;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Self::Output> {
        let now = tx.now();
        let before = if self.is_shared {
            now - LEASE_SPARE
        } else {
            Timestamp(i64::MAX)
        };
        let after = self.after.as_ref();
        let mut deliveries = tx.attempting_deliveries(before, after, AT_ONCE).await?;
        let last = deliveries.last().filter(|_| deliveries.len() == AT_ONCE);
        let last = last.map(|delivery| (delivery.queued_at, delivery.id.clone()));
        deliveries.retain(|delivery| !self.is_held(delivery, now));
        for mut delivery in deliveries {
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
        Ok(last)
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
