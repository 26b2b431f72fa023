//! What a visitor is shown at a source, and the handover that a source is told.

use super::OfferKind;
use crate::domain::id::Id;

/// One message to a visitor that fits what its source can show.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    pub author: Author,
    pub body: ItemBody,
}

/// Who speaks to the visitor.
#[derive(Clone, PartialEq, Eq)]
pub enum Author {
    Agent,
    Human { name: String, avatar_url: String },
}

#[derive(Clone, PartialEq, Eq)]
pub enum ItemBody {
    Text(String),
    Offer {
        kind: OfferKind,
        text: String,
        options: Vec<Offered>,
    },
    Cards(Vec<OfferedCard>),
}

/// One choice or link.
#[derive(Clone, PartialEq, Eq)]
pub struct Offered {
    /// Within its limits.
    pub label: String,
    pub action: OfferedAction,
}

#[derive(Clone, PartialEq, Eq)]
pub enum OfferedAction {
    /// What comes back when it is chosen; at most 64 bytes of ASCII.
    Choose {
        payload: String,
    },
    Open {
        link: String,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub struct OfferedCard {
    pub title: String,
    pub description: String,
    pub image_url: String,
    pub options: Vec<Offered>,
}

/// A visitor is to be given to a human.
#[derive(Clone, PartialEq, Eq)]
pub struct Handover {
    pub conversation_id: Id,
    /// Where to, as the agent named it; may be empty.
    pub target: String,
    /// What the visitor is told in the same request; only for a source that [`hands_over_with_text`](super::Capabilities::hands_over_with_text).
    pub text: Option<String>,
    /// For the human who takes over; may be empty.
    pub note: String,
}

impl Item {
    pub fn text(author: Author, text: impl Into<String>) -> Self {
        Self {
            author,
            body: ItemBody::Text(text.into()),
        }
    }

    /// What it says, in pieces.
    pub fn words(&self) -> Vec<&str> {
        match &self.body {
            ItemBody::Text(text) => vec![text],
            ItemBody::Offer { text, options, .. } => {
                let labels = options.iter().map(|option| option.label.as_str());
                [text.as_str()].into_iter().chain(labels).collect()
            }
            ItemBody::Cards(cards) => {
                let each = cards.iter().flat_map(|card| {
                    let labels = card.options.iter().map(|option| option.label.as_str());
                    [card.title.as_str(), card.description.as_str()]
                        .into_iter()
                        .chain(labels)
                });
                each.collect()
            }
        }
    }
}

/// A `Debug` that shows nothing but the name.
macro_rules! silent_debug {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}

pub(super) use silent_debug;

// Words are never printed.
silent_debug!(
    Item,
    Author,
    ItemBody,
    Offered,
    OfferedAction,
    OfferedCard,
    Handover
);
