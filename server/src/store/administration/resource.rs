//! Table `resource`: agents, accounts, sources and callers.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

use crate::{
    domain::administration::{Resource, ResourceKey, ResourceKind},
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute, first, number},
    },
};

const TABLE: Table = Table {
    name: "resource",
    key: &["tenant", "kind", "name"],
    columns: &[
        "tenant",
        "kind",
        "name",
        "revision",
        "off",
        "settings",
        "created_at",
        "updated_at",
    ],
};

const REVISION: &str =
    "SELECT revision FROM resource WHERE tenant = $1 AND kind = $2 AND name = $3";
const REMOVE: &str = "DELETE FROM resource WHERE tenant = $1 AND kind = $2 AND name = $3";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static ALL: LazyLock<String> = LazyLock::new(|| TABLE.select("ORDER BY tenant, kind, name"));

/// 0 where there is none.
pub(super) async fn revision(db: &impl ConnectionTrait, key: &ResourceKey) -> Result<u64, Fault> {
    let found = first(db, REVISION, key_values(key), |row| {
        row.number("resource.revision")
    });
    Ok(found.await?.unwrap_or(0))
}

pub(super) async fn save(db: &impl ConnectionTrait, resource: &Resource) -> Result<(), Fault> {
    let [tenant, kind, name] = key_values(&resource.key);
    let values = [
        tenant,
        kind,
        name,
        number(resource.revision),
        resource.off.into(),
        resource.settings.as_bytes().to_vec().into(),
        resource.created_at.0.into(),
        resource.updated_at.0.into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}

pub(super) async fn remove(db: &impl ConnectionTrait, key: &ResourceKey) -> Result<(), Fault> {
    execute(db, REMOVE, key_values(key)).await?;
    Ok(())
}

pub(super) async fn list(db: &impl ConnectionTrait) -> Result<Vec<Resource>, Fault> {
    all(db, &ALL, [], read).await
}

pub(super) fn key_values(key: &ResourceKey) -> [Value; 3] {
    [
        key.tenant.as_str().into(),
        key.kind.name().into(),
        key.name.as_str().into(),
    ]
}

/// Tenant, kind and name.
pub(super) fn read_key(row: &mut Row<'_>) -> Result<ResourceKey, Fault> {
    Ok(ResourceKey {
        tenant: row.id()?,
        kind: ResourceKind::from_name(&row.text()?).ok_or(Fault::Nonsense("resource.kind"))?,
        name: row.id()?,
    })
}

fn read(row: &mut Row<'_>) -> Result<Resource, Fault> {
    Ok(Resource {
        key: read_key(row)?,
        revision: row.number("resource.revision")?,
        off: row.flag()?,
        settings: String::from_utf8(row.bytes()?)
            .map_err(|_| Fault::Nonsense("resource.settings"))?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}
