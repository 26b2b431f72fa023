//! Sinks: how far each has come, and which server relays to it.

use sea_orm_migration::prelude::*;

use crate::columns::{number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            text("name"),
            number("position"),
            number("token"),
            number("leased_until"),
        ];
        manager
            .create_table(table("sink", &["name"], columns))
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
