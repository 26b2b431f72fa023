//! Erasures with their receipts, what platforms are asked to erase, and how far each tenant's retention has come.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, index, maybe_number, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            internal_id(),
            erasure(),
            erased_conversation(),
            upstream_erasure(),
            tenant_retention(),
        ] {
            manager.create_table(table).await?;
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

/// The platforms' own ids of conversations: what they erase by.
fn internal_id() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("account"),
        text("conversation_id"),
        text("agent"),
        text("internal_id"),
        number("seen_at"),
    ];
    let key = [
        "tenant",
        "account",
        "conversation_id",
        "agent",
        "internal_id",
    ];
    table("upstream_internal_id", &key, columns)
}

/// Receipts; of what was asked for a keyed hash.
fn erasure() -> TableCreateStatement {
    let columns = [
        text("receipt_id"),
        text("tenant"),
        text("account"),
        text("command_id"),
        bytes("content"),
        number("requested_at"),
        // Absent while something may be left in memory or in the files.
        maybe_number("erased_at"),
    ];
    table("erasure", &["receipt_id"], columns)
}

fn erased_conversation() -> TableCreateStatement {
    let columns = [
        text("receipt_id"),
        text("conversation_id"),
        number("through_sequence"),
    ];
    table(
        "erased_conversation",
        &["receipt_id", "conversation_id"],
        columns,
    )
}

/// What platforms are asked to erase.
fn upstream_erasure() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("receipt_id"),
        text("tenant"),
        text("account"),
        text("conversation_id"),
        text("agent"),
        // Absent where none was ever seen.
        maybe_text("internal_id"),
        number("state"),
        maybe_text("reason"),
        number("attempts"),
        number("requested_at"),
        number("not_before"),
        maybe_number("ended_at"),
    ];
    table("upstream_erasure", &["id"], columns)
}

/// How far the log and the conversations have been gone through for tenants that keep less than the log does.
fn tenant_retention() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        number("position"),
        number("updated_at"),
        text("account"),
        text("conversation_id"),
    ];
    table("tenant_retention", &["tenant"], columns)
}

fn indexes() -> [IndexCreateStatement; 5] {
    let under_way = || Expr::col("ended_at").is_null();
    [
        index(
            "upstream_internal_id_seen_at",
            "upstream_internal_id",
            &["seen_at"],
        ),
        index(
            "erasure_command",
            "erasure",
            &["tenant", "account", "command_id"],
        )
        .unique()
        .take(),
        index("erasure_unfinished", "erasure", &["requested_at"])
            .and_where(Expr::col("erased_at").is_null())
            .take(),
        index(
            "upstream_erasure_receipt",
            "upstream_erasure",
            &["receipt_id"],
        ),
        index("upstream_erasure_due", "upstream_erasure", &["not_before"])
            .and_where(under_way())
            .take(),
    ]
}
