//! The embedded database: one `SQLite` file, one writer, several readers. One table, one file.

mod administration;
mod availability;
mod command;
mod connect;
mod contact;
mod conversation;
mod delivery;
mod erase;
mod erasure;
mod fault;
mod forget;
mod internal_id;
mod lock;
mod log;
mod meta;
mod open;
mod platform_event;
mod reads;
mod request;
mod row;
mod source;
mod table;
mod transaction;
mod unit;
mod upstream;
mod upstream_erasure;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

pub use self::{
    connect::{StoreSettings, Synchronous},
    open::{OpenError, migrate, pending_migrations},
    reads::SqliteStore,
};
