//! A running server with a made-up platform behind it, seen as callers and platforms see it.

pub mod clock;
pub mod events;
pub mod http;
/// The platform's end of the agent API: records what it is asked, and fails in every way on demand.
#[path = "../../server/src/tests/fake_server.rs"]
pub mod platform;
pub mod questions;
pub mod server;
pub mod webhook;
