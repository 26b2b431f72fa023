//! What readers ask of the store.

use super::{
    conversation::SessionState,
    event::EventKind,
    id::{ConversationKey, Id},
    owner::Owner,
    time::Timestamp,
};

/// Visitors whom a source has brought, latest sign of life first.
#[derive(Debug, Clone)]
pub struct ContactQuery {
    pub tenant: Id,
    pub account: Id,
    pub conversation_id: Option<Id>,
    /// Only what comes after this one in the order.
    pub after: Option<(Timestamp, Id)>,
    pub limit: usize,
}

/// Which conversations, ordered by their latest change and then by account and id.
#[derive(Debug, Clone, Default)]
pub struct ConversationQuery {
    pub tenant: Option<Id>,
    pub accounts: Vec<Id>,
    pub owners: Vec<Owner>,
    pub session_states: Vec<SessionState>,
    pub updated_from: Option<Timestamp>,
    pub updated_before: Option<Timestamp>,
    pub oldest_first: bool,
    /// Only those after this place in the order.
    pub after: Option<(Timestamp, Id, Id)>,
    pub limit: usize,
}

/// Which events of one conversation, by `sequence`.
#[derive(Debug, Clone)]
pub struct EventQuery {
    pub key: ConversationKey,
    pub kinds: Vec<EventKind>,
    pub newest_first: bool,
    /// Only those beyond this `sequence` in the order asked for.
    pub after: Option<u64>,
    pub limit: usize,
    /// Ends one event after about so many bytes, so that the reader learns that there is more.
    pub max_bytes: usize,
}
