//! Table `secret`: the server's own secrets, each sealed under a master key.

use std::{collections::BTreeMap, sync::LazyLock};

use sea_orm::ConnectionTrait;
use zeroize::Zeroizing;

use super::{
    fault::Fault,
    row::Row,
    table::{Table, all, execute, first, number},
};
use crate::{
    domain::Timestamp,
    keys::{KeyRing, Place},
};

const TABLE: Table = Table {
    name: "secret",
    key: &["id"],
    columns: &["id", "master_id", "sealed", "created_at"],
};

static ADD: LazyLock<String> = LazyLock::new(|| TABLE.insert(1));
const OPEN: &str = "SELECT id, master_id, sealed FROM secret WHERE id = $1";
const UNDER_ANOTHER: &str =
    "SELECT id, master_id, sealed FROM secret WHERE master_id <> $1 LIMIT $2";
const REWRAP: &str = "UPDATE secret SET master_id = $1, sealed = $2 WHERE id = $3";
const BY_MASTER: &str = "SELECT master_id, COUNT(*) FROM secret GROUP BY master_id";
const SAMPLE: &str = "SELECT id, master_id, sealed FROM secret WHERE master_id = $1 LIMIT 1";

struct Sealed {
    id: String,
    master_id: String,
    bytes: Vec<u8>,
}

impl Sealed {
    fn open(&self, ring: &KeyRing) -> Result<Zeroizing<Vec<u8>>, Fault> {
        Ok(ring.open(&self.master_id, place(&self.id), &self.bytes)?)
    }

    fn read(row: &mut Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: row.text()?,
            master_id: row.text()?,
            bytes: row.bytes()?,
        })
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row,
        column: "sealed",
    }
}

/// The secret of this name; `make` it if there is none.
pub(super) async fn of_server(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    name: &'static str,
    now: Timestamp,
    make: impl FnOnce() -> Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if let Some(sealed) = first(db, OPEN, [name.into()], Sealed::read).await? {
        return sealed.open(ring);
    }
    let value = make();
    let sealed = ring.seal(place(name), &value);
    let values = [
        name.into(),
        sealed.master_id.as_str().into(),
        sealed.bytes.into(),
        now.0.into(),
    ];
    execute(db, &ADD, values).await?;
    Ok(value)
}

/// Seals secrets anew that are not under the first master key.
pub(super) async fn rewrap(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    limit: usize,
) -> Result<usize, Fault> {
    let sealing = ring.sealing().as_str();
    let values = [sealing.into(), number(limit)];
    let old = all(db, UNDER_ANOTHER, values, Sealed::read).await?;
    for sealed in &old {
        let anew = ring.seal(place(&sealed.id), &sealed.open(ring)?);
        let values = [
            anew.master_id.as_str().into(),
            anew.bytes.into(),
            sealed.id.as_str().into(),
        ];
        execute(db, REWRAP, values).await?;
    }
    Ok(old.len())
}

/// How many are under each master key.
pub(super) async fn by_master(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>, Fault> {
    let counts = all(db, BY_MASTER, [], |row| {
        Ok((row.text()?, row.number("COUNT(secret)")?))
    });
    Ok(counts.await?.into_iter().collect())
}

/// Whether the ring opens what is under this master key.
pub(super) async fn try_one(
    db: &impl ConnectionTrait,
    ring: &KeyRing,
    master_id: &str,
) -> Result<(), Fault> {
    let sample = first(db, SAMPLE, [master_id.into()], Sealed::read);
    if let Some(sealed) = sample.await? {
        sealed.open(ring)?;
    }
    Ok(())
}
