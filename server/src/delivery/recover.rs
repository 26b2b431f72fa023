//! After a restart: what was under way when the process ended.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    committer::Committer,
    domain::{
        Conversation, Delivery, DeliveryKind, DeliveryState, Direction, Directory, LaneKey, Reason,
        Result,
        ports::{Store, Transaction, Unit},
    },
};

use super::{
    settle::record_change,
    settle_source::{may_have_handed_over, part_done, read_back},
};

/// How many rows one transaction settles: few enough to keep it short.
const AT_ONCE: usize = 200;

/// Settles what was under way and answers the lanes that have something to do. Run before any lane.
pub async fn recover(
    store: &dyn Store,
    committer: &Committer,
    directory: &Arc<Directory>,
) -> Result<Vec<LaneKey>> {
    let interrupted = Interrupted {
        directory: Arc::clone(directory),
    };
    while committer.submit(interrupted.clone()).await?.output == AT_ONCE {}
    store.busy_lanes().await
}

/// A message that was under way may have arrived: UNKNOWN, or read back where a source can tell. Anything else is sent
/// again.
#[derive(Debug, Clone)]
struct Interrupted {
    directory: Arc<Directory>,
}

#[async_trait]
impl Unit for Interrupted {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let deliveries = tx.attempting_deliveries(AT_ONCE).await?;
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
