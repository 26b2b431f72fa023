//! What goes out to an agent's platform or to a source, and how that can end.

use std::time::{Duration, Instant};

use super::{
    delivery::{Delivery, Recipient},
    id::Id,
    message::HumanMessage,
    parameter::Parameter,
    redact::{Redactor, SHORTEST_WORDS},
    source::{Handover, Item},
};

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
    pub departure: Departure,
    /// When, by this machine's steady clock, it was decided that the request leaves.
    pub decided_at: Instant,
}

/// Where it goes and what is said there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    Agent {
        outbound: Outbound,
        /// What had waited for a start or message and travels with it.
        kept: Vec<Parameter>,
    },
    Source {
        source: Id,
        address: String,
        what: ToSource,
    },
}

/// One request to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToSource {
    Show(Item),
    Escalate(Handover),
    Resume { note: String },
}

impl ToSource {
    /// What it tells somebody, and no answer may repeat.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Show(item) => item.words(),
            Self::Escalate(handover) => {
                let text = handover.text.as_deref();
                text.into_iter().chain([handover.note.as_str()]).collect()
            }
            Self::Resume { note } => vec![note],
        }
    }
}

impl Attempt {
    pub fn recipient(&self) -> Recipient {
        match &self.departure {
            Departure::Agent { .. } => Recipient::Agent(self.delivery.agent.clone()),
            Departure::Source { source, .. } => Recipient::Source(source.clone()),
        }
    }
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

impl Sent {
    /// Without these words in what the other side said of a refusal: it may repeat what it was sent.
    #[must_use]
    pub fn without(self, words: &[&str]) -> Self {
        match self {
            Self::Refused { refusal, detail } => {
                let words = words.iter().filter(|one| one.len() >= SHORTEST_WORDS);
                let detail = Redactor::knowing(words.copied()).detail(detail.as_bytes());
                Self::Refused { refusal, detail }
            }
            other => other,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source::Author;

    #[test]
    fn a_refusal_repeats_nothing_of_what_was_sent() {
        let show = ToSource::Show(Item::text(Author::Agent, "my \"own\" words"));
        let refused = |detail: &str| Sent::Refused {
            refusal: Refusal::Request,
            detail: detail.to_owned(),
        };
        assert_eq!(
            refused(r#"131009: no such my \"own\" words"#).without(&show.words()),
            refused("131009: no such [removed]")
        );
        let handover = ToSource::Resume { note: "no".into() };
        assert_eq!(
            refused("not now").without(&handover.words()),
            refused("not now"),
            "two letters stand in too much to be taken out"
        );
    }
}
