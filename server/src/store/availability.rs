//! Table `availability`: what publishers say of teams.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    table::{Table, execute, first},
};
use crate::domain::{Id, Timestamp};

const TABLE: Table = Table {
    name: "availability",
    key: &["agent", "team", "publisher"],
    columns: &["agent", "team", "publisher", "online", "expires_at"],
};

const UNEXPIRED: &str = "SELECT online FROM availability
    WHERE agent = $1 AND team = $2 AND expires_at > $3 ORDER BY online DESC LIMIT 1";
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());

pub(super) async fn save(
    db: &impl ConnectionTrait,
    agent: &Id,
    team: &str,
    publisher: &str,
    online: bool,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let values = [
        agent.as_str().into(),
        team.into(),
        publisher.into(),
        online.into(),
        expires_at.0.into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}

/// Online while any unexpired publisher says so; absent when there is none.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    agent: &Id,
    team: &str,
    now: Timestamp,
) -> Result<Option<bool>, Fault> {
    let values = [agent.as_str().into(), team.into(), now.0.into()];
    first(db, UNEXPIRED, values, |row| Ok(row.flag()?)).await
}
