//! Checks C: what the platform posts, what it is answered, and what subscribers see of it.

mod bodies;
mod guarded;
mod messages;
mod questions;
