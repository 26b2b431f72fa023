//! Organisations beside each other on one server.

mod paused;
mod raw;
mod streams;
mod town;
mod walk;
