//! What administrators have made, as it stands in the database; and a draft of it, which notes every change.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Id, Timestamp,
    administration::{
        Administered, CallerKey, Change, Resource, ResourceKey, ResourceKind, StoredSecret,
    },
};

/// All of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub resources: BTreeMap<ResourceKey, Resource>,
    secrets: Vec<StoredSecret>,
    keys: Vec<CallerKey>,
}

/// What it would be, and how it gets there.
#[derive(Debug)]
pub(super) struct Draft {
    pub kept: Kept,
    pub changes: Vec<Change>,
    pub now: Timestamp,
}

impl Kept {
    pub fn of(found: Administered) -> Self {
        let named = found
            .resources
            .into_iter()
            .map(|resource| (resource.key.clone(), resource));
        Self {
            resources: named.collect(),
            secrets: found.secrets,
            keys: found.keys,
        }
    }

    pub fn find(&self, tenant: &Id, kind: ResourceKind, name: &str) -> Option<&Resource> {
        self.resources.get(&ResourceKey {
            tenant: tenant.clone(),
            kind,
            name: Id::trusted(name),
        })
    }

    /// In the order of their names.
    pub fn of_tenant(&self, tenant: &Id, kind: ResourceKind) -> impl Iterator<Item = &Resource> {
        self.resources
            .values()
            .filter(move |resource| resource.key.tenant == *tenant && resource.key.kind == kind)
    }

    pub fn tenants(&self) -> BTreeSet<Id> {
        let each = self.resources.keys();
        each.map(|key| key.tenant.clone()).collect()
    }

    pub fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &Resource> {
        self.resources
            .values()
            .filter(move |resource| resource.key.kind == kind)
    }

    /// The secrets of an object: by their paths, and those of one list with the newest first.
    pub fn secrets(&self, owner: &ResourceKey) -> Vec<&StoredSecret> {
        let mut secrets: Vec<_> = self
            .secrets
            .iter()
            .filter(|secret| secret.owner == *owner)
            .collect();
        secrets.sort_by(|one, other| {
            let newest = other.created_at.cmp(&one.created_at);
            one.path
                .cmp(&other.path)
                .then(newest)
                .then_with(|| one.id.cmp(&other.id))
        });
        secrets
    }

    pub fn expired_secrets(&self, now: Timestamp) -> Vec<StoredSecret> {
        let expired = |secret: &&StoredSecret| {
            secret
                .expires_at
                .is_some_and(|expires_at| expires_at <= now)
        };
        self.secrets.iter().filter(expired).cloned().collect()
    }

    /// The keys of a caller, oldest first.
    pub fn keys(&self, tenant: &Id, caller: &str) -> Vec<&CallerKey> {
        let mut keys: Vec<_> = self
            .keys
            .iter()
            .filter(|key| key.tenant == *tenant && key.caller.as_str() == caller)
            .collect();
        keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        keys
    }

    pub fn all_keys(&self) -> &[CallerKey] {
        &self.keys
    }

    pub fn key_used(&mut self, id: &str, at: Timestamp) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.id.as_str() == id) {
            key.last_used_at = key.last_used_at.max(Some(at));
        }
    }
}

impl Draft {
    pub fn new(kept: Kept, now: Timestamp) -> Self {
        Self {
            kept,
            changes: Vec::new(),
            now,
        }
    }

    /// Whether agents, sources or accounts are another after it.
    pub fn touches_objects(&self) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Save { resource, .. } => resource.key.kind != ResourceKind::Caller,
            Change::Delete { key, .. } => key.kind != ResourceKind::Caller,
            Change::SaveSecret(_) | Change::DeleteSecret(_) => true,
            Change::SaveKey(_) | Change::KeyUsed { .. } => false,
        })
    }

    /// The objects that are made or changed.
    pub fn changed(&self) -> BTreeSet<ResourceKey> {
        let each = self.changes.iter().filter_map(|change| match change {
            Change::Save { resource, .. } => Some(resource.key.clone()),
            _ => None,
        });
        each.collect()
    }

    /// Makes a new object.
    pub fn add(&mut self, key: ResourceKey, settings: String, off: bool) {
        self.put(
            Resource {
                key,
                revision: 1,
                settings,
                off,
                created_at: self.now,
                updated_at: self.now,
            },
            0,
        );
    }

    /// Changes one that there is.
    pub fn change(&mut self, before: &Resource, settings: String, off: bool) {
        let changed = Resource {
            revision: before.revision + 1,
            settings,
            off,
            updated_at: self.now,
            ..before.clone()
        };
        self.put(changed, before.revision);
    }

    pub fn delete(&mut self, resource: &Resource) {
        let key = &resource.key;
        self.kept.resources.remove(key);
        self.kept.secrets.retain(|secret| secret.owner != *key);
        if key.kind == ResourceKind::Caller {
            let is_its = |one: &CallerKey| one.tenant == key.tenant && one.caller == key.name;
            self.kept.keys.retain(|one| !is_its(one));
        }
        self.changes.push(Change::Delete {
            key: key.clone(),
            expected: resource.revision,
        });
    }

    pub fn save_secret(&mut self, secret: StoredSecret) {
        self.kept.secrets.retain(|known| known.id != secret.id);
        self.kept.secrets.push(secret.clone());
        self.changes.push(Change::SaveSecret(secret));
    }

    pub fn remove_secret(&mut self, id: &Id) {
        self.kept.secrets.retain(|known| known.id != *id);
        self.changes.push(Change::DeleteSecret(id.clone()));
    }

    pub fn save_key(&mut self, key: CallerKey) {
        self.kept.keys.retain(|known| known.id != key.id);
        self.kept.keys.push(key.clone());
        self.changes.push(Change::SaveKey(key));
    }

    fn put(&mut self, resource: Resource, expected: u64) {
        self.kept
            .resources
            .insert(resource.key.clone(), resource.clone());
        self.changes.push(Change::Save { resource, expected });
    }
}
