//! After a restart: what was under way when the process ended.

use async_trait::async_trait;

use crate::{
    committer::Committer,
    domain::{
        ConversationKey, DeliveryKind, DeliveryState, Reason, Result,
        ports::{Store, Transaction, Unit},
    },
};

use super::settle::record_change;

/// How many rows one transaction settles: few enough to keep it short.
const AT_ONCE: usize = 200;

/// Settles what was under way and answers the lanes that have something to do. Run before any lane.
pub async fn recover(store: &dyn Store, committer: &Committer) -> Result<Vec<ConversationKey>> {
    while committer.submit(Interrupted).await?.output == AT_ONCE {}
    store.busy_lanes().await
}

/// A message that was under way may have arrived: UNKNOWN. Anything else is sent again.
#[derive(Debug)]
struct Interrupted;

#[async_trait]
impl Unit for Interrupted {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let deliveries = tx.attempting_deliveries(AT_ONCE).await?;
        for mut delivery in deliveries.iter().cloned() {
            delivery.reason = Some(Reason::Interrupted);
            delivery.state = match delivery.kind {
                DeliveryKind::Message => DeliveryState::Unknown,
                _ => DeliveryState::Queued,
            };
            tx.save_delivery(&delivery).await?;
            if let Some(mut conversation) = tx.conversation(&delivery.key).await? {
                record_change(tx, &mut conversation, &delivery);
                tx.save_conversation(&conversation).await?;
            }
        }
        Ok(deliveries.len())
    }
}
