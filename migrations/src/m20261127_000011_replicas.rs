//! What replicas that share a database tell each other beside the log: that keys were destroyed, so that none keeps a copy.
//! And what each tells itself: which of its transactions was committed last.

use sea_orm_migration::prelude::*;

use crate::columns::{number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let count = number("keys_destroyed").default(0).take();
        let head = Table::alter().table("log_head").add_column(count).take();
        manager.alter_table(head).await?;
        let replica = [text("replica_id"), number("number"), number("begun_at")];
        manager
            .create_table(table("replica", &["replica_id"], replica))
            .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
