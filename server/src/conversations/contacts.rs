//! The visitors whom sources have brought: which conversation each has.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    ConversationKey, Error, Id, KnownContact, Result,
    ports::{Transaction, Unit},
    query::ContactQuery,
};

use super::{Caller, Conversations, read::detached};

impl Conversations {
    pub async fn contacts(
        &self,
        caller: &Caller,
        query: ContactQuery,
    ) -> Result<Vec<KnownContact>> {
        self.live
            .directory()
            .account(&caller.tenant, &query.account)?;
        let query = ContactQuery {
            tenant: caller.tenant.clone(),
            ..query
        };
        let store = Arc::clone(&self.store);
        detached(async move { store.contacts(&query).await }).await
    }

    /// Gives a visitor another conversation from now on.
    pub async fn link_contact(
        &self,
        caller: &Caller,
        account: &Id,
        contact_id: &Id,
        conversation_id: &Id,
    ) -> Result<KnownContact> {
        self.live.directory().account(&caller.tenant, account)?;
        let unit = Link {
            contact_id: contact_id.clone(),
            key: ConversationKey {
                tenant: caller.tenant.clone(),
                account: account.clone(),
                id: conversation_id.clone(),
            },
        };
        Ok(self.committer.submit(unit).await?.output)
    }
}

#[derive(Debug)]
struct Link {
    contact_id: Id,
    /// The conversation from now on.
    key: ConversationKey,
}

#[async_trait]
impl Unit for Link {
    type Output = KnownContact;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<KnownContact> {
        let known = tx.contact(&self.contact_id).await?.filter(|known| {
            known.key.tenant == self.key.tenant && known.key.account == self.key.account
        });
        let mut contact = known.ok_or_else(|| Error::not_found("contact", &self.contact_id))?;
        if contact.key == self.key {
            return Ok(contact);
        }
        if tx.contact_of(&self.key).await?.is_some() {
            return Err(Error::ContactTaken);
        }
        contact.key = self.key.clone();
        // Numbers stood for choices of the other conversation.
        contact.numbered = 0;
        tx.save_contact(&contact).await?;
        if let Some(mut conversation) = tx.conversation(&self.key).await? {
            conversation.source = Some(contact.source.clone());
            tx.save_conversation(&conversation).await?;
        }
        Ok(contact)
    }
}
