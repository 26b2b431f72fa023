//! Several replicas over one `PostgreSQL` server, and what happens when one of them, the server, or the way to it fails.

mod administered;
mod answered;
mod broker;
mod cancelled;
mod clocks;
mod faults;
mod killed;
mod left;
mod postgres;
mod reused;
mod rolling;
mod stage;
mod started;
mod storm;
mod subscriptions;
mod vanished;
#[path = "../../server/src/tests/wire.rs"]
mod wire;
