//! Calls of administrators by callers who are none, recorded. The record is never shortened, so whoever holds any key
//! could fill the disk with it: of each caller and method, one is recorded in a while. All of them are in the metrics.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Admin, act::Recorded};
use crate::domain::{Error, Id, Identity, Timestamp, administration::AuditRecord};

/// Who was recorded last, and when: by tenant, caller and method.
pub(super) type Refusals = Mutex<HashMap<(Id, Id, String), Timestamp>>;

impl Admin {
    /// Records that `method` was refused, before anything was read of it. Goes on when nobody waits any more.
    pub async fn refused(self: &Arc<Self>, identity: &Identity, method: &str, error: &Error) {
        if !self.is_to_be_recorded(identity, method) {
            return;
        }
        let record = AuditRecord {
            tenant: identity.tenant.clone(),
            caller: identity.caller.clone(),
            credential: identity.credential.clone(),
            action: method.to_owned(),
            target: String::new(),
            detail: "{}".to_owned(),
            refused: Some((self.parts.reason)(error)),
        };
        let admin = Arc::clone(self);
        let recording = tokio::spawn(async move {
            let unit = Recorded::only(record);
            admin.parts.committer.submit(unit).await
        });
        let why = match recording.await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(fault) => fault.to_string(),
        };
        tracing::error!(why, caller = %identity.caller, method, "a refused call could not be recorded");
        self.recorded().remove(&key(identity, method));
    }

    fn is_to_be_recorded(&self, identity: &Identity, method: &str) -> bool {
        let (now, every) = (
            self.parts.clock.now(),
            self.parts.declared.admin.refusals_recorded_every,
        );
        let mut recorded = self.recorded();
        let is_recent = |at: &Timestamp| now.since(*at) < every;
        let key = key(identity, method);
        if recorded.get(&key).is_some_and(is_recent) {
            return false;
        }
        // Callers come and go.
        recorded.retain(|_, at| is_recent(at));
        recorded.insert(key, now);
        true
    }

    fn recorded(&self) -> std::sync::MutexGuard<'_, HashMap<(Id, Id, String), Timestamp>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(identity: &Identity, method: &str) -> (Id, Id, String) {
    let Identity { tenant, caller, .. } = identity;
    (tenant.clone(), caller.clone(), method.to_owned())
}
