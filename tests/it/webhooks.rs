//! Checks C: what the platform posts, what it is answered, and what subscribers see of it.

mod allowed;
mod bodies;
mod forged;
mod guarded;
mod messages;
mod questions;
