//! Table `meta`: who this database is.

use sea_orm::ConnectionTrait;

use super::{fault::Fault, table::first};

/// The database's identity and the key under which content is hashed.
pub(super) struct Meta {
    pub(super) epoch: u64,
    pub(super) hash_key: Vec<u8>,
}

pub(super) async fn find(db: &impl ConnectionTrait) -> Result<Meta, Fault> {
    let meta = first(
        db,
        "SELECT epoch, hash_key FROM meta WHERE id = 1",
        [],
        |row| {
            Ok(Meta {
                epoch: row.number("meta.epoch")?,
                hash_key: row.bytes()?,
            })
        },
    );
    meta.await?.ok_or(Fault::Nonsense("meta"))
}
