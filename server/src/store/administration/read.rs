//! What can be read of it outside a unit of work.

use async_trait::async_trait;

use super::{audit, caller_key, resource, secret};
use crate::{
    domain::{
        Id, Result,
        administration::{Administered, AdministrationRead, AuditCheck, AuditEntry, AuditQuery},
    },
    store::reads::SqlStore,
};

#[async_trait]
impl AdministrationRead for SqlStore {
    async fn administered(&self) -> Result<Administered> {
        let ring = self.custody().ring();
        self.read(async move |db, _| {
            Ok(Administered {
                resources: resource::list(&db).await?,
                secrets: secret::list(&db, &ring).await?,
                keys: caller_key::list(&db).await?,
            })
        })
        .await
    }

    async fn had_keys(&self) -> Result<bool> {
        self.read(async move |db, _| audit::had_keys(&db).await)
            .await
    }

    async fn newest_act(&self) -> Result<u64> {
        self.read(async move |db, _| audit::count(&db).await).await
    }

    async fn acts(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let query = query.clone();
        self.read(async move |db, _| audit::page(&db, &query).await)
            .await
    }

    async fn verify_acts(&self, tenant: &Id) -> Result<AuditCheck> {
        let (tenant, key) = (tenant.clone(), self.hash_key());
        self.read(async move |db, _| audit::verify(&db, &tenant, &key).await)
            .await
    }
}
