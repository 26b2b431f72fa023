//! Table `resource_secret`: secrets of agents and sources, sealed under a master key.

use std::{collections::BTreeMap, sync::LazyLock};

use sea_orm::ConnectionTrait;
use secrecy::{ExposeSecret, SecretString};

use super::resource::{key_values, read_key};
use crate::{
    domain::{
        Id, Timestamp,
        administration::{ResourceKey, StoredSecret},
    },
    keys::{KeyRing, Place},
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute, first, number},
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
        "master_id",
    ],
};

const REMOVE: &str = "DELETE FROM resource_secret WHERE id = $1";
const REMOVE_ALL: &str =
    "DELETE FROM resource_secret WHERE tenant = $1 AND kind = $2 AND name = $3";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static UNDER_ANOTHER: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE master_id <> $1 ORDER BY id LIMIT $2"));
static SAMPLE: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE master_id = $1 LIMIT 1"));
const BY_MASTER: &str = "SELECT master_id, COUNT(*) FROM resource_secret GROUP BY master_id";
/// The newest of a list stands first.
static ALL: LazyLock<String> = LazyLock::new(|| TABLE.select("ORDER BY created_at DESC, id"));

pub(super) async fn save(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    secret: &StoredSecret,
) -> Result<(), Fault> {
    let plain = secret.value.expose_secret().as_bytes();
    let sealed = ring.seal(place(secret.id.as_str()), plain);
    let [tenant, kind, name] = key_values(&secret.owner);
    let values = [
        secret.id.as_str().into(),
        tenant,
        kind,
        name,
        secret.path.as_str().into(),
        sealed.bytes.into(),
        secret.created_at.0.into(),
        secret.expires_at.map(|at| at.0).into(),
        sealed.master_id.as_str().into(),
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

pub(super) async fn list(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
) -> Result<Vec<StoredSecret>, Fault> {
    all(db, &ALL, [], |row| read(row, ring)).await
}

/// Seals secrets anew that are not under the first master key.
pub(crate) async fn rewrap(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    limit: usize,
) -> Result<usize, Fault> {
    let values = [ring.sealing().as_str().into(), number(limit)];
    let old = all(db, &UNDER_ANOTHER, values, |row| read(row, ring)).await?;
    for secret in &old {
        save(db, ring, secret).await?;
    }
    Ok(old.len())
}

/// How many are under each master key.
pub(crate) async fn by_master(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>, Fault> {
    let counts = all(db, BY_MASTER, [], |row| {
        Ok((row.text()?, row.number("COUNT(resource_secret)")?))
    });
    Ok(counts.await?.into_iter().collect())
}

/// Whether the ring opens what is under this master key.
pub(crate) async fn try_one(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    master_id: &str,
) -> Result<(), Fault> {
    let sample = first(db, &SAMPLE, [master_id.into()], |row| read(row, ring));
    sample.await.map(drop)
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row,
        column: "value",
    }
}

fn read(row: &mut Row<'_>, ring: &KeyRing) -> Result<StoredSecret, Fault> {
    let mut secret = StoredSecret {
        id: row.id()?,
        owner: read_key(row)?,
        path: row.text()?,
        value: SecretString::default(),
        created_at: Timestamp::default(),
        expires_at: None,
    };
    let sealed = row.bytes()?;
    (secret.created_at, secret.expires_at) = (row.time()?, row.maybe_time()?);
    let opened = ring.open(&row.text()?, place(secret.id.as_str()), &sealed)?;
    let text =
        std::str::from_utf8(&opened).map_err(|_| Fault::Nonsense("resource_secret.value"))?;
    secret.value = text.to_owned().into();
    Ok(secret)
}
