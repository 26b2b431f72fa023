//! Deliveries: each conversation's lane sends one thing at a time to the agent, in the order of the commits, and
//! commits how it ended.

mod advance;
mod attempt;
mod backoff;
mod breaker;
mod lanes;
mod recover;
mod settle;

pub use advance::escalation_is_open;
pub use attempt::begin;
pub use backoff::Backoff;
pub use breaker::{BreakerSettings, Breakers};
pub use lanes::{Lanes, Parts};
pub use recover::recover;
pub use settle::record_change;
