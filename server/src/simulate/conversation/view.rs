//! What can be seen of a conversation from outside.

use std::collections::BTreeMap;

/// A conversation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationView {
    pub state: ConversationState,
    /// The platform's own id of the present, or else the last, conversation under this platform
    /// conversation id. Empty before the first.
    pub internal_id: String,
    /// How many sessions there have been.
    pub sessions: u32,
    /// The session's parameters.
    pub parameters: BTreeMap<String, String>,
}

/// Where a conversation stands. A session that has run out shows as active until the next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationState {
    Active,
    /// An escalation was accepted.
    Escalated,
    Ended,
}
