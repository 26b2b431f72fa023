//! What is on its way to an agent or a source.

use super::{
    id::{ConversationKey, Id},
    time::Timestamp,
};

/// How far a delivery has come. The first two block what comes after them in the lane; the others are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Waits for its turn or for the next try.
    Queued,
    /// A request is under way, or was when the process ended.
    Attempting,
    /// The platform acknowledged it.
    Delivered,
    /// Sent, and nobody can tell whether it arrived.
    Unknown,
    /// Refused, or not deliverable in time.
    Failed,
    /// The agent did not own the conversation.
    Held,
    /// The owner changed before it could be delivered to a source.
    Superseded,
}

impl DeliveryState {
    /// Nothing will change it any more, short of a caller's `resend`.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Attempting)
    }
}

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryKind {
    Start,
    Message,
    Parameters,
    End,
    /// The agent's words, to the source.
    Reply,
    /// A human's words, to the source or to the platform's widget.
    Human,
    /// The visitor is given to a human at the source.
    Escalate,
    /// The visitor is taken back for the agent at the source.
    Resume,
}

/// Which way a delivery goes: each conversation has one lane a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    Agent,
    Source,
}

/// What names one lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    pub conversation: ConversationKey,
    pub direction: Direction,
}

impl LaneKey {
    pub fn to_agent(conversation: &ConversationKey) -> Self {
        Self {
            conversation: conversation.clone(),
            direction: Direction::Agent,
        }
    }

    pub fn to_source(conversation: &ConversationKey) -> Self {
        Self {
            conversation: conversation.clone(),
            direction: Direction::Source,
        }
    }
}

/// Whom a lane delivers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    Agent(Id),
    Source(Id),
}

impl Recipient {
    pub fn name(&self) -> &Id {
        match self {
            Self::Agent(name) | Self::Source(name) => name,
        }
    }
}

/// Why a delivery is in its state; the stable word that callers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The agent answered 400 or another 4xx without a word of its own.
    AgentRejected,
    /// The agent answered 401 or 403.
    AgentCredentialsRejected,
    /// The agent answered 404.
    AgentNotFoundUpstream,
    /// No connection, or the agent asked to come back later.
    AgentUnavailable,
    /// The request was sent and no answer came, or one that does not tell.
    OutcomeUnknown,
    /// It waited longer than the agent's `max_queue_age`.
    QueuedTooLong,
    /// The process ended while the request was under way.
    Interrupted,
    /// The agent does not own the conversation.
    NotOwner,
    /// The agent is not configured any more.
    AgentRemoved,
    /// No session was alive: kept for the next start or message.
    Kept,
    /// The fallback had been sent before this answer to a request was committed.
    FallbackSent,
    /// The source refused the request.
    SourceRejected,
    /// The source refused our credentials or permissions.
    SourceCredentialsRejected,
    /// The agent is paused: nothing is sent to it for now.
    AgentPaused,
    /// No connection to the source, or it asked to come back later.
    SourceUnavailable,
    /// The source is not configured any more.
    SourceRemoved,
    /// Somebody else answers this visitor at the source.
    SourceNotOwner,
    /// The visitor spoke too long ago for the source to take a message.
    WindowClosed,
    /// The visitor cannot be reached at the source.
    VisitorUnreachable,
    /// Who owns the conversation could not be read in time.
    OwnerUnread,
    /// The owner changed before it was delivered.
    OwnerMoved,
    /// Its words were erased.
    Erased,
}

impl Reason {
    pub const ALL: [Self; 22] = [
        Self::AgentRejected,
        Self::AgentCredentialsRejected,
        Self::AgentNotFoundUpstream,
        Self::AgentUnavailable,
        Self::OutcomeUnknown,
        Self::QueuedTooLong,
        Self::Interrupted,
        Self::NotOwner,
        Self::AgentRemoved,
        Self::Kept,
        Self::FallbackSent,
        Self::SourceRejected,
        Self::SourceCredentialsRejected,
        Self::AgentPaused,
        Self::SourceUnavailable,
        Self::SourceRemoved,
        Self::SourceNotOwner,
        Self::WindowClosed,
        Self::VisitorUnreachable,
        Self::OwnerUnread,
        Self::OwnerMoved,
        Self::Erased,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgentRejected => "AGENT_REJECTED",
            Self::AgentCredentialsRejected => "AGENT_CREDENTIALS_REJECTED",
            Self::AgentNotFoundUpstream => "AGENT_NOT_FOUND_UPSTREAM",
            Self::AgentUnavailable => "AGENT_UNAVAILABLE",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::AgentPaused => "AGENT_PAUSED",
            Self::QueuedTooLong => "QUEUED_TOO_LONG",
            Self::Interrupted => "INTERRUPTED",
            Self::NotOwner => "NOT_OWNER",
            Self::AgentRemoved => "AGENT_REMOVED",
            Self::Kept => "KEPT",
            Self::FallbackSent => "FALLBACK_SENT",
            Self::SourceRejected => "SOURCE_REJECTED",
            Self::SourceCredentialsRejected => "SOURCE_CREDENTIALS_REJECTED",
            Self::SourceUnavailable => "SOURCE_UNAVAILABLE",
            Self::SourceRemoved => "SOURCE_REMOVED",
            Self::SourceNotOwner => "SOURCE_NOT_OWNER",
            Self::WindowClosed => "WINDOW_CLOSED",
            Self::VisitorUnreachable => "VISITOR_UNREACHABLE",
            Self::OwnerUnread => "OWNER_UNREAD",
            Self::OwnerMoved => "OWNER_MOVED",
            Self::Erased => "ERASED",
        }
    }

    /// The reverse of [`Reason::as_str`], for the store.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Whose delivery it is, in the caller's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    Message(String),
    Command(String),
    Request(String),
    /// An event whose content goes to the source or the widget.
    Event(String),
}

/// One row of a lane. It points at its event and copies nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Id,
    pub key: ConversationKey,
    /// The conversation's agent, also where it goes to the source.
    pub agent: Id,
    pub direction: Direction,
    pub kind: DeliveryKind,
    pub subject: Subject,
    /// Place in the lane: the order in which rows were committed, also when an old message is sent once more.
    pub order: u64,
    /// `sequence` of the event that holds what to deliver.
    pub sequence: u64,
    pub state: DeliveryState,
    pub reason: Option<Reason>,
    /// What the platform said about a refusal, redacted and cut to 512 bytes.
    pub detail: String,
    /// Requests begun so far.
    pub attempt: u32,
    /// The session it went into; 0 while undecided.
    pub session: u32,
    /// It began that session.
    pub new_session: bool,
    /// The owner epoch of its commit, compared again before each request.
    pub owner_epoch: u64,
    pub queued_at: Timestamp,
    /// No request before this time.
    pub not_before: Timestamp,
    /// How many of its messages have been dealt with: what a source cannot show at once goes in several.
    pub part: u32,
    /// Whether some part of it arrived cannot be known.
    pub unclear: bool,
    /// When its last request was decided on.
    pub attempted_at: Timestamp,
    /// Somebody else may have given the conversation back when it was queued: it goes to the agent if that is read next,
    /// and is held otherwise.
    pub awaits_owner: bool,
    /// The part under way ended unclearly after this time, and the source can tell whether it arrived.
    pub read_back_since: Option<Timestamp>,
    /// The other side's id of it; empty where it gave none.
    pub remote_id: String,
}

impl Delivery {
    /// Whether this row is still at this attempt. Otherwise somebody settled it, who found its replica gone; number and
    /// time of the attempt are the token that keeps that replica from changing anything after all.
    pub fn is_at(&self, attempt: &Self) -> bool {
        self.state == DeliveryState::Attempting
            && self.attempt == attempt.attempt
            && self.attempted_at == attempt.attempted_at
    }

    pub fn lane(&self) -> LaneKey {
        LaneKey {
            conversation: self.key.clone(),
            direction: self.direction,
        }
    }
}
