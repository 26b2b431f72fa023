//! The client against a server that does what the test says.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod admin;
mod calls;
mod subscription;
mod support;
