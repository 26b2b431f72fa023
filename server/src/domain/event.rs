//! Events: the log's immutable facts.

use super::{
    conversation::Visitor,
    delivery::{DeliveryState, Reason, Subject},
    id::{ConversationKey, Id},
    message::{AgentMessage, HumanMessage, VisitorMessage},
    owner::{Known, Owner, OwnerChangeCause},
    parameter::Parameter,
    request::{Answer, Question, RequestDelivery, RequestOutcome},
    time::Timestamp,
};

/// A place in the log: gap-free, in commit order, from 1. 0 is before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl Position {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An event that is about to be committed.
#[derive(Clone, PartialEq)]
pub struct NewEvent {
    pub event_id: Id,
    pub tenant: Id,
    pub agent: Id,
    /// Absent for events that belong to no conversation.
    pub key: Option<ConversationKey>,
    pub session: u32,
    /// From 1 within the conversation; 0 without one.
    pub sequence: u64,
    pub owner_epoch: u64,
    pub superseded: bool,
    /// W3C trace context of the cause; empty when it carried none.
    pub traceparent: String,
    pub body: EventBody,
}

/// A committed event.
#[derive(Clone, PartialEq)]
pub struct Event {
    pub position: Position,
    pub recorded_at: Timestamp,
    pub fact: NewEvent,
}

/// A committed event as it travels: what filters need, and the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    pub position: Position,
    pub tenant: Id,
    pub agent: Id,
    pub account: Option<Id>,
    pub conversation_id: Option<Id>,
    pub kind: EventKind,
    /// The encoded `parloir.v1.Event`.
    pub bytes: bytes::Bytes,
}

/// What happened.
#[derive(Clone, PartialEq)]
pub enum EventBody {
    ConversationStarted {
        resumed: bool,
        visitor: Option<Visitor>,
        parameters: Vec<Parameter>,
        command_id: String,
    },
    ConversationEnded {
        cause: EndCause,
        command_id: String,
    },
    VisitorMessage(VisitorMessage),
    DeliveryChanged {
        subject: Subject,
        session: u32,
        state: DeliveryState,
        reason: Option<Reason>,
        attempt: u32,
        detail: String,
    },
    AgentMessage(AgentMessage),
    Requested {
        /// Absent where nobody waits for an answer.
        request: Option<OpenQuestion>,
        /// The answer that was given from published availability.
        answered_online: Option<bool>,
        question: Question,
    },
    RequestClosed {
        request_id: Id,
        outcome: RequestOutcome,
        answered_by: String,
        delivery: RequestDelivery,
        answer: Option<Answer>,
    },
    OwnerChanged {
        from: Owner,
        to: Owner,
        owner_epoch: u64,
        cause: OwnerChangeCause,
        note: String,
        request_id: String,
        command_id: String,
        known: Known,
    },
    HumanMessage(HumanMessage),
    TicketReplied {
        text: String,
        intents: Vec<Intent>,
        attachments: Vec<String>,
        raw: String,
    },
    ParametersUpdated {
        parameters: Vec<Parameter>,
        command_id: String,
        kept: bool,
    },
    PlatformAlert {
        name: String,
        raw: String,
    },
    UnknownPlatformEvent {
        event_type: String,
        raw: String,
    },
    /// The conversation was erased; or, without a receipt, this event was, whatever it held.
    Erased {
        receipt_id: String,
        /// Every event up to this `sequence` was.
        through_sequence: u64,
    },
    /// What a later version wrote and this one cannot read: kept and passed on as it is, and nothing is made of it.
    Unread {
        kind: EventKind,
        /// The encoded body.
        body: Vec<u8>,
    },
}

/// The handle of a question that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenQuestion {
    pub request_id: Id,
    pub respond_by: Timestamp,
    pub time_limit: std::time::Duration,
}

/// What an agent took a ticket to be about.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    pub intent_id: String,
    pub name: String,
    pub confidence: Option<f64>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    Caller,
    Expired,
    Escalated,
    Visitor,
}

/// The kinds of event; the numbers are those of the contract and of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    ConversationStarted,
    ConversationEnded,
    VisitorMessage,
    DeliveryChanged,
    AgentMessage,
    ActionRequested,
    EscalationRequested,
    AvailabilityRequested,
    RequestClosed,
    OwnerChanged,
    HumanMessage,
    TicketReplied,
    ParametersUpdated,
    PlatformAlert,
    UnknownPlatformEvent,
    Erased,
    /// One of a later version, which may write beside this one; by its number.
    Later(i32),
}

impl EventKind {
    /// Those that this version knows.
    pub const ALL: [Self; 16] = [
        Self::ConversationStarted,
        Self::ConversationEnded,
        Self::VisitorMessage,
        Self::DeliveryChanged,
        Self::AgentMessage,
        Self::ActionRequested,
        Self::EscalationRequested,
        Self::AvailabilityRequested,
        Self::RequestClosed,
        Self::OwnerChanged,
        Self::HumanMessage,
        Self::TicketReplied,
        Self::ParametersUpdated,
        Self::PlatformAlert,
        Self::UnknownPlatformEvent,
        Self::Erased,
    ];

    pub fn number(self) -> i32 {
        match self {
            Self::ConversationStarted => 1,
            Self::ConversationEnded => 2,
            Self::VisitorMessage => 3,
            Self::DeliveryChanged => 4,
            Self::AgentMessage => 5,
            Self::ActionRequested => 6,
            Self::EscalationRequested => 7,
            Self::AvailabilityRequested => 8,
            Self::RequestClosed => 9,
            Self::OwnerChanged => 10,
            Self::HumanMessage => 11,
            Self::TicketReplied => 12,
            Self::ParametersUpdated => 13,
            Self::PlatformAlert => 14,
            Self::UnknownPlatformEvent => 15,
            Self::Erased => 16,
            Self::Later(number) => number,
        }
    }

    pub fn from_number(number: i32) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.number() == number);
        known.unwrap_or(Self::Later(number))
    }
}

impl EventBody {
    /// What is read where something personal stood.
    pub fn erased() -> Self {
        Self::Erased {
            receipt_id: String::new(),
            through_sequence: 0,
        }
    }

    pub fn kind(&self) -> EventKind {
        match self {
            Self::ConversationStarted { .. } => EventKind::ConversationStarted,
            Self::ConversationEnded { .. } => EventKind::ConversationEnded,
            Self::VisitorMessage(_) => EventKind::VisitorMessage,
            Self::DeliveryChanged { .. } => EventKind::DeliveryChanged,
            Self::AgentMessage(_) => EventKind::AgentMessage,
            Self::Requested { question, .. } => match question {
                Question::Action { .. } => EventKind::ActionRequested,
                Question::Escalation { .. } => EventKind::EscalationRequested,
                Question::Availability { .. } => EventKind::AvailabilityRequested,
            },
            Self::RequestClosed { .. } => EventKind::RequestClosed,
            Self::OwnerChanged { .. } => EventKind::OwnerChanged,
            Self::HumanMessage(_) => EventKind::HumanMessage,
            Self::TicketReplied { .. } => EventKind::TicketReplied,
            Self::ParametersUpdated { .. } => EventKind::ParametersUpdated,
            Self::PlatformAlert { .. } => EventKind::PlatformAlert,
            Self::UnknownPlatformEvent { .. } => EventKind::UnknownPlatformEvent,
            Self::Erased { .. } => EventKind::Erased,
            Self::Unread { kind, .. } => *kind,
        }
    }
}

/// The kind only: the rest may be a visitor's words.
impl std::fmt::Debug for EventBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.kind(), f)
    }
}

impl std::fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewEvent")
            .field("event_id", &self.event_id)
            .field("key", &self.key)
            .field("sequence", &self.sequence)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("position", &self.position)
            .field("fact", &self.fact)
            .finish_non_exhaustive()
    }
}
