//! A visitor whom a source has brought: which conversation it is, and how to reach it there.

use super::{
    id::{ConversationKey, Id},
    time::Timestamp,
};

/// One row.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownContact {
    /// A keyed hash of the source and of what it calls the visitor.
    pub id: Id,
    pub source: Id,
    pub key: ConversationKey,
    /// As the source wrote it; see [`super::source::Contact::address`].
    pub address: String,
    /// When the source last told something of the visitor.
    pub seen_at: Timestamp,
    /// When the visitor last spoke: what windows for answers are counted from.
    pub spoke_at: Timestamp,
    /// `sequence` of the agent's message whose choices were shown as numbers; 0 for none.
    pub numbered: u64,
}

/// The address may be a phone number.
impl std::fmt::Debug for KnownContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownContact")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
