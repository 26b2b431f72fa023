//! An erasure: what was erased when, here and at the agents' platforms. Its receipt holds ids and times only.

use sha2::{Digest, Sha256};

use super::{
    delivery::Reason,
    hex::hex,
    id::{ConversationKey, Id},
    time::Timestamp,
};

/// One erasure with its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub receipt_id: Id,
    pub tenant: Id,
    pub account: Id,
    /// The idempotency key of the call, and the keyed hash of what it asked for.
    pub command_id: Id,
    pub content: Vec<u8>,
    pub conversations: Vec<ErasedConversation>,
    pub requested_at: Timestamp,
    /// When the last copy on this server was gone; absent while that is not so.
    pub erased_at: Option<Timestamp>,
    pub upstream: Vec<UpstreamErasure>,
}

/// One conversation of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedConversation {
    pub id: Id,
    /// `sequence` of the last event that was erased; 0 for none.
    pub through_sequence: u64,
}

/// What an agent's platform is asked to erase: one id of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamErasure {
    pub id: Id,
    pub receipt_id: Id,
    pub key: ConversationKey,
    pub agent: Id,
    /// The platform's own id of the conversation; absent where none was ever seen.
    pub internal_id: Option<String>,
    pub state: UpstreamState,
    /// Why the newest try was not acknowledged.
    pub reason: Option<Reason>,
    /// How many times the platform was asked.
    pub attempts: u32,
    pub requested_at: Timestamp,
    /// Not asked before.
    pub not_before: Timestamp,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
}

/// How far the erasure at a platform has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamState {
    /// Asked, and asked again, until it is acknowledged.
    Requested,
    /// Acknowledged.
    Confirmed,
    /// There is no id to ask about.
    IdNeverSeen,
    /// Not acknowledged in time.
    Failed,
}

impl UpstreamErasure {
    /// What stands in receipts in place of the platform's id; empty where there is none.
    pub fn internal_id_sha256(&self) -> String {
        let Some(id) = &self.internal_id else {
            return String::new();
        };
        hex(&Sha256::digest(id.as_bytes()))
    }
}

/// Without the platform's id: the receipt shows a hash of it.
impl std::fmt::Debug for UpstreamErasure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamErasure")
            .field("id", &self.id)
            .field("receipt_id", &self.receipt_id)
            .field("agent", &self.agent)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_shows_the_usual_hash_of_a_platforms_id_and_never_the_id() {
        let erasure = UpstreamErasure {
            id: Id::trusted("t"),
            receipt_id: Id::trusted("r"),
            key: ConversationKey {
                tenant: Id::trusted("t"),
                account: Id::trusted("a"),
                id: Id::trusted("c"),
            },
            agent: Id::trusted("bot"),
            internal_id: Some("abc".into()),
            state: UpstreamState::Requested,
            reason: None,
            attempts: 0,
            requested_at: Timestamp(0),
            not_before: Timestamp(0),
            ended_at: None,
        };
        assert_eq!(
            erasure.internal_id_sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(!format!("{erasure:?}").contains("abc"));
    }
}
