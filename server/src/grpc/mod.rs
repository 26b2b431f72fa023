//! gRPC in: each method converts, calls a use case, and converts.

mod ended;
pub mod health;
mod methods;
pub mod observe;
pub mod reflection;
pub mod server;
pub mod status;
mod too_large;
