//! What a sink must be able to do.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::{Event, Position, StoredEvent};

/// One event as a sink gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub position: Position,
    /// The same whenever it is given: `IDENTITY/LOG/POSITION`.
    pub id: String,
    pub event_id: String,
    pub tenant: String,
    /// Empty where the event belongs to no conversation.
    pub account: String,
    pub conversation_id: String,
    pub kind: String,
    /// The encoded `parloir.v1.Event`.
    pub bytes: Bytes,
}

impl Message {
    pub(super) fn new(epoch: u64, stored: &StoredEvent, event: &Event) -> Self {
        let text =
            |id: &Option<crate::domain::Id>| id.as_ref().map_or("", |id| id.as_str()).to_owned();
        Self {
            position: stored.position,
            id: format!("{epoch:016x}/0/{}", stored.position.0),
            event_id: event.fact.event_id.as_str().to_owned(),
            tenant: stored.tenant.as_str().to_owned(),
            account: text(&stored.account),
            conversation_id: text(&stored.conversation_id),
            kind: crate::wire::enums::event_kind_name(stored.kind),
            bytes: stored.bytes.clone(),
        }
    }
}

/// What became of messages that were given.
#[derive(Debug, PartialEq, Eq)]
pub struct Given {
    /// So many, from the first on, are certainly stored.
    pub stored: usize,
    /// Why not all.
    pub trouble: Option<Trouble>,
}

/// Why a message is not certainly stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The connection was lost, or was not there.
    Disconnected,
    /// No answer in time: it may be stored or not.
    Unanswered,
    /// Something else was stored since the message that it was to follow.
    Displaced,
    /// It was refused, for this reason.
    Refused(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("the connection was lost"),
            Self::Unanswered => f.write_str("it did not answer in time"),
            Self::Displaced => f.write_str(
                "somebody else has written to it: it must be for this sink alone, or every page is given twice",
            ),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

/// Where messages are stored.
#[async_trait]
pub trait Target: Send + Sync + fmt::Debug {
    fn is_connected(&self) -> bool;

    /// Stores messages in this order: one that is not stored must keep those behind it from being stored. The first one
    /// must follow the message with the id `after` immediately, unless nothing is known of it. Those that are there already
    /// count as stored and change nothing.
    async fn give(&self, messages: &[Message], after: Option<&str>) -> Given;
}
