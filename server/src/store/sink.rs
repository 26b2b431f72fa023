//! Table `sink`: how far each sink has come, and who relays to it.

use std::sync::LazyLock;

use async_trait::async_trait;
use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    table::{Table, execute, first, number},
    transaction::SqlTransaction,
};
use crate::domain::{Position, Result, ports::SinkWrite, sink::SinkState};

const TABLE: Table = Table {
    name: "sink",
    key: &["name"],
    columns: &["name", "position", "token", "leased_until"],
};

static FIND: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE name = $1"));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());

#[async_trait]
impl SinkWrite for SqlTransaction {
    async fn sink(&mut self, name: &str) -> Result<Option<SinkState>> {
        let found = find(&self.db, name).await;
        self.read(found)
    }

    async fn save_sink(&mut self, sink: &SinkState) -> Result<()> {
        let done = save(&self.db, sink).await;
        self.wrote(done)
    }
}

async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<SinkState>, Fault> {
    first(db, &FIND, [name.into()], |row| {
        Ok(SinkState {
            name: row.id()?,
            position: Position(row.number("sink.position")?),
            token: row.number("sink.token")?,
            leased_until: row.time()?,
        })
    })
    .await
}

async fn save(db: &impl ConnectionTrait, sink: &SinkState) -> Result<(), Fault> {
    let values = [
        sink.name.as_str().into(),
        number(sink.position.0),
        number(sink.token),
        sink.leased_until.0.into(),
    ];
    execute(db, &SAVE, values).await?;
    Ok(())
}
