//! What a source says became of something that it had taken.

use crate::{
    delivery::record_change,
    domain::{Conversation, DeliveryState, Id, Reason, Result, ports::Transaction, tenant_of},
};

/// One word of it.
#[derive(Debug)]
pub struct Report<'a> {
    pub source: &'a Id,
    /// The source's id of the message.
    pub remote_id: &'a str,
    pub state: DeliveryState,
    pub reason: Option<Reason>,
    pub detail: &'a str,
}

impl Report<'_> {
    fn tenant(&self) -> &str {
        tenant_of(self.source.as_str())
    }

    /// Told without saying whose it is.
    pub async fn apart(&self, tx: &mut dyn Transaction) -> Result<()> {
        let Some(delivery) = tx.remote_delivery(self.tenant(), self.remote_id).await? else {
            return Ok(());
        };
        let Some(mut conversation) = tx.conversation(&delivery.key).await? else {
            return Ok(());
        };
        self.within(tx, &mut conversation).await?;
        tx.save_conversation(&conversation).await
    }

    /// Something that was taken has failed after all: so has all that it is a part of. That a part arrived is known
    /// already, or says nothing of the others.
    pub async fn within(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
    ) -> Result<()> {
        if self.state != DeliveryState::Failed || conversation.source.as_ref() != Some(self.source)
        {
            return Ok(());
        }
        let delivery = tx.remote_delivery(self.tenant(), self.remote_id).await?;
        let Some(mut delivery) = delivery.filter(|delivery| delivery.key == conversation.key)
        else {
            return Ok(());
        };
        // What is known to have ended otherwise stays so.
        if matches!(
            delivery.state,
            DeliveryState::Failed | DeliveryState::Held | DeliveryState::Superseded
        ) {
            return Ok(());
        }
        delivery.state = DeliveryState::Failed;
        delivery.reason = self.reason.or(Some(Reason::SourceRejected));
        self.detail.clone_into(&mut delivery.detail);
        tx.save_delivery(&delivery).await?;
        record_change(tx, conversation, &delivery);
        Ok(())
    }
}
