//! The master keys, and the data keys that are unwrapped in memory: as many as a setting says, the least used go first.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hashlink::LruCache;

use super::data_key::Owner;
use crate::keys::{Custody, DataKey};

/// Shared by all transactions and reads of one database.
pub(super) struct Vault {
    pub(super) custody: Arc<Custody>,
    unwrapped: Mutex<Unwrapped>,
}

struct Unwrapped {
    by_id: LruCache<i64, Arc<DataKey>>,
    by_owner: LruCache<Owner, Arc<DataKey>>,
    /// Counts the times that keys were destroyed.
    generation: u64,
    /// The same as the database counts it, for all replicas.
    destroyed: u64,
    /// Counts the times that another replica had destroyed keys.
    followed: u64,
}

impl Vault {
    pub(super) fn new(custody: Arc<Custody>, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            custody,
            unwrapped: Mutex::new(Unwrapped {
                by_id: LruCache::new(capacity),
                by_owner: LruCache::new(capacity),
                generation: 0,
                destroyed: 0,
                followed: 0,
            }),
        }
    }

    /// To be asked for before a row is read, and handed to [`Vault::keep`].
    pub(super) fn generation(&self) -> u64 {
        self.lock().generation
    }

    pub(super) fn of(&self, owner: &Owner) -> Option<Arc<DataKey>> {
        self.lock().by_owner.get(owner).cloned()
    }

    /// Those of the ids that are in memory.
    pub(super) fn with_ids(&self, ids: &[i64]) -> Vec<Arc<DataKey>> {
        let mut unwrapped = self.lock();
        ids.iter()
            .filter_map(|id| unwrapped.by_id.get(id).cloned())
            .collect()
    }

    /// Keeps keys that were read in a generation: a row that was read before a key was destroyed must not bring it back.
    pub(super) fn keep(&self, keys: &[Arc<DataKey>], generation: u64) {
        let mut unwrapped = self.lock();
        if unwrapped.generation == generation {
            for key in keys {
                unwrapped.by_id.insert(key.id(), Arc::clone(key));
            }
        }
    }

    /// Keeps a key for what will be sealed in its owner's name. Only the one who writes may say whose key counts.
    pub(super) fn keep_for(&self, owner: Owner, key: Arc<DataKey>) {
        let mut unwrapped = self.lock();
        unwrapped.by_id.insert(key.id(), Arc::clone(&key));
        unwrapped.by_owner.insert(owner, key);
    }

    /// Lets go of all keys if another replica has destroyed some: which ones is not told. Answers how often it did.
    pub(super) fn follow(&self, destroyed: u64) -> u64 {
        let mut unwrapped = self.lock();
        if destroyed > unwrapped.destroyed {
            unwrapped.destroyed = destroyed;
            unwrapped.generation += 1;
            unwrapped.followed += 1;
            unwrapped.by_id.clear();
            unwrapped.by_owner.clear();
        }
        unwrapped.followed
    }

    /// Lets go of keys that a transaction destroyed, as the database's count says from its commit on.
    pub(super) fn forget(
        &self,
        owners: &[Owner],
        ids: impl IntoIterator<Item = i64>,
        destroyed: u64,
    ) {
        let mut unwrapped = self.lock();
        unwrapped.generation += 1;
        unwrapped.destroyed = unwrapped.destroyed.max(destroyed);
        for owner in owners {
            unwrapped.by_owner.remove(owner);
        }
        for id in ids {
            unwrapped.by_id.remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unwrapped> {
        // It holds copies only: what a panic elsewhere left out is read again.
        self.unwrapped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
