//! Deliveries: the lanes to the agents.

use sea_orm_migration::prelude::*;

use crate::columns::{flag, index, maybe_number, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(delivery()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn delivery() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("tenant"),
        text("account"),
        text("conversation_id"),
        text("agent"),
        number("kind"),
        number("subject_kind"),
        text("subject"),
        number("lane_order"),
        number("sequence"),
        number("state"),
        maybe_text("reason"),
        text("detail"),
        number("attempt"),
        number("session"),
        flag("new_session"),
        number("owner_epoch"),
        number("queued_at"),
        number("not_before"),
        // Absent while it is under way: what is final blocks no lane and is forgotten by its age.
        maybe_number("finished_at"),
    ];
    table("delivery", &["id"], columns)
}

fn indexes() -> [IndexCreateStatement; 5] {
    let lane = ["tenant", "account", "conversation_id", "lane_order"];
    let unfinished = || Expr::col("finished_at").is_null();
    [
        index("delivery_lane", "delivery", &lane).unique().take(),
        index("delivery_head", "delivery", &lane)
            .and_where(unfinished())
            .take(),
        index("delivery_state", "delivery", &["state"])
            .and_where(unfinished())
            .take(),
        index("delivery_agent", "delivery", &["agent"])
            .and_where(unfinished())
            .take(),
        index("delivery_finished_at", "delivery", &["finished_at"]),
    ]
}
