//! The master keys at the start: are those that the database needs there, and are they the ones.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use zeroize::Zeroizing;

use super::{
    administration, connect::StoreSettings, data_key, fault::Fault, meta, open::OpenError, secret,
    table::execute,
};
use crate::{
    domain::Timestamp,
    keys::{Custody, NotOpened, Origin, random_bytes},
};

/// The server's own secrets.
pub(super) struct Own {
    pub(super) pepper: Zeroizing<Vec<u8>>,
    /// The key under which content is hashed before it is kept beside the log.
    pub(super) hash_key: Zeroizing<Vec<u8>>,
}

/// Reads the keys, and tries one row under each.
pub(super) async fn custody(
    db: &DatabaseConnection,
    settings: &StoreSettings,
) -> Result<Arc<Custody>, OpenError> {
    let needed = by_master(db).await?;
    if settings.file().is_none() && settings.master_key.is_beside() {
        return Err(OpenError::NoMasterKey);
    }
    let opened = Custody::open(
        settings.master_key.clone(),
        settings.file().unwrap_or(Path::new("")),
        settings.command_time_limit,
        needed.is_empty(),
    );
    let (custody, origin) = opened.await.map_err(|source| match needed.keys().next() {
        Some(id) => OpenError::KeyNotRead {
            id: id.clone(),
            source,
        },
        None => OpenError::Keys(source),
    })?;
    let ring = custody.ring();
    for id in needed.keys() {
        if !ring.has(id) {
            return Err(OpenError::MissingKey {
                id: id.clone(),
                place: custody.place(),
            });
        }
        let tried = data_key::try_one(db, &ring, id).await;
        let tried = match tried {
            Ok(()) => administration::try_one(db, &ring, id).await,
            failed => failed,
        };
        let tried = match tried {
            Ok(()) => secret::try_one(db, &ring, id).await,
            failed => failed,
        };
        tried.map_err(|fault| match fault {
            Fault::Key(NotOpened::WrongKey(id)) => OpenError::WrongKey {
                id,
                place: custody.place(),
            },
            fault => fault.into(),
        })?;
    }
    if let Origin::Made(path) = origin {
        tracing::warn!(
            file = %path.display(),
            "encryption.master_key is not set: a master key was made beside the database. Whoever copies both files \
             can read everything, and without the key nobody can. For production keep it elsewhere: name a file, a \
             variable or a program of your key store in encryption.master_key, and back the key up apart from the database"
        );
    }
    Ok(Arc::new(custody))
}

/// The server's own secrets; they are drawn at the first start. A hash key from before there was sealing is sealed now.
pub(super) async fn own(
    db: &DatabaseConnection,
    custody: &Custody,
    now: Timestamp,
) -> Result<Own, OpenError> {
    let ring = custody.ring();
    let tx = db.begin().await?;
    // One of the replicas that start together draws them, the others wait for it and find them drawn.
    execute(&tx, "UPDATE meta SET id = id WHERE id = 1", []).await?;
    let pepper = secret::of_server(&tx, &ring, "pepper", now, || {
        Zeroizing::new(random_bytes::<32>().to_vec())
    });
    let pepper = pepper.await?;
    let plain = Zeroizing::new(meta::find(&tx).await?.hash_key);
    let hash_key = secret::of_server(&tx, &ring, "hash_key", now, || plain.clone()).await?;
    if !plain.is_empty() {
        let blank = "UPDATE meta SET hash_key = $1 WHERE id = 1";
        execute(&tx, blank, [Vec::<u8>::new().into()]).await?;
    }
    tx.commit().await?;
    Ok(Own { pepper, hash_key })
}

/// How many rows are under each master key.
pub(super) async fn by_master(db: &impl ConnectionTrait) -> Result<BTreeMap<String, u64>, Fault> {
    let mut counts = data_key::by_master(db).await?;
    let rest = [
        administration::by_master(db).await?,
        secret::by_master(db).await?,
    ];
    for (id, count) in rest.into_iter().flatten() {
        *counts.entry(id).or_default() += count;
    }
    Ok(counts)
}
