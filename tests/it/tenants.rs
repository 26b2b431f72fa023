//! Organisations beside each other on one server.

mod paused;
