//! Tables `erasure` and `erased_conversation`: receipts.

use sea_orm::{ConnectionTrait, Value};

use super::{
    fault::Fault,
    row::Row,
    table::{all, execute, first, number},
    upstream_erasure,
};
use crate::domain::{ErasedConversation, Erasure, Id, Timestamp};

const ADD: &str = "INSERT INTO erasure
    (receipt_id, tenant, account, command_id, content, requested_at, erased_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const ADD_CONVERSATION: &str = "INSERT INTO erased_conversation
    (receipt_id, conversation_id, through_sequence) VALUES ($1, $2, $3)";
const FIND: &str =
    "SELECT receipt_id, tenant, account, command_id, content, requested_at, erased_at
    FROM erasure WHERE tenant = $1 AND receipt_id = $2";
const OF_COMMAND: &str = "SELECT
    receipt_id, tenant, account, command_id, content, requested_at, erased_at
    FROM erasure WHERE tenant = $1 AND account = $2 AND command_id = $3";
const CONVERSATIONS: &str = "SELECT conversation_id, through_sequence FROM erased_conversation
    WHERE receipt_id = $1 ORDER BY conversation_id";
const MARK: &str = "UPDATE erasure SET erased_at = $2
    WHERE receipt_id = $1 AND erased_at IS NULL";
const UNFINISHED: &str = "SELECT tenant, receipt_id FROM erasure
    WHERE erased_at IS NULL ORDER BY requested_at LIMIT $1";

pub(super) async fn add(db: &impl ConnectionTrait, erasure: &Erasure) -> Result<(), Fault> {
    let receipt = || Value::from(erasure.receipt_id.as_str());
    let values = [
        receipt(),
        erasure.tenant.as_str().into(),
        erasure.account.as_str().into(),
        erasure.command_id.as_str().into(),
        erasure.content.clone().into(),
        erasure.requested_at.0.into(),
        erasure.erased_at.map(|time| time.0).into(),
    ];
    execute(db, ADD, values).await?;
    for conversation in &erasure.conversations {
        let id = conversation.id.as_str().into();
        let values = [receipt(), id, number(conversation.through_sequence)];
        execute(db, ADD_CONVERSATION, values).await?;
    }
    for upstream in &erasure.upstream {
        upstream_erasure::save(db, upstream).await?;
    }
    Ok(())
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    tenant: &Id,
    receipt_id: &Id,
) -> Result<Option<Erasure>, Fault> {
    let values = [tenant.as_str().into(), receipt_id.as_str().into()];
    whole(db, first(db, FIND, values, read).await?).await
}

pub(super) async fn of_command(
    db: &impl ConnectionTrait,
    [tenant, account, command_id]: [&Id; 3],
) -> Result<Option<Erasure>, Fault> {
    let values = [tenant, account, command_id].map(|id| id.as_str().into());
    whole(db, first(db, OF_COMMAND, values, read).await?).await
}

pub(super) async fn mark_erased(
    db: &impl ConnectionTrait,
    receipt_id: &Id,
    now: Timestamp,
) -> Result<(), Fault> {
    execute(db, MARK, [receipt_id.as_str().into(), now.0.into()]).await?;
    Ok(())
}

/// Tenant and receipt of those of which something may be left.
pub(super) async fn unfinished(
    db: &impl ConnectionTrait,
    limit: usize,
) -> Result<Vec<(Id, Id)>, Fault> {
    all(db, UNFINISHED, [number(limit)], |row| {
        Ok((row.id()?, row.id()?))
    })
    .await
}

async fn whole(
    db: &impl ConnectionTrait,
    found: Option<Erasure>,
) -> Result<Option<Erasure>, Fault> {
    let Some(mut erasure) = found else {
        return Ok(None);
    };
    let receipt = erasure.receipt_id.as_str();
    erasure.conversations = all(db, CONVERSATIONS, [receipt.into()], |row| {
        Ok(ErasedConversation {
            id: row.id()?,
            through_sequence: row.number("erased_conversation.through_sequence")?,
        })
    })
    .await?;
    erasure.upstream = upstream_erasure::of_receipt(db, receipt).await?;
    Ok(Some(erasure))
}

fn read(row: &mut Row<'_>) -> Result<Erasure, Fault> {
    Ok(Erasure {
        receipt_id: row.id()?,
        tenant: row.id()?,
        account: row.id()?,
        command_id: row.id()?,
        content: row.bytes()?,
        conversations: Vec::new(),
        requested_at: row.time()?,
        erased_at: row.maybe_time()?,
        upstream: Vec::new(),
    })
}
