//! Sealing: the data keys, wrapped by master keys, and stored secrets. What was kept plain before is still read.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, index, maybe_bytes, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [data_key(), secret()] {
            manager.create_table(table).await?;
        }
        for (table, column) in sealed_columns() {
            manager.alter_table(added(table, column)).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// One row a conversation, and one a tenant for what belongs to no conversation. Without its row, what a key sealed is
/// gone.
fn data_key() -> TableCreateStatement {
    let columns = [
        // Random, never 0: that stands for "not sealed" where a row names its key.
        number("id"),
        text("tenant"),
        maybe_text("account"),
        maybe_text("conversation_id"),
        text("master_id"),
        bytes("wrapped"),
        number("created_at"),
    ];
    table("data_key", &["id"], columns)
}

/// The server's own secrets.
fn secret() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("master_id"),
        bytes("sealed"),
        number("created_at"),
    ];
    table("secret", &["id"], columns)
}

/// Where there was text only. With a key id of 0 the text counts, otherwise the blob.
fn sealed_columns() -> [(&'static str, ColumnDef); 5] {
    [
        ("delivery", number("detail_key_id").default(0).take()),
        ("delivery", maybe_bytes("sealed_detail")),
        ("request", number("answered_by_key_id").default(0).take()),
        ("request", maybe_bytes("sealed_answered_by")),
        ("resource_secret", text("master_id").default("").take()),
    ]
}

fn indexes() -> [IndexCreateStatement; 4] {
    let conversation = ["tenant", "account", "conversation_id"];
    [
        // Absent values differ from each other, so a tenant's own key is looked up first.
        index("data_key_conversation", "data_key", &conversation)
            .unique()
            .take(),
        index("data_key_master_id", "data_key", &["master_id"]),
        index("secret_master_id", "secret", &["master_id"]),
        index(
            "resource_secret_master_id",
            "resource_secret",
            &["master_id"],
        ),
    ]
}

fn added(table: &'static str, mut column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(&mut column).take()
}
