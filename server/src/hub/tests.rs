//! What the hub promises, tried against a log in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivery;
mod endings;
mod filters;
mod history;
mod random;
mod signs;
pub(crate) mod support;
