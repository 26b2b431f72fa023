//! Deliveries: each conversation's lanes, one to the agent and one to the source, send one thing at a time, in the order
//! of the commits, and commit how it ended.

mod advance;
mod advance_source;
mod attempt;
mod backoff;
mod breaker;
mod lanes;
mod look;
mod parts;
mod recover;
mod settle;
mod settle_source;
mod take_over;

pub use advance::escalation_is_open;
pub use attempt::begin;
pub use backoff::Backoff;
pub use breaker::{BreakerSettings, Breakers};
pub use lanes::{Lanes, Parts};
pub use look::owner_must_be_read;
pub use parts::human_items;
pub use recover::recover;
pub use settle::record_change;
pub use take_over::take_over;

use std::time::Duration;

/// A request that was committed ATTEMPTING leaves within this time or not at all: its row may have been taken over after a
/// standstill.
pub const BEGUN_WITHIN: Duration = Duration::from_secs(5);
