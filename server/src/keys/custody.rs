//! The ring that is in force, and how it changes while the server runs.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::{
    ring::{KeyRing, MasterKeyId},
    source::{KeySource, KeySourceError, Origin},
};

/// Holds the master keys of one database.
#[derive(Debug)]
pub struct Custody {
    source: KeySource,
    database: PathBuf,
    time_limit: Duration,
    ring: RwLock<Arc<KeyRing>>,
}

/// What another look at the source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// The keys are those in force.
    Same,
    /// Other keys are in force. `kept` are not among those that were read and are still needed: they stay in memory.
    Changed { kept: Vec<MasterKeyId> },
    /// The source gives another key under an id in use: what is in force stays so.
    Contradiction(MasterKeyId),
}

impl Custody {
    /// Reads the keys. Where nothing is configured, `may_make` lets it make a file beside the database.
    ///
    /// # Errors
    ///
    /// Why they cannot be read.
    pub async fn open(
        source: KeySource,
        database: &Path,
        time_limit: Duration,
        may_make: bool,
    ) -> Result<(Self, Origin), KeySourceError> {
        let (ring, origin) = source.read(database, time_limit, may_make).await?;
        let custody = Self {
            source,
            database: database.to_owned(),
            time_limit,
            ring: RwLock::new(Arc::new(ring)),
        };
        Ok((custody, origin))
    }

    /// The keys in force.
    pub fn ring(&self) -> Arc<KeyRing> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&ring)
    }

    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// The file that holds the keys, where one does and more than its owner can read it.
    pub fn open_to_others(&self) -> Option<PathBuf> {
        self.source.open_to_others(&self.database)
    }

    /// Where the keys come from, in words.
    pub fn place(&self) -> String {
        self.source.place(&self.database)
    }

    /// Reads the source again; `needed` tells under which ids something is sealed. A key that something is still sealed under stays in force whatever the source says.
    ///
    /// # Errors
    ///
    /// Why it cannot be read; what is in force stays so.
    pub async fn look<F>(&self, needed: impl FnOnce() -> F) -> Result<Looked, KeySourceError>
    where
        F: Future<Output = Option<BTreeSet<String>>> + Send,
    {
        let (found, _) = self
            .source
            .read(&self.database, self.time_limit, false)
            .await?;
        let before = self.ring();
        if let Some(id) = found.contradicts(&before) {
            return Ok(Looked::Contradiction(id));
        }
        if found.is_same(&before) {
            return Ok(Looked::Same);
        }
        // Where nobody can tell what is needed, all of it is.
        let needed = needed().await;
        let is_needed =
            |id: &MasterKeyId| needed.as_ref().is_none_or(|ids| ids.contains(id.as_str()));
        let (ring, kept) = found.keeping(&before, is_needed);
        if ring.is_same(&before) {
            return Ok(Looked::Same);
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(Looked::Changed { kept })
    }
}
