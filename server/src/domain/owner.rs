//! Who answers the visitor.

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
