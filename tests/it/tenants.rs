//! Organisations beside each other on one server.

mod kept;
mod paused;
mod raw;
mod streams;
mod town;
mod walk;
