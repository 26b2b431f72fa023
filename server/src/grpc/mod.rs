//! gRPC in: each method converts, calls a use case, and converts.

pub mod status;
