//! The database: one `SQLite` file, or `PostgreSQL` shared by replicas. One writer at a time, several readers. One table, one
//! file.

mod administration;
mod availability;
mod clock;
mod command;
mod connect;
mod contact;
mod conversation;
mod data_key;
mod delivery;
mod doorbell;
mod erase;
mod erasure;
mod fault;
mod forget;
mod internal_id;
mod lock;
mod log;
mod master;
mod meta;
mod open;
mod patient;
mod platform_event;
mod postgres;
mod readers;
mod reads;
mod replica;
mod request;
mod row;
mod sealed;
mod sealing;
mod secret;
mod sink;
mod source;
mod subscription;
mod table;
mod tenant_retention;
mod transaction;
mod unit;
mod upstream;
mod upstream_erasure;
mod vault;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
pub(crate) use self::clock::StoreClock;

pub use self::{
    connect::{Location, StoreSettings, Synchronous, is_server},
    open::{OpenError, migrate, pending_migrations},
    postgres::Server,
    reads::SqlStore,
};
