//! Sources: visitors whom they bring, lanes to them, and how we know who owns a conversation.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, flag, index, maybe_number, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in conversation() {
            manager.alter_table(added("conversation", column)).await?;
        }
        for column in delivery() {
            manager.alter_table(added("delivery", column)).await?;
        }
        manager.create_table(contact()).await?;
        manager.create_table(source()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Rows from before are chats of callers, whose owner somebody of ours has set.
fn conversation() -> [ColumnDef; 7] {
    [
        number("kind").default(1).take(),
        maybe_text("source"),
        number("owner_evidence").default(2).take(),
        number("owner_observed_at").default(0).take(),
        maybe_number("owner_expires_at"),
        flag("human_joined").default(false).take(),
        number("owner_since").default(0).take(),
    ]
}

/// Rows from before go to agents.
fn delivery() -> [ColumnDef; 7] {
    [
        number("direction").default(0).take(),
        number("part").default(0).take(),
        flag("unclear").default(false).take(),
        maybe_number("read_back_since"),
        text("remote_id").default("").take(),
        number("attempted_at").default(0).take(),
        flag("awaits_owner").default(false).take(),
    ]
}

/// Visitors whom sources have brought. The id is a keyed hash; the address is the source's own and may be personal.
fn contact() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("source"),
        text("tenant"),
        text("account"),
        text("conversation_id"),
        // 0: the address is plain.
        number("address_key_id"),
        bytes("address"),
        number("seen_at"),
        number("spoke_at"),
        number("numbered"),
    ];
    table("contact", &["id"], columns)
}

/// Until when each source has been looked at for what no webhook brought.
fn source() -> TableCreateStatement {
    table("source", &["name"], [text("name"), number("looked_until")])
}

fn indexes() -> [IndexCreateStatement; 4] {
    let conversation = ["tenant", "account", "conversation_id"];
    [
        index("contact_conversation", "contact", &conversation)
            .unique()
            .take(),
        index("contact_seen_at", "contact", &["account", "seen_at", "id"]),
        index("delivery_remote_id", "delivery", &["remote_id"])
            .and_where(Expr::col("remote_id").ne(""))
            .take(),
        index(
            "conversation_owner",
            "conversation",
            &["owner", "owner_since"],
        ),
    ]
}

fn added(table: &'static str, mut column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(&mut column).take()
}
