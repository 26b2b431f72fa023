//! Table `upstream_internal_id`: the platforms' own ids of conversations, which are what they erase by.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    conversation::key_values,
    fault::Fault,
    table::{Table, all, execute, number},
};
use crate::domain::{ConversationKey, Id, Timestamp};

const TABLE: Table = Table {
    name: "upstream_internal_id",
    key: &[
        "tenant",
        "account",
        "conversation_id",
        "agent",
        "internal_id",
    ],
    columns: &[
        "tenant",
        "account",
        "conversation_id",
        "agent",
        "internal_id",
        "seen_at",
    ],
};

static NOTE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
const OF: &str = "SELECT agent, internal_id FROM upstream_internal_id
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3 ORDER BY seen_at, internal_id";
const REMOVE: &str = "DELETE FROM upstream_internal_id
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3";
/// Of conversations whose last event is as old: an erasure that was asked for has taken them before.
const FORGET: &str = "DELETE FROM upstream_internal_id
    WHERE (tenant, account, conversation_id, agent, internal_id) IN (
        SELECT id.tenant, id.account, id.conversation_id, id.agent, id.internal_id
        FROM upstream_internal_id AS id
        JOIN conversation ON conversation.tenant = id.tenant
            AND conversation.account = id.account
            AND conversation.conversation_id = id.conversation_id
        WHERE id.seen_at < $1 AND conversation.updated_at < $1
        ORDER BY id.seen_at LIMIT $2)";

pub(super) async fn note(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
    agent: &Id,
    internal_id: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let [tenant, account, id] = key_values(key);
    let values = [
        tenant,
        account,
        id,
        agent.as_str().into(),
        internal_id.into(),
        now.0.into(),
    ];
    execute(db, &NOTE, values).await?;
    Ok(())
}

/// Those of a conversation, which are removed.
pub(super) async fn take(
    db: &impl ConnectionTrait,
    key: &ConversationKey,
) -> Result<Vec<(Id, String)>, Fault> {
    let found = all(db, OF, key_values(key), |row| Ok((row.id()?, row.text()?))).await?;
    execute(db, REMOVE, key_values(key)).await?;
    Ok(found)
}

/// Those of conversations that retention has left nothing of.
pub(super) async fn forget(
    db: &impl ConnectionTrait,
    before: Timestamp,
    limit: usize,
) -> Result<usize, Fault> {
    let removed = execute(db, FORGET, [before.0.into(), number(limit)]).await?;
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}
