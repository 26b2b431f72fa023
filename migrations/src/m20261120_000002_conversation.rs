//! Conversations, the ids under which platforms know them, and what came before: idempotency keys and platforms' events.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, flag, index, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [conversation(), upstream_id(), command(), platform_event()] {
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

fn conversation() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("account"),
        text("conversation_id"),
        text("agent"),
        text("upstream_id"),
        number("upstream_epoch"),
        number("session"),
        number("session_state"),
        number("session_expires_at"),
        number("owner"),
        number("owner_epoch"),
        number("sequence"),
        number("ended_order"),
        // 0: both blobs are plain.
        number("profile_key_id"),
        bytes("profile"),
        bytes("kept"),
        number("created_at"),
        number("updated_at"),
    ];
    table(
        "conversation",
        &["tenant", "account", "conversation_id"],
        columns,
    )
}

fn upstream_id() -> TableCreateStatement {
    let columns = [
        text("agent"),
        text("upstream_id"),
        text("tenant"),
        text("account"),
        text("conversation_id"),
        number("owner_epoch"),
    ];
    table("upstream_id", &["agent", "upstream_id"], columns)
}

/// Idempotency keys; of the content a keyed hash.
fn command() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("account"),
        text("method"),
        text("idempotency_key"),
        bytes("content"),
        text("conversation_id"),
        number("sequence"),
        maybe_text("delivery_id"),
        flag("resumed"),
        number("created_at"),
    ];
    table(
        "command",
        &["tenant", "account", "method", "idempotency_key"],
        columns,
    )
}

/// Keyed hashes of platforms' own event ids.
fn platform_event() -> TableCreateStatement {
    let columns = [text("agent"), bytes("fingerprint"), number("seen_at")];
    table("platform_event", &["agent", "fingerprint"], columns)
}

fn indexes() -> [IndexCreateStatement; 4] {
    let listed = ["updated_at", "account", "conversation_id"];
    [
        index("conversation_updated_at", "conversation", &listed),
        index(
            "conversation_session",
            "conversation",
            &["session_state", "session_expires_at"],
        ),
        index("command_created_at", "command", &["created_at"]),
        index("platform_event_seen_at", "platform_event", &["seen_at"]),
    ]
}
