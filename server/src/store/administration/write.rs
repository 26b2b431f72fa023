//! What a unit of work can change of it: every method hands over to its table.

use async_trait::async_trait;

use super::{audit, caller_key, resource, secret};
use crate::{
    domain::{
        Result,
        administration::{
            AdministrationWrite, AuditEntry, AuditRecord, Change, Resource, ResourceKey,
        },
    },
    store::{fault::Fault, transaction::SqlTransaction},
};

#[async_trait]
impl AdministrationWrite for SqlTransaction {
    async fn change(&mut self, change: &Change) -> Result<bool> {
        match change {
            Change::Save { resource, expected } => self.save(resource, *expected).await,
            Change::Delete { key, expected } => self.delete(key, *expected).await,
            Change::SaveSecret(stored) => {
                let ring = self.keys.vault.custody.ring();
                let done = secret::save(&self.db, &ring, stored).await;
                self.wrote(done.map(|()| true))
            }
            Change::DeleteSecret(id) => {
                let done = secret::remove(&self.db, id).await;
                self.wrote(done.map(|()| true))
            }
            Change::SaveKey(key) => {
                let done = caller_key::save(&self.db, key).await;
                self.wrote(done.map(|()| true))
            }
            Change::KeyUsed { id, at } => {
                let done = caller_key::used(&self.db, id, *at).await;
                self.wrote(done.map(|()| true))
            }
        }
    }

    async fn record_act(&mut self, record: &AuditRecord) -> Result<AuditEntry> {
        let done = audit::add(&self.db, record, self.now, &self.hash_key).await;
        self.wrote(done)
    }
}

impl SqlTransaction {
    async fn save(&mut self, resource: &Resource, expected: u64) -> Result<bool> {
        if !self.is_at(&resource.key, expected).await? {
            return Ok(false);
        }
        let done = resource::save(&self.db, resource).await;
        self.wrote(done.map(|()| true))
    }

    async fn delete(&mut self, key: &ResourceKey, expected: u64) -> Result<bool> {
        if !self.is_at(key, expected).await? {
            return Ok(false);
        }
        let done: Result<(), Fault> = async {
            secret::remove_all(&self.db, key).await?;
            caller_key::remove(&self.db, key).await?;
            resource::remove(&self.db, key).await
        }
        .await;
        self.wrote(done.map(|()| true))
    }

    async fn is_at(&mut self, key: &ResourceKey, expected: u64) -> Result<bool> {
        let found = resource::revision(&self.db, key).await;
        Ok(self.read(found)? == expected)
    }
}
