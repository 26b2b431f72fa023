//! Reading conversations and transcripts. Reads run detached: a caller who goes away cancels none.

use std::sync::Arc;

use tracing::Instrument;

use crate::domain::{
    Conversation, ConversationKey, Error, Id, Position, Result, StoredEvent,
    query::{ConversationQuery, EventQuery},
};

use super::{Caller, ConversationView, Conversations};

/// A page of a conversation's events.
#[derive(Debug, Clone)]
pub struct EventsPage {
    /// With their `sequence`.
    pub events: Vec<(u64, StoredEvent)>,
    /// 0 when the conversation has no events.
    pub first_available_sequence: u64,
}

impl Conversations {
    pub async fn get(
        &self,
        caller: &Caller,
        account: &Id,
        conversation_id: &Id,
    ) -> Result<ConversationView> {
        self.live.directory().account(&caller.tenant, account)?;
        let (tenant, account) = (caller.tenant.clone(), account.clone());
        self.view(&ConversationKey {
            tenant,
            account,
            id: conversation_id.clone(),
        })
        .await
    }

    pub async fn list(
        &self,
        caller: &Caller,
        query: ConversationQuery,
    ) -> Result<Vec<(Conversation, Position)>> {
        let query = ConversationQuery {
            tenant: Some(caller.tenant.clone()),
            ..query
        };
        let store = Arc::clone(&self.store);
        detached(async move {
            let mut found = Vec::new();
            for conversation in store.conversations(&query).await? {
                let last = store
                    .position_of(&conversation.key, conversation.sequence)
                    .await?;
                found.push((conversation, last.unwrap_or_default()));
            }
            Ok(found)
        })
        .await
    }

    pub async fn events(&self, caller: &Caller, query: EventQuery) -> Result<EventsPage> {
        self.live
            .directory()
            .account(&caller.tenant, &query.key.account)?;
        let mut query = query;
        query.key.tenant = caller.tenant.clone();
        let store = Arc::clone(&self.store);
        detached(async move {
            let id = &query.key.id;
            store
                .conversation(&query.key)
                .await?
                .ok_or_else(|| Error::not_found("conversation", id))?;
            let first_available_sequence = store.first_sequence(&query.key).await?;
            Ok(EventsPage {
                events: store.events(&query).await?,
                first_available_sequence,
            })
        })
        .await
    }

    /// A conversation as it stands now.
    pub(super) async fn view(&self, key: &ConversationKey) -> Result<ConversationView> {
        let (store, key) = (Arc::clone(&self.store), key.clone());
        detached(async move {
            let found = store.conversation(&key).await?;
            let conversation = found.ok_or_else(|| Error::not_found("conversation", &key.id))?;
            let last = store
                .position_of(&key, conversation.sequence)
                .await?
                .unwrap_or_default();
            Ok(ConversationView {
                open_requests: store.open_requests(&key).await?,
                conversation,
                last,
            })
        })
        .await
    }
}

/// Runs database work to its end whatever becomes of the one who asked for it.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work.in_current_span())
        .await
        .unwrap_or_else(|panic| {
            tracing::error!(%panic, "database work panicked");
            Err(Error::Internal)
        })
}
