//! Sources: outside systems that bring visitors by themselves and take replies and handovers. What the rules know of
//! one, what it tells, and what it is told.

mod item;
mod sign;

use std::{collections::HashMap, time::Duration};

use super::{
    conversation::Visitor,
    delivery::{DeliveryState, Reason},
    id::Id,
    inbound::WebhookReply,
    message::HumanMessage,
    network::AllowList,
    owner::{Evidence, Owner},
    parameter::Parameter,
    time::Timestamp,
};

pub use item::{Author, Handover, Item, ItemBody, Offered, OfferedAction, OfferedCard};

pub use sign::SignTexts;

use item::silent_debug;

/// How one source is to be treated, whatever system it is.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    pub name: Id,
    /// From where its webhooks may come.
    pub allowed: AllowList,
    /// How long one request to the source may take.
    pub send_timeout: Duration,
    /// How long a delivery may wait before it fails.
    pub max_queue_age: Duration,
    /// The source itself takes escalations; otherwise callers decide them.
    pub takes_escalations: bool,
    /// What hands a visitor over without asking the agent, by language.
    pub handover_phrases: HashMap<String, Vec<String>>,
    /// What the visitor is told when a human is to take over, by language; `""` is for every other language.
    pub handover_text: HashMap<String, String>,
    /// What the visitor is told of a human's signs.
    pub sign_texts: SignTexts,
    /// What the source says of the owner counts only if it happened this long after the newest change of ours.
    pub owner_settles: Duration,
    /// How old what is known of the owner may be before it is read again, where it can be read.
    pub owner_max_age: Duration,
    /// How old it may be while a human owns the conversation and the visitor speaks.
    pub human_max_age: Duration,
    /// How long the owner may stay unknown, and who it is then.
    pub owner_unknown_max: Duration,
    pub owner_unknown_then: Owner,
}

/// What a source can show and do. What it cannot is degraded or left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability of its own, read by its name"
)]
pub struct Capabilities {
    /// The longest text, in characters; longer ones are split at the ends of sentences.
    pub text_chars: usize,
    /// Ways to offer choices, the preferred first. What fits none becomes numbered text.
    pub offers: &'static [OfferLimits],
    /// Cards of a carousel; without them each card becomes text.
    pub cards: Option<CardLimits>,
    /// It hands over to humans and takes back.
    pub hands_over: bool,
    /// The text at a handover travels in the same request.
    pub hands_over_with_text: bool,
    /// It can be asked who owns a conversation.
    pub reads_owner: bool,
    /// It can be asked whether something arrived.
    pub reads_back: bool,
    /// How long after a visitor's last word an agent may still write; absent: for ever.
    pub agent_window: Option<Duration>,
    /// The same for a human.
    pub human_window: Option<Duration>,
}

/// The limits of one way to offer choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferLimits {
    pub kind: OfferKind,
    pub max_options: usize,
    /// The longest label in characters.
    pub label_chars: usize,
    /// A longer label is cut; otherwise this way does not fit.
    pub cuts_labels: bool,
    /// Two labels may be the same; otherwise this way does not fit.
    pub repeats_labels: bool,
    /// The longest text above them in characters; a longer one is split, and its end stands above them.
    pub text_chars: usize,
    /// Links can stand among them; otherwise links are written out in the text.
    pub links: bool,
}

/// What an offer looks like there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferKind {
    Buttons,
    QuickReplies,
    List,
}

/// The limits of cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardLimits {
    /// More go into the next message.
    pub max_cards: usize,
    pub max_buttons: usize,
    pub title_chars: usize,
    pub description_chars: usize,
    pub label_chars: usize,
}

/// A visitor as a source knows one.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// What tells this visitor from all others of the source, always spelled alike. Only a keyed hash of it is kept.
    pub key: String,
    /// How to reach the visitor, as JSON text of the source's own making. The newest counts.
    pub address: String,
}

/// A verified and decoded webhook of a source, or what was found by looking.
pub struct Received {
    /// In order.
    pub events: Vec<SourceEvent>,
    pub reply: Box<dyn SourceReply>,
}

/// What a source's webhook is answered, once its events are committed.
#[async_trait::async_trait]
pub trait SourceReply: Send + Sync {
    /// `taken` says what became of each event, in order. Never called before they are durable; may wait for what is
    /// delivered, where the source wants its answers in the reply.
    async fn reply(&self, taken: &[Taken]) -> WebhookReply;
}

#[async_trait::async_trait]
impl SourceReply for WebhookReply {
    async fn reply(&self, _taken: &[Taken]) -> WebhookReply {
        self.clone()
    }
}

/// What became of an event of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Committed; the visitor was not known before.
    First,
    /// Committed.
    Again,
    /// It came before: nothing was done.
    Duplicate,
    /// Its visitor must be known and is not: nothing was done.
    NoContact,
}

/// One thing that a source tells.
#[derive(Clone, PartialEq)]
pub struct SourceEvent {
    /// Absent where it concerns no visitor.
    pub contact: Option<Contact>,
    /// The source's own id of it: what duplicates are removed by.
    pub event_id: Option<String>,
    /// By the source's clock; absent where it does not say.
    pub occurred_at: Option<Timestamp>,
    /// What it tells of the owner on the way.
    pub owner: Option<Observed>,
    /// Ignored, with [`Taken::NoContact`], unless its visitor is known.
    pub contact_must_exist: bool,
    pub body: SourceBody,
}

/// What a source says about who answers a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub owner: Owner,
    pub evidence: Evidence,
    /// When it stops being true by itself.
    pub expires_at: Option<Timestamp>,
    /// What it says, where that is not understood; for people.
    pub unknown: String,
}

/// What it is about.
#[derive(Clone, PartialEq)]
pub enum SourceBody {
    /// The visitor is there and has said nothing.
    Opened {
        parameters: Vec<Parameter>,
    },
    /// The visitor spoke.
    Message {
        words: Words,
        visitor: Option<Visitor>,
        parameters: Vec<Parameter>,
        /// What came, as JSON text, where it held anything that is not shown here.
        raw: String,
    },
    /// A human spoke to the visitor over there.
    Human(HumanMessage),
    /// Nothing but what it says of the owner.
    Owner,
    /// Somebody else may have taken over: to be read before anything more is sent.
    Doubt,
    /// The visitor, or a human, ended it.
    Ended,
    /// What became of something that was delivered.
    Report {
        /// The source's id of it.
        remote_id: String,
        state: DeliveryState,
        reason: Option<Reason>,
        detail: String,
    },
    Alert {
        name: String,
        raw: String,
    },
    Unknown {
        event_type: String,
        raw: String,
    },
}

/// A visitor's words.
#[derive(Clone, PartialEq, Eq)]
pub enum Words {
    /// Plain text, never blank.
    Text(String),
    /// A choice that was offered; `label` is what the visitor saw.
    Chosen { payload: String, label: String },
}

/// Why a look was in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// Look again, no sooner than then.
    Later { after: Option<Duration> },
    /// It will not be told: credentials, permissions.
    Refused { detail: String },
}

/// What a look says about something whose arrival is unclear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    Arrived {
        remote_id: String,
    },
    /// It certainly did not arrive, and never will.
    Missing,
}

impl SourceEvent {
    /// An event of `contact`, without an id or a time.
    pub fn of(contact: Contact, body: SourceBody) -> Self {
        Self {
            contact: Some(contact),
            event_id: None,
            occurred_at: None,
            owner: None,
            contact_must_exist: false,
            body,
        }
    }

    /// An event that concerns no visitor.
    pub fn apart(body: SourceBody) -> Self {
        Self {
            contact: None,
            event_id: None,
            occurred_at: None,
            owner: None,
            contact_must_exist: false,
            body,
        }
    }
}

impl Observed {
    /// The source said so by itself.
    pub fn pushed(owner: Owner) -> Self {
        Self {
            owner,
            evidence: Evidence::Pushed,
            expires_at: None,
            unknown: String::new(),
        }
    }

    /// It was asked.
    pub fn read(owner: Owner) -> Self {
        Self {
            evidence: Evidence::Read,
            ..Self::pushed(owner)
        }
    }
}

// Words are never printed, and an address may be a phone number.
silent_debug!(Contact, Words);

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received")
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SourceEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceEvent")
            .field("owner", &self.owner)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The kind only.
impl std::fmt::Debug for SourceBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Opened { .. } => "Opened",
            Self::Message { .. } => "Message",
            Self::Human(_) => "Human",
            Self::Owner => "Owner",
            Self::Doubt => "Doubt",
            Self::Ended => "Ended",
            Self::Report { .. } => "Report",
            Self::Alert { .. } => "Alert",
            Self::Unknown { .. } => "Unknown",
        })
    }
}
