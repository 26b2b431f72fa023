//! What administrators make and do. One table, one file.

mod audit;
mod caller_key;
mod read;
mod resource;
mod secret;
mod write;

pub(super) use secret::{by_master, rewrap, try_one};
