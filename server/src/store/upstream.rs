//! Table `upstream_id`: under which ids platforms know, and knew, conversations.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    table::{Table, execute, first, number},
};
use crate::domain::{ConversationKey, Id};

const TABLE: Table = Table {
    name: "upstream_id",
    key: &["agent", "upstream_id"],
    columns: &[
        "agent",
        "upstream_id",
        "tenant",
        "account",
        "conversation_id",
        "owner_epoch",
    ],
};

const RESOLVE: &str = "SELECT tenant, account, conversation_id, owner_epoch FROM upstream_id
    WHERE agent = $1 AND upstream_id = $2";
static CLAIM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} WHERE upstream_id.tenant = excluded.tenant AND upstream_id.account = excluded.account
            AND upstream_id.conversation_id = excluded.conversation_id",
        TABLE.upsert()
    )
});

/// Whose id it is, and since which owner epoch.
pub(super) async fn resolve(
    db: &impl ConnectionTrait,
    agent: &Id,
    upstream_id: &str,
) -> Result<Option<(ConversationKey, u64)>, Fault> {
    let values = [agent.as_str().into(), upstream_id.into()];
    first(db, RESOLVE, values, |row| {
        Ok((row.key()?, row.number("upstream_id.owner_epoch")?))
    })
    .await
}

/// False: another conversation has it. The same conversation may claim it again, since a later epoch.
pub(super) async fn claim(
    db: &impl ConnectionTrait,
    agent: &Id,
    upstream_id: &str,
    key: &ConversationKey,
    owner_epoch: u64,
) -> Result<bool, Fault> {
    let values = [
        agent.as_str().into(),
        upstream_id.into(),
        key.tenant.as_str().into(),
        key.account.as_str().into(),
        key.id.as_str().into(),
        number(owner_epoch),
    ];
    Ok(execute(db, &CLAIM, values).await? == 1)
}
