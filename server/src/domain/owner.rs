//! Who answers the visitor, and how we know.

use super::time::Timestamp;

/// Who answers the visitor now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The agent: visitors' messages are sent to it.
    Agent,
    /// A human: the agent stays silent.
    Human,
    /// Nobody: it was ended while a human owned it.
    None,
    /// It cannot be told; treated like a human.
    Unknown,
}

/// What changed the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnerChangeCause {
    /// A caller accepted an escalation.
    EscalationAccepted,
    /// A caller transferred the conversation.
    Transfer,
    /// It was ended while a human owned it.
    Ended,
    /// A visitor came back to a conversation that nobody owned.
    Reopened,
    /// A visitor said one of the source's `handover_phrases`.
    HandoverPhrase,
    /// The source says so.
    Observed,
    /// The source refused what the agent said, because somebody else answers there.
    RefusedBySource,
    /// The agent handed over through the platform's own widget.
    WidgetEscalation,
    /// It was unknown for longer than `owner_unknown_max`.
    UnknownTooLong,
    /// The visitor asked for a human, and the source could not hand over.
    HandoverFailed,
}

/// What the knowledge of the owner rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// Nobody has said anything: a new conversation is the agent's.
    Assumed,
    /// We changed it: a caller, an escalation, a setting.
    OwnAction,
    /// The source said so by itself.
    Pushed,
    /// The source was asked.
    Read,
    /// The source refused a message.
    SendError,
}

/// How we know who the owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub evidence: Evidence,
    /// When it was last seen to be so.
    pub observed_at: Timestamp,
    /// When it stops being true by itself, or must be read again; absent: it holds until something happens.
    pub expires_at: Option<Timestamp>,
}

impl Known {
    /// We changed it.
    pub fn by_us(now: Timestamp) -> Self {
        Self {
            evidence: Evidence::OwnAction,
            observed_at: now,
            expires_at: None,
        }
    }
}
