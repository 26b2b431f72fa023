//! What agents ask and wait for, and the published availability that answers without waiting.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bytes, flag, index, maybe_bytes, maybe_number, maybe_text, number, table, text,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [request(), availability()] {
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

fn request() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("agent"),
        text("tenant"),
        // Absent, like the conversation, for a check of availability.
        maybe_text("account"),
        maybe_text("conversation_id"),
        number("kind"),
        bytes("fingerprint"),
        number("respond_by"),
        number("asked_at"),
        number("sequence"),
        // The rest is absent while it is open.
        maybe_number("closed_at"),
        maybe_number("outcome"),
        maybe_text("answered_by"),
        maybe_bytes("answer_fingerprint"),
        maybe_text("closing_event_id"),
    ];
    table("request", &["id"], columns)
}

/// What each publisher says of a team, until it expires.
fn availability() -> TableCreateStatement {
    let columns = [
        text("agent"),
        text("team"),
        text("publisher"),
        flag("online"),
        number("expires_at"),
    ];
    table("availability", &["agent", "team", "publisher"], columns)
}

fn indexes() -> [IndexCreateStatement; 5] {
    let conversation = ["tenant", "account", "conversation_id"];
    let open = || Expr::col("closed_at").is_null();
    [
        index(
            "request_fingerprint",
            "request",
            &["fingerprint", "asked_at"],
        ),
        index("request_open", "request", &conversation)
            .and_where(open())
            .take(),
        index("request_agent", "request", &["agent"])
            .and_where(open())
            .take(),
        index("request_closed_at", "request", &["closed_at"]),
        index("availability_expires_at", "availability", &["expires_at"]),
    ]
}
