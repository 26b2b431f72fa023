//! What a commit leaves behind.

use std::sync::Arc;

use crate::domain::{
    delivery::LaneKey,
    event::{Event, StoredEvent},
    id::Id,
    outbound::Attempt,
};

/// What happens after a commit, before its unit is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Something in this lane may be possible that was not before.
    RingLane(LaneKey),
    /// This delivery was committed ATTEMPTING: its request leaves now.
    Attempt(Box<Attempt>),
    /// This visitor's words are erased: the source holds none of them in memory any longer.
    Forget { source: Id, address: String },
}

/// A place in a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    pub events: usize,
    pub effects: usize,
    pub writes: u64,
}

/// What a commit made durable.
#[derive(Debug, Default)]
pub struct Batch {
    /// In order, without gaps.
    pub events: Vec<StoredEvent>,
    /// The same events, for those who wait in this process.
    pub facts: Vec<Arc<Event>>,
    pub effects: Vec<Effect>,
}
