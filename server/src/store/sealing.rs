//! The keys as one transaction, or one read, uses them: what it makes and destroys counts for itself at once, and for
//! everybody else once it is committed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sea_orm::ConnectionTrait;

use super::{
    data_key::{self, Owner},
    fault::Fault,
    log,
    vault::Vault,
};
use crate::{
    domain::{ConversationKey, Timestamp},
    keys::{DataKey, Place},
};

/// What stands in a row where a text is not sealed.
pub(super) const PLAIN: i64 = 0;
pub(super) struct Keys {
    pub(super) vault: Arc<Vault>,
    generation: u64,
    /// Not committed yet.
    made: HashMap<Owner, Arc<DataKey>>,
    /// Destroyed, and not committed yet.
    gone: HashSet<i64>,
    erased: Vec<Owner>,
    /// How many keys were ever destroyed, as of this transaction; 0: it destroyed none.
    destroyed: u64,
}

impl Keys {
    pub(super) fn new(vault: Arc<Vault>) -> Self {
        Self {
            generation: vault.generation(),
            vault,
            made: HashMap::new(),
            gone: HashSet::new(),
            erased: Vec::new(),
            destroyed: 0,
        }
    }

    /// The key to seal with: made, in a row of its own, if there is none.
    pub(super) async fn sealing(
        &mut self,
        db: &impl ConnectionTrait,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Arc<DataKey>, Fault> {
        if let Some(key) = self.known(owner) {
            return Ok(key);
        }
        let ring = self.vault.custody.ring();
        if let Some(wrapped) = data_key::of(db, owner).await? {
            let key = Arc::new(wrapped.unwrap_by(&ring)?);
            self.vault.keep_for(owner.clone(), Arc::clone(&key));
            return Ok(key);
        }
        let key = Arc::new(data_key::add(db, &ring, owner, now).await?);
        self.made.insert(owner.clone(), Arc::clone(&key));
        Ok(key)
    }

    fn known(&self, owner: &Owner) -> Option<Arc<DataKey>> {
        if let Some(key) = self.made.get(owner) {
            return Some(Arc::clone(key));
        }
        let key = self.vault.of(owner)?;
        (!self.gone.contains(&key.id())).then_some(key)
    }

    /// The keys of these ids that are still there; each that is not in memory is unwrapped once.
    pub(super) async fn opening(
        &self,
        db: &impl ConnectionTrait,
        ids: impl IntoIterator<Item = i64>,
    ) -> Result<Opening, Fault> {
        let mut ids: Vec<i64> = ids.into_iter().filter(|id| *id > 0).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| !self.gone.contains(id));
        let mut keys = Opening::default();
        for key in self.made.values().filter(|key| ids.contains(&key.id())) {
            keys.insert(key);
        }
        for key in self.vault.with_ids(&ids) {
            keys.insert(&key);
        }
        ids.retain(|id| !keys.0.contains_key(id));
        if ids.is_empty() {
            return Ok(keys);
        }
        let ring = self.vault.custody.ring();
        let wrapped = data_key::with_ids(db, &ids).await?;
        let read = wrapped
            .iter()
            .map(|wrapped| wrapped.unwrap_by(&ring).map(Arc::new));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        for key in &read {
            keys.insert(key);
        }
        self.vault.keep(&read, self.generation);
        Ok(keys)
    }

    /// Removes the conversation's key. What follows in the conversation gets a fresh one.
    pub(super) async fn destroy(
        &mut self,
        db: &impl ConnectionTrait,
        conversation: &ConversationKey,
    ) -> Result<(), Fault> {
        let owner = Owner::Conversation(conversation.clone());
        if let Some(wrapped) = data_key::of(db, &owner).await? {
            self.gone.insert(wrapped.id);
            data_key::remove(db, conversation).await?;
            self.destroyed = log::key_destroyed(db).await?;
        }
        self.made.remove(&owner);
        self.erased.push(owner);
        Ok(())
    }

    /// The transaction is durable.
    pub(super) fn committed(self) {
        if !self.erased.is_empty() {
            self.vault.forget(&self.erased, self.gone, self.destroyed);
        }
        for (owner, key) in self.made {
            self.vault.keep_for(owner, key);
        }
    }
}

/// The keys that a few rows need.
#[derive(Default)]
pub(super) struct Opening(HashMap<i64, Arc<DataKey>>);

impl Opening {
    fn insert(&mut self, key: &Arc<DataKey>) {
        self.0.insert(key.id(), Arc::clone(key));
    }

    /// What was sealed; absent: its key is gone, and so is the text.
    pub(super) fn open(
        &self,
        key_id: i64,
        place: Place<'_>,
        bytes: Vec<u8>,
        column: &'static str,
    ) -> Result<Option<Vec<u8>>, Fault> {
        if key_id == PLAIN {
            return Ok(Some(bytes));
        }
        let Some(key) = self.0.get(&key_id) else {
            return Ok(None);
        };
        let opened = key.open(place, &bytes);
        let mut plain = opened.map_err(|_| Fault::Nonsense(column))?;
        Ok(Some(std::mem::take(&mut *plain)))
    }
}
