//! The log: the database's identity, the head that positions come from, and the events.

use sea_orm_migration::prelude::*;
use uuid::Uuid;

use crate::columns::{bytes, flag, index, maybe_text, number, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [meta(), log_head(), event()] {
            manager.create_table(table).await?;
        }
        for index in event_indexes() {
            manager.create_index(index).await?;
        }
        manager.execute(identity()).await?;
        manager.execute(empty_head()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// One row: who this database is, and the key under which content is hashed before it is kept beside the log.
fn meta() -> TableCreateStatement {
    let columns = [number("id"), number("epoch"), bytes("hash_key")];
    table("meta", &["id"], columns)
}

/// One row a log. `floor` is the first position that retention has left.
fn log_head() -> TableCreateStatement {
    let columns = [
        number("log_id"),
        number("position"),
        number("floor"),
        number("recorded_at"),
    ];
    table("log_head", &["log_id"], columns)
}

fn event() -> TableCreateStatement {
    let columns = [
        number("log_id"),
        number("position"),
        text("event_id"),
        text("tenant"),
        // Absent, like the conversation, for events that belong to none.
        maybe_text("account"),
        text("agent"),
        maybe_text("conversation_id"),
        number("session"),
        number("sequence"),
        number("owner_epoch"),
        flag("superseded"),
        number("kind"),
        number("recorded_at"),
        text("traceparent"),
        // 0: the body is plain.
        number("body_key_id"),
        bytes("body"),
    ];
    table("event", &["log_id", "position"], columns)
}

fn event_indexes() -> [IndexCreateStatement; 4] {
    let conversation = ["tenant", "account", "conversation_id", "sequence"];
    [
        index("event_event_id", "event", &["event_id"])
            .unique()
            .take(),
        index("event_account", "event", &["log_id", "account", "position"]),
        // Absent values differ from each other, so events without a conversation do not collide.
        index("event_conversation", "event", &conversation)
            .unique()
            .take(),
        index(
            "event_recorded_at",
            "event",
            &["log_id", "recorded_at", "position"],
        ),
    ]
}

fn identity() -> InsertStatement {
    Query::insert()
        .into_table("meta")
        .columns(["id", "epoch", "hash_key"])
        .values_panic([1.into(), random_epoch().into(), random_key().into()])
        .take()
}

fn empty_head() -> InsertStatement {
    Query::insert()
        .into_table("log_head")
        .columns(["log_id", "position", "floor", "recorded_at"])
        .values_panic([0.into(), 0.into(), 1.into(), 0.into()])
        .take()
}

/// Positive, never 0: both halves of a UUID laid over each other, so that its fixed bits are covered.
fn random_epoch() -> i64 {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    // 0 would stand for "no database" where a cursor is read.
    match (high ^ low) >> 1 {
        0 => 1,
        positive => positive.cast_signed(),
    }
}

/// 32 bytes of which 244 bits are random.
fn random_key() -> Vec<u8> {
    [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat()
}
