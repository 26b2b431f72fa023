//! Table `command`: what idempotency keys stand for.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    table::{Table, execute, first, number},
};
use crate::domain::{
    Id, Timestamp,
    ports::{Command, CommandKey},
};

const TABLE: Table = Table {
    name: "command",
    key: &["tenant", "account", "method", "idempotency_key"],
    columns: &[
        "tenant",
        "account",
        "method",
        "idempotency_key",
        "content",
        "conversation_id",
        "sequence",
        "delivery_id",
        "resumed",
        "created_at",
    ],
};

const FIND: &str = "SELECT content, conversation_id, sequence, delivery_id, resumed FROM command
    WHERE tenant = $1 AND account = $2 AND method = $3 AND idempotency_key = $4";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());

pub(super) async fn find(
    db: &impl ConnectionTrait,
    key: &CommandKey,
) -> Result<Option<Command>, Fault> {
    let values = [
        key.tenant.as_str().into(),
        key.account.as_str().into(),
        key.method.into(),
        key.key.as_str().into(),
    ];
    first(db, FIND, values, |row| {
        Ok(Command {
            content: row.bytes()?,
            conversation_id: row.id()?,
            sequence: row.number("command.sequence")?,
            delivery: row.maybe_id()?,
            resumed: row.flag()?,
        })
    })
    .await
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    key: &CommandKey,
    command: &Command,
    now: Timestamp,
) -> Result<(), Fault> {
    let values = [
        key.tenant.as_str().into(),
        key.account.as_str().into(),
        key.method.into(),
        key.key.as_str().into(),
        command.content.clone().into(),
        command.conversation_id.as_str().into(),
        number(command.sequence),
        command.delivery.as_ref().map(Id::as_str).into(),
        command.resumed.into(),
        now.0.into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}
