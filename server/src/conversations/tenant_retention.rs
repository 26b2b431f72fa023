//! Tenants that keep less than the log does: their events are overwritten where they stand, because positions have no
//! gaps, and conversations that have been idle for as long keep nothing but their ids.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Id, Result, Timestamp,
    ports::{Transaction, Unit},
};

use super::{Housekeeping, read::detached};

/// Positions that one transaction goes through.
const POSITIONS_AT_ONCE: usize = 500;
/// Conversations that one transaction goes through: each takes several statements.
const CONVERSATIONS_AT_ONCE: usize = 50;

/// How long one tenant keeps what is personal.
#[derive(Debug, Clone)]
pub struct TenantAge {
    pub tenant: Id,
    pub age: Duration,
}

impl Housekeeping {
    /// One round for every tenant that has an age of its own.
    pub(super) async fn erase_aged(&self, now: Timestamp, stop: &CancellationToken) -> Result<()> {
        let mut erased = 0;
        for TenantAge { tenant, age } in &self.tenant_ages {
            let before = now - *age;
            let events = EraseAged {
                tenant: tenant.clone(),
                before,
            };
            while !stop.is_cancelled() {
                let (passed, overwritten) = self.committer.submit(events.clone()).await?.output;
                erased += overwritten;
                if passed < POSITIONS_AT_ONCE {
                    break;
                }
            }
            let idle = ForgetIdle {
                tenant: tenant.clone(),
                before,
            };
            while !stop.is_cancelled() {
                let (passed, forgotten) = self.committer.submit(idle.clone()).await?.output;
                erased += forgotten;
                if passed < CONVERSATIONS_AT_ONCE {
                    break;
                }
            }
        }
        if erased > 0 {
            // What is in memory is as old, and the files still hold what was overwritten.
            self.hub.purge();
            let store = std::sync::Arc::clone(&self.store);
            if let Err(error) = detached(async move { store.purge().await }).await {
                tracing::warn!(%error, "the write-ahead log was not emptied; it is by the next checkpoint");
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct EraseAged {
    tenant: Id,
    before: Timestamp,
}

#[async_trait]
impl Unit for EraseAged {
    /// How many positions were gone through, and how many events overwritten.
    type Output = (usize, u64);

    async fn run(&self, tx: &mut dyn Transaction) -> Result<(usize, u64)> {
        tx.erase_aged(&self.tenant, self.before, POSITIONS_AT_ONCE)
            .await
    }
}

#[derive(Debug, Clone)]
struct ForgetIdle {
    tenant: Id,
    before: Timestamp,
}

#[async_trait]
impl Unit for ForgetIdle {
    /// How many conversations were gone through, and how many forgotten.
    type Output = (usize, u64);

    async fn run(&self, tx: &mut dyn Transaction) -> Result<(usize, u64)> {
        tx.forget_idle(&self.tenant, self.before, CONVERSATIONS_AT_ONCE)
            .await
    }
}
