//! Table `source`: until when each source has been looked at.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    table::{Table, execute, first},
};
use crate::domain::{Id, Timestamp};

const TABLE: Table = Table {
    name: "source",
    key: &["name"],
    columns: &["name", "looked_until"],
};

const FIND: &str = "SELECT looked_until FROM source WHERE name = $1";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());

pub(super) async fn looked_until(
    db: &impl ConnectionTrait,
    source: &Id,
) -> Result<Option<Timestamp>, Fault> {
    first(db, FIND, [source.as_str().into()], |row| Ok(row.time()?)).await
}

pub(super) async fn save_looked_until(
    db: &impl ConnectionTrait,
    source: &Id,
    until: Timestamp,
) -> Result<(), Fault> {
    execute(db, &SAVE, [source.as_str().into(), until.0.into()]).await?;
    Ok(())
}
