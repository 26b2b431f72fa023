//! What callers ask for and what they are answered.

use crate::domain::{
    Answer, Conversation, ConversationKind, Delivery, HumanMessage, Id, Owner, Parameter, Position,
    Timestamp, Visitor, VisitorContent, request::Request,
};

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    pub tenant: Id,
    /// W3C trace context of the call; empty when it carried none.
    pub traceparent: String,
}

/// Opens or resumes a conversation.
#[derive(Debug, Clone)]
pub struct StartConversation {
    pub account: Id,
    /// Absent: one is made, and `command_id` is required.
    pub conversation_id: Option<Id>,
    pub command_id: Option<Id>,
    pub visitor: Option<Visitor>,
    pub parameters: Vec<Parameter>,
    /// Absent: a chat, or what it is.
    pub kind: Option<ConversationKind>,
}

#[derive(Debug, Clone)]
pub struct Started {
    pub conversation: Conversation,
    pub open_requests: Vec<Request>,
    /// Position of the conversation's newest event.
    pub last: Position,
    pub resumed: bool,
    /// Absent for a ticket.
    pub delivery: Option<Delivery>,
    pub position: Position,
}

/// Sends a visitor's words or choice.
#[derive(Clone)]
pub struct SendMessage {
    pub account: Id,
    pub conversation_id: Id,
    pub message_id: Id,
    pub content: VisitorContent,
    pub parameters: Vec<Parameter>,
    pub resend: bool,
    /// Absent: a chat, or what it is.
    pub kind: Option<ConversationKind>,
}

#[derive(Debug, Clone)]
pub struct SentMessage {
    pub delivery: Delivery,
    /// Absent while that is not decided.
    pub new_session: Option<bool>,
    pub position: Position,
}

/// Sets parameters without a message.
#[derive(Debug, Clone)]
pub struct UpdateParameters {
    pub account: Id,
    pub conversation_id: Id,
    pub command_id: Id,
    pub parameters: Vec<Parameter>,
}

#[derive(Debug, Clone)]
pub struct Updated {
    /// Absent when the parameters are kept for the next start or message.
    pub delivery: Option<Delivery>,
    pub position: Position,
}

/// Ends the session.
#[derive(Debug, Clone)]
pub struct EndConversation {
    pub account: Id,
    pub conversation_id: Id,
    pub command_id: Id,
    pub expected_session: Option<u32>,
}

#[derive(Debug, Clone)]
pub struct Ended {
    /// Absent when there was nothing to end.
    pub delivery: Option<Delivery>,
    pub position: Position,
}

/// Answers a question of the agent.
#[derive(Debug, Clone)]
pub struct Respond {
    pub request_id: Id,
    pub answer: Answer,
    pub responder: String,
}

/// What became of an answer, and where its `RequestClosed` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Responded {
    pub disposition: Disposition,
    pub position: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Accepted,
    Duplicate,
    Lost,
    TooLate,
}

/// Publishes whether a team is online.
#[derive(Debug, Clone)]
pub struct SetAvailability {
    pub scope: AvailabilityScope,
    pub team: String,
    pub publisher: Id,
    pub online: bool,
    pub time_to_live: std::time::Duration,
}

#[derive(Debug, Clone)]
pub enum AvailabilityScope {
    Agent(Id),
    Account(Id),
}

#[derive(Debug, Clone, Copy)]
pub struct Availability {
    /// All publishers taken together.
    pub online: bool,
    pub expires_at: Timestamp,
}

/// Changes the owner.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub account: Id,
    pub conversation_id: Id,
    pub command_id: Id,
    pub to: Owner,
    pub note: String,
    pub expected_owner_epoch: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub struct Transferred {
    pub owner: Owner,
    pub owner_epoch: u64,
    pub position: Position,
}

/// The human side speaks.
#[derive(Debug, Clone)]
pub struct SendHumanMessage {
    pub account: Id,
    pub conversation_id: Id,
    pub message_id: Id,
    pub message: HumanMessage,
    pub expected_owner_epoch: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct SentHumanMessage {
    /// Absent where neither a source nor a widget shows it.
    pub delivery: Option<Delivery>,
    pub position: Position,
}

/// Erases what is personal.
#[derive(Debug, Clone)]
pub struct ErasePersonalData {
    pub account: Id,
    pub subject: ErasureSubject,
    pub command_id: Id,
}

/// Whose data.
#[derive(Debug, Clone)]
pub enum ErasureSubject {
    Conversation(Id),
    /// The conversation that a contact of a source has now.
    Contact(Id),
}

/// One conversation as readers see it.
#[derive(Debug, Clone)]
pub struct ConversationView {
    pub conversation: Conversation,
    pub open_requests: Vec<Request>,
    /// Position of its newest event.
    pub last: Position,
}

/// Words and choices are never printed.
impl std::fmt::Debug for SendMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendMessage")
            .field("account", &self.account)
            .field("conversation_id", &self.conversation_id)
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}
