//! What named subscriptions need of the database.

use async_trait::async_trait;

use crate::domain::{
    ConversationKey, EventKind, Id, Position, Result, StoredEvent, Timestamp,
    subscription::{Changes, Entry, HeldBack, SubscriptionKey, SubscriptionRecord},
};

/// What is unfinished in a subscription.
#[derive(Debug, Default)]
pub struct Unfinished {
    pub entries: Vec<Entry>,
    pub held_back: Vec<(ConversationKey, HeldBack)>,
}

/// What a unit of work can do. Units run one after the other over all servers, so what is read stays so.
#[async_trait]
pub trait SubscriptionWrite: Send {
    async fn subscription(&mut self, key: &SubscriptionKey) -> Result<Option<SubscriptionRecord>>;
    async fn unfinished(&mut self, key: &SubscriptionKey) -> Result<Unfinished>;
    async fn count_subscriptions(&mut self, tenant: &Id) -> Result<usize>;
    async fn save_subscription(&mut self, record: &SubscriptionRecord) -> Result<()>;
    async fn save_changes(&mut self, key: &SubscriptionKey, changes: &Changes) -> Result<()>;
    /// With all that is unfinished in it.
    async fn delete_subscription(&mut self, key: &SubscriptionKey) -> Result<()>;
    /// A question was answered: wherever it is in flight in the tenant, it is done.
    async fn answered(&mut self, tenant: &Id, request_id: &Id) -> Result<()>;
}

/// What can be read.
#[async_trait]
pub trait SubscriptionRead: Send + Sync + std::fmt::Debug {
    async fn subscription(&self, key: &SubscriptionKey) -> Result<Option<SubscriptionRecord>>;
    /// Of one tenant or of all, by tenant and name.
    async fn subscriptions(&self, tenant: Option<&Id>) -> Result<Vec<SubscriptionRecord>>;
    async fn unfinished(&self, key: &SubscriptionKey) -> Result<Unfinished>;
    /// How often it was changed; absent: there is none.
    async fn revision(&self, key: &SubscriptionKey) -> Result<Option<u64>>;
    /// Those of these events that the log still holds, in order.
    async fn events_at(&self, positions: &[Position]) -> Result<Vec<StoredEvent>>;
    /// Events of a conversation from a position on, in order; of these kinds, or of all where none is named.
    async fn events_from(
        &self,
        key: &ConversationKey,
        from: Position,
        kinds: &[EventKind],
        limit: usize,
    ) -> Result<Vec<StoredEvent>>;
    /// When the first event at or after a position was recorded.
    async fn recorded_at(&self, position: Position) -> Result<Option<Timestamp>>;
}
