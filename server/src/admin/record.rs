//! The record of acts, read.

use super::Admin;
use crate::domain::{
    Identity, Result,
    administration::{AuditCheck, AuditEntry, AuditQuery},
};

impl Admin {
    /// Acts of the tenant, newest first.
    pub async fn acts(&self, identity: &Identity, query: AuditQuery) -> Result<Vec<AuditEntry>> {
        let query = AuditQuery {
            tenant: identity.tenant.to_string(),
            ..query
        };
        self.parts.store.acts(&query).await
    }

    /// Whether the tenant's record is as it was written.
    pub async fn verify_acts(&self, identity: &Identity) -> Result<AuditCheck> {
        self.parts.store.verify_acts(&identity.tenant).await
    }
}
