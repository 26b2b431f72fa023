//! The database schema of Parloir, one step a file. A step is never edited once released: what changes is a new step.
//!
//! Plain SQL only, the same on every engine: whole numbers are BIGINT, times are microseconds since 1970 UTC, ids are
//! TEXT, and everything that may be personal is a blob that can be sealed.

mod columns;
mod m20261120_000001_log;
mod m20261120_000002_conversation;
mod m20261120_000003_delivery;
mod m20261120_000004_request;
mod m20261127_000005_source;
mod m20261127_000008_administration;
mod m20261127_000009_privacy;
mod m20261127_000010_sealing;
mod m20261127_000011_replicas;
mod m20261127_000012_subscription;
mod m20261127_000013_sink;

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{Migration, MigratorTrait};

/// Brings a database to the schema of this version. Two steps never run in one transaction, each runs in its own.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261120_000001_log::Migration),
            Box::new(m20261120_000002_conversation::Migration),
            Box::new(m20261120_000003_delivery::Migration),
            Box::new(m20261120_000004_request::Migration),
            Box::new(m20261127_000005_source::Migration),
            Box::new(m20261127_000008_administration::Migration),
            Box::new(m20261127_000009_privacy::Migration),
            Box::new(m20261127_000010_sealing::Migration),
            Box::new(m20261127_000011_replicas::Migration),
            Box::new(m20261127_000012_subscription::Migration),
            Box::new(m20261127_000013_sink::Migration),
        ]
    }
}
