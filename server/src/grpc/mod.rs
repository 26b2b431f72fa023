//! gRPC in: callers' calls, their streams, health and reflection.

mod accounts;
mod admin;
mod call;
mod calls;
mod checks;
mod ended;
pub mod fuzzing;
pub mod guard;
pub mod health;
mod methods;
mod not_grpc;
pub mod observe;
mod page;
mod permissions;
pub mod reflection;
mod revocable;
pub mod server;
mod service;
mod sized;
pub mod status;
mod subscribe;
mod timely;
mod too_large;
mod view;

pub use accounts::{Accounts, accounts};
pub use admin::{Administration, admin};
pub use service::{Calls, Options, service};
pub use subscribe::{WithStreams, with_streams};
