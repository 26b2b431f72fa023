//! What the hub promises, tried against a log in memory.

mod delivery;
mod endings;
mod filters;
mod history;
mod random;
mod signs;
pub(crate) mod support;
