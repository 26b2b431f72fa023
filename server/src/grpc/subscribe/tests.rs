//! Streams over real sockets, with the generated client, on a log in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod endings;
mod refusals;
mod stage;
mod streams;
