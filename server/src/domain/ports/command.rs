//! What idempotency keys stand for.

use crate::domain::id::Id;

/// An idempotency key in its scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommandKey {
    pub tenant: Id,
    pub account: Id,
    pub method: &'static str,
    pub key: Id,
}

/// What an idempotency key stands for: enough to answer the call again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Keyed hash of the content.
    pub content: Vec<u8>,
    pub conversation_id: Id,
    /// `sequence` of the command's event, or of the newest one when it added none.
    pub sequence: u64,
    /// The delivery it set on its way, if any.
    pub delivery: Option<Id>,
    /// It resumed a session, or began none.
    pub resumed: bool,
}
