//! The client against a server that does what the test says.

mod calls;
mod subscription;
mod support;
