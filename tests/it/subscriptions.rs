//! Named subscriptions, seen from outside: members that share the work, die and come back; events that nobody can
//! handle; questions; administrators.

mod administered;
mod behind;
pub mod group;
mod killed;
mod members;
mod parked;
mod pulled;
mod questions;
mod stage;
