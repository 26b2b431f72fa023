//! Checks A: what callers ask for, what the platform sees of it, and what callers are told.

mod failing;
mod logged;
mod refused;
mod sent;
mod verified;
