//! What an agent asks and waits for.

use super::{
    id::{ConversationKey, Id},
    parameter::Parameter,
    time::Timestamp,
};

/// The kinds of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    Action,
    Escalation,
    Availability,
}

/// What is asked.
#[derive(Clone, PartialEq, Eq)]
pub enum Question {
    Action {
        name: String,
        parameters: Vec<ActionParameter>,
        raw: String,
    },
    Escalation {
        target: String,
        raw: String,
    },
    Availability {
        team: String,
        raw: String,
    },
}

impl Question {
    pub fn kind(&self) -> RequestKind {
        match self {
            Self::Action { .. } => RequestKind::Action,
            Self::Escalation { .. } => RequestKind::Escalation,
            Self::Availability { .. } => RequestKind::Availability,
        }
    }
}

/// The kind only: parameters may be personal.
impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.kind(), f)
    }
}

/// A session parameter that an agent hands to an action.
#[derive(Clone, PartialEq, Eq)]
pub struct ActionParameter {
    pub key: String,
    /// What is not a string at the platform is JSON text.
    pub values: Vec<String>,
    pub save_as: String,
    pub personal: bool,
}

/// An answer to a question.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    Results(Vec<Parameter>),
    Escalation {
        accepted: bool,
    },
    Availability {
        online: bool,
    },
    /// Cannot be answered: the fallback is sent. The reason is for people who read the log.
    Failure {
        reason: String,
    },
    /// An empty success now, results later as parameters.
    Deferred,
}

impl Answer {
    /// Whether this can answer a question of that kind.
    pub fn fits(&self, kind: RequestKind) -> bool {
        match self {
            Self::Results(_) | Self::Deferred => kind == RequestKind::Action,
            Self::Escalation { .. } => kind == RequestKind::Escalation,
            Self::Availability { .. } => kind == RequestKind::Availability,
            Self::Failure { .. } => true,
        }
    }
}

/// The kind only: results may be personal.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Results(results) => write!(f, "Results({})", results.len()),
            Self::Escalation { accepted } => write!(f, "Escalation({accepted})"),
            Self::Availability { online } => write!(f, "Availability({online})"),
            Self::Failure { .. } => f.write_str("Failure"),
            Self::Deferred => f.write_str("Deferred"),
        }
    }
}

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestOutcome {
    Answered,
    FellBack,
    Abandoned,
    ConversationEnded,
}

/// Whether the platform got the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestDelivery {
    Written,
    NotDelivered,
    Unconfirmed,
}

/// One row: a question and, once closed, how. What was asked and answered stands in the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub id: Id,
    pub tenant: Id,
    /// Absent for an availability check, which belongs to no conversation.
    pub key: Option<ConversationKey>,
    pub agent: Id,
    pub kind: RequestKind,
    /// Keyed hash of what is asked, so that a repeat joins. Empty where repeats are not joined.
    pub fingerprint: Vec<u8>,
    pub respond_by: Timestamp,
    pub asked_at: Timestamp,
    /// `sequence` of the event that asks; 0 without a conversation.
    pub sequence: u64,
    /// Absent while it is open.
    pub closed: Option<AnsweredRequest>,
}

/// How a request was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredRequest {
    pub outcome: RequestOutcome,
    pub answered_by: String,
    /// Keyed hash of the answer, to tell a repeated answer from another.
    pub answer_fingerprint: Vec<u8>,
    pub closed_at: Timestamp,
    /// `event_id` of the `RequestClosed` event, which holds the answer.
    pub event_id: String,
}
