//! Whom a webhook of the agent's platform concerns.

use std::sync::Arc;

use crate::domain::{
    AgentSettings, Conversation, ConversationKey, Directory, Error, Id, Result, ports::Transaction,
};

use super::open::open;

/// Whom a webhook concerns.
#[derive(Debug)]
pub struct Addressee {
    pub tenant: Id,
    /// The id by which the platform names the conversation; absent where it names none.
    pub upstream_id: Option<String>,
    /// The platform's own id of it; absent where it tells none.
    pub internal_id: Option<String>,
    pub directory: Arc<Directory>,
}

impl Addressee {
    /// As [`Self::resolve`]. What the platform erases by is noted with it.
    pub async fn find(
        &self,
        tx: &mut dyn Transaction,
        agent: &AgentSettings,
    ) -> Result<Option<(Conversation, u64)>> {
        let found = self.resolve(tx, agent).await?;
        if let (Some((conversation, _)), Some(internal_id)) = (&found, &self.internal_id) {
            tx.note_internal_id(&conversation.key, &agent.name, internal_id)
                .await?;
        }
        Ok(found)
    }

    /// The conversation, made if nobody has heard of it (the agent may speak first), with the owner epoch in which the
    /// named id came into use.
    async fn resolve(
        &self,
        tx: &mut dyn Transaction,
        agent: &AgentSettings,
    ) -> Result<Option<(Conversation, u64)>> {
        let Some(upstream_id) = &self.upstream_id else {
            return Ok(None);
        };
        if let Some((key, epoch)) = tx.resolve_upstream(&agent.name, upstream_id).await? {
            let conversation = tx.conversation(&key).await?.ok_or(Error::Internal)?;
            return Ok(Some((conversation, epoch)));
        }
        let owner = self.directory.account_of_upstream(agent, upstream_id);
        let (account, id) =
            owner.ok_or_else(|| Error::not_found("account of agent", &agent.name))?;
        let id = Id::parse("platformConversationId", &id)?;
        let key = ConversationKey {
            tenant: self.tenant.clone(),
            account: account.name.clone(),
            id,
        };
        let conversation = open(tx, &key, account, agent).await?;
        let epoch = conversation.upstream_epoch;
        Ok(Some((conversation, epoch)))
    }
}
