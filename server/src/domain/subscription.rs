//! Named subscriptions: a durable reading position that several members share. The rules here are pure: what is handed
//! to whom, what an acknowledgement changes, when something comes again. Who reads the log and who writes to sockets is
//! no concern of theirs.
//!
//! Conversations hash to a fixed number of slots, and each slot is leased to one member at a time. A slot reads the log
//! on its own: what it has read through is handed out, set aside or not of concern, except for conversations that are
//! held back, each of which remembers where it goes on. So there are rows only for what is unfinished.

mod ack_id;
mod acks;
mod administer;
mod balance;
mod changes;
mod entry;
mod group;
mod hand_out;
mod question;
mod slot;
mod take_back;

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{
    event::{EventKind, Position},
    id::Id,
    time::Timestamp,
};

pub use ack_id::AckId;
pub use acks::{Ack, Acked, Verdict};
pub use administer::{Counts, Parked};
pub use balance::Joining;
pub use changes::Changes;
pub use entry::{Asked, Entry, HeldBack, State};
pub use group::{Core, Group, Member, Slot};
pub use hand_out::{Candidate, CatchUp, HandOut, Rooms, Scan};
pub use slot::{SLOTS, slot_of};

/// What names a subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionKey {
    pub tenant: Id,
    pub name: Id,
}

/// What happens to the conversation of an event that was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhenParked {
    /// It goes on without the event.
    Release,
    /// Nothing more of it is handed out until the event is done.
    Block,
}

/// How a subscription hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long a member has for an event, from the moment when it is written to it.
    pub ack_deadline: Duration,
    /// How often an event is handed out before it is parked.
    pub max_attempts: u32,
    pub when_parked: WhenParked,
    /// How many events of one conversation may be in flight.
    pub window: u32,
}

/// Which events are a subscription's, as it was created. Empty lists match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    pub accounts: Vec<Id>,
    pub conversations: Vec<Id>,
    pub kinds: Vec<EventKind>,
}

/// One subscription as it is kept, without what is in flight.
#[derive(Debug, Clone)]
pub struct SubscriptionRecord {
    pub key: SubscriptionKey,
    pub choice: Choice,
    pub policy: Policy,
    /// Nothing at or before this was its business when it was created.
    pub start: Position,
    /// Grows with every change of anything of it.
    pub revision: u64,
    /// Grows with every change of its policy.
    pub policy_revision: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub core: Core,
}
