//! Parloir's server: gRPC in, agents' platforms out and back in by webhook, one log in between.

pub mod access;
pub mod admin;
pub mod agents;
pub mod app;
pub mod commands;
pub mod committer;
pub mod config;
pub mod conversations;
pub mod delivery;
pub mod domain;
pub mod doorbell;
pub mod few_lines;
pub mod grpc;
pub mod hub;
pub mod keys;
pub mod live;
pub mod metrics;
pub mod nats;
pub mod net;
pub mod ops;
pub mod outgoing;
pub mod secret;
pub mod simulate;
pub mod sinks;
pub mod sources;
pub mod store;
pub mod subscriptions;
pub mod tail;
pub mod telemetry;
pub mod told;
pub mod verification;
pub mod waiters;
pub mod webhook;
pub mod wire;

#[cfg(test)]
mod tests;
