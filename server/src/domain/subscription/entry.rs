//! What is unfinished: events that were handed out, and conversations that are held back.

use crate::domain::{ConversationKey, Id, Position, Timestamp};

/// One event that was handed out and is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub position: Position,
    pub slot: u16,
    /// Absent: it belongs to no conversation, and nothing is in order with it.
    pub conversation: Option<ConversationKey>,
    /// The slot's token when it was handed out last.
    pub token: u64,
    /// How often it was handed out.
    pub attempt: u32,
    pub state: State,
    /// A question that waits for an answer: handed out at once, whatever stands before it.
    pub asked: Option<Asked>,
}

/// How far an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A member has it.
    InFlight {
        member: Id,
        /// When it counts as failed. Absent: the server that holds the member's stream watches the time, and the
        /// member's lease covers that server.
        until: Option<Timestamp>,
    },
    /// It is handed out again, not before this time.
    Waiting { due: Timestamp },
    /// Set aside since this time.
    Parked { at: Timestamp },
    /// Done before the slot read so far.
    Done,
}

/// The handle of a question, while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub request_id: Id,
    pub respond_by: Timestamp,
    /// When it moves on to another member.
    pub moves_at: Timestamp,
}

/// A conversation of which the slot has read more than was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    /// Its first event that was not handed out; absent: there is none that is known.
    pub from: Option<Position>,
    /// Everything of it up to here was handed out, even where the slot has not read so far.
    pub through: Position,
}
