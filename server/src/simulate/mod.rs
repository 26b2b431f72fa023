//! The simulated agent platform.
