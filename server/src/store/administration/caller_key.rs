//! Table `caller_key`: keyed hashes of callers' keys.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::resource::key_values;
use crate::{
    domain::{
        Id, Timestamp,
        administration::{CallerKey, ResourceKey},
    },
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute},
    },
};

const TABLE: Table = Table {
    name: "caller_key",
    key: &["id"],
    columns: &[
        "id",
        "tenant",
        "caller",
        "digest",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    ],
};

const REMOVE: &str = "DELETE FROM caller_key WHERE tenant = $1 AND $2 = 'caller' AND caller = $3";
const USED: &str = "UPDATE caller_key SET last_used_at = $2
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static ALL: LazyLock<String> = LazyLock::new(|| TABLE.select("ORDER BY created_at, id"));

pub(super) async fn save(db: &impl ConnectionTrait, key: &CallerKey) -> Result<(), Fault> {
    let time = |at: Option<Timestamp>| at.map(|at| at.0).into();
    let values = [
        key.id.as_str().into(),
        key.tenant.as_str().into(),
        key.caller.as_str().into(),
        key.digest.clone().into(),
        key.created_at.0.into(),
        time(key.expires_at),
        time(key.revoked_at),
        time(key.last_used_at),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}

pub(super) async fn used(db: &impl ConnectionTrait, id: &Id, at: Timestamp) -> Result<(), Fault> {
    execute(db, USED, [id.as_str().into(), at.0.into()]).await?;
    Ok(())
}

/// The keys of a caller; nothing for what is none.
pub(super) async fn remove(db: &impl ConnectionTrait, owner: &ResourceKey) -> Result<(), Fault> {
    execute(db, REMOVE, key_values(owner)).await?;
    Ok(())
}

pub(super) async fn list(db: &impl ConnectionTrait) -> Result<Vec<CallerKey>, Fault> {
    all(db, &ALL, [], read).await
}

fn read(row: &mut Row<'_>) -> Result<CallerKey, Fault> {
    Ok(CallerKey {
        id: row.id()?,
        tenant: row.id()?,
        caller: row.id()?,
        digest: row.bytes()?,
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
        revoked_at: row.maybe_time()?,
        last_used_at: row.maybe_time()?,
    })
}
