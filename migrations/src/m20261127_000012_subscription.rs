//! Named subscriptions: what they are and who has their slots, and rows only for what is unfinished.

use sea_orm_migration::prelude::*;

use crate::columns::{index, maybe_number, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [subscription(), entry(), held_back()] {
            manager.create_table(table).await?;
        }
        // By which an answer finds the questions that it answers.
        let asked = index(
            "subscription_entry_asked",
            "subscription_entry",
            &["tenant", "request_id"],
        );
        manager.create_index(asked).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn subscription() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("name"),
        // JSON: which events are its.
        text("choice"),
        number("ack_deadline"),
        number("max_attempts"),
        number("when_parked"),
        number("window_events"),
        number("start_position"),
        number("revision"),
        number("policy_revision"),
        number("created_at"),
        number("updated_at"),
        // JSON: slots and members, of a bounded size, so that one row is written and not one for each slot.
        text("core"),
    ];
    table("subscription", &["tenant", "name"], columns)
}

/// Events that were handed out and are not done.
fn entry() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("name"),
        number("position"),
        number("slot"),
        maybe_text("account"),
        maybe_text("conversation_id"),
        number("token"),
        number("attempt"),
        number("state"),
        maybe_text("member"),
        // What it means depends on the state: when it fails, when it is due, since when it is parked.
        maybe_number("at"),
        maybe_text("request_id"),
        maybe_number("respond_by"),
        maybe_number("moves_at"),
    ];
    table(
        "subscription_entry",
        &["tenant", "name", "position"],
        columns,
    )
}

/// Conversations of which a slot has read more than was handed out.
fn held_back() -> TableCreateStatement {
    let columns = [
        text("tenant"),
        text("name"),
        text("account"),
        text("conversation_id"),
        maybe_number("from_position"),
        number("through_position"),
    ];
    table(
        "subscription_held_back",
        &["tenant", "name", "account", "conversation_id"],
        columns,
    )
}
