//! Table `resource_secret`: secrets of agents and sources.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;

use super::resource::{key_values, read_key};
use crate::{
    domain::{
        Id,
        administration::{ResourceKey, StoredSecret},
    },
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute},
    },
};

const TABLE: Table = Table {
    name: "resource_secret",
    key: &["id"],
    columns: &[
        "id",
        "tenant",
        "kind",
        "name",
        "path",
        "value",
        "created_at",
        "expires_at",
    ],
};

const REMOVE: &str = "DELETE FROM resource_secret WHERE id = $1";
const REMOVE_ALL: &str =
    "DELETE FROM resource_secret WHERE tenant = $1 AND kind = $2 AND name = $3";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
/// The newest of a list stands first.
static ALL: LazyLock<String> = LazyLock::new(|| TABLE.select("ORDER BY created_at DESC, id"));

pub(super) async fn save(db: &impl ConnectionTrait, secret: &StoredSecret) -> Result<(), Fault> {
    let [tenant, kind, name] = key_values(&secret.owner);
    let values = [
        secret.id.as_str().into(),
        tenant,
        kind,
        name,
        secret.path.as_str().into(),
        secret.value.expose_secret().as_bytes().to_vec().into(),
        secret.created_at.0.into(),
        secret.expires_at.map(|at| at.0).into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}

pub(super) async fn remove(db: &impl ConnectionTrait, id: &Id) -> Result<(), Fault> {
    execute(db, REMOVE, [id.as_str().into()]).await?;
    Ok(())
}

pub(super) async fn remove_all(
    db: &impl ConnectionTrait,
    owner: &ResourceKey,
) -> Result<(), Fault> {
    execute(db, REMOVE_ALL, key_values(owner)).await?;
    Ok(())
}

pub(super) async fn list(db: &impl ConnectionTrait) -> Result<Vec<StoredSecret>, Fault> {
    all(db, &ALL, [], read).await
}

fn read(row: &mut Row<'_>) -> Result<StoredSecret, Fault> {
    Ok(StoredSecret {
        id: row.id()?,
        owner: read_key(row)?,
        path: row.text()?,
        value: String::from_utf8(row.bytes()?)
            .map_err(|_| Fault::Nonsense("resource_secret.value"))?
            .into(),
        created_at: row.time()?,
        expires_at: row.maybe_time()?,
    })
}
