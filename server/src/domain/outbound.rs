//! What goes out to an agent's platform, and how that can end.

use std::time::Duration;

use super::{delivery::Delivery, message::HumanMessage, parameter::Parameter};

/// One request to an agent's platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// The id by which the platform knows the conversation.
    pub upstream_id: String,
    pub content: OutboundContent,
}

/// A delivery whose request is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub delivery: Delivery,
    pub outbound: Outbound,
    /// What had waited for a start or message and travels with it.
    pub kept: Vec<Parameter>,
}

/// What the request says.
#[derive(Clone, PartialEq, Eq)]
pub enum OutboundContent {
    Start {
        parameters: Vec<Parameter>,
    },
    Message {
        text: String,
        card_index: Option<u32>,
        parameters: Vec<Parameter>,
    },
    Parameters {
        parameters: Vec<Parameter>,
    },
    End,
    /// One text of a ticket. The platform answers it as a whole, perhaps minutes later.
    Ticket {
        text: String,
        parameters: Vec<Parameter>,
    },
    /// A sign of the human side's, which the platform shows in its own widget.
    Human(HumanMessage),
}

impl OutboundContent {
    /// The parameters that travel with it.
    pub fn parameters(&self) -> &[Parameter] {
        match self {
            Self::Start { parameters }
            | Self::Message { parameters, .. }
            | Self::Parameters { parameters }
            | Self::Ticket { parameters, .. } => parameters,
            Self::End | Self::Human(_) => &[],
        }
    }
}

/// A visitor's and a human's words are never printed.
impl std::fmt::Debug for OutboundContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Start { .. } => "Start",
            Self::Message { .. } => "Message",
            Self::Parameters { .. } => "Parameters",
            Self::End => "End",
            Self::Ticket { .. } => "Ticket",
            Self::Human(_) => "Human",
        })
    }
}

/// How a request to a platform ended, as far as the wire tells. What follows from it is the lane's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Acknowledged.
    Acknowledged,
    /// Acknowledged under an id of the other side's, by which it will speak of it again.
    AcknowledgedAs { remote_id: String },
    /// No connection was made: certainly not received.
    NotSent,
    /// The platform asked to come back later (429 or 503): certainly not processed.
    Busy { retry_after: Option<Duration> },
    /// Not now, for reasons of this conversation or of ours (a rate for one visitor, our own budget, nobody who would
    /// take it): certainly not processed, and no sign that the other side fails.
    NotNow { after: Option<Duration> },
    /// Something was sent, and what came back does not tell (timeout, reset, 408, 500, 502, 504, a redirect).
    Unclear,
    /// Refused for good; the detail is redacted and at most 512 bytes long.
    Refused { refusal: Refusal, detail: String },
}

/// Why a platform refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request itself (400 and other 4xx).
    Request,
    /// Our credentials (401, 403).
    Credentials,
    /// No such agent (404).
    AgentUnknown,
    /// Somebody else answers this visitor at the source.
    NotOwner,
    /// The visitor spoke too long ago.
    WindowClosed,
    /// This visitor cannot be reached: blocked, or gone.
    Unreachable,
}
