//! One act: decided on a draft, checked as a whole, committed with its record, and only then counting.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Admin, apply::Applied, kept::Draft};
use crate::domain::{
    Error, Id, Identity, Result,
    administration::{ActRefused, AuditRecord, Change},
    ports::{Transaction, Unit},
};

/// Bytes of a target that are recorded: an id fits.
const MAX_TARGET_BYTES: usize = 300;

/// Who does what to what.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub identity: Identity,
    pub action: &'static str,
    pub target: String,
    /// What is recorded of it whether it is done or refused. No secrets.
    pub detail: Value,
    /// What is recorded of it only when it is done: in what was refused, a secret may stand anywhere.
    pub settings: Option<Value>,
}

impl Act {
    pub fn new(identity: &Identity, action: &'static str, target: String) -> Self {
        Self {
            identity: identity.clone(),
            action,
            target,
            detail: Value::Object(serde_json::Map::new()),
            settings: None,
        }
    }

    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail[key] = value.into();
        self
    }

    pub fn settings(mut self, settings: Value) -> Self {
        self.settings = Some(settings);
        self
    }

    pub fn record(&self, refused: Option<&'static str>) -> AuditRecord {
        let mut detail = self.detail.clone();
        if let Some(settings) = self.settings.as_ref().filter(|_| refused.is_none()) {
            detail["settings"] = settings.clone();
        }
        let end = self.target.floor_char_boundary(MAX_TARGET_BYTES);
        AuditRecord {
            tenant: self.identity.tenant.clone(),
            caller: self.identity.caller.clone(),
            credential: self.identity.credential.clone(),
            action: self.action.to_owned(),
            target: self.target[..end].to_owned(),
            detail: detail.to_string(),
            refused,
        }
    }
}

impl Admin {
    /// Does what `decide` makes of what is kept, or records why not. Goes on when nobody waits any more.
    pub(super) async fn act<T, F>(self: &Arc<Self>, act: Act, decide: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Self, &mut Draft) -> Result<T> + Send + 'static,
    {
        let admin = Arc::clone(self);
        let done = tokio::spawn(async move { admin.carry_out(act, decide).await });
        done.await.map_err(|fault| {
            tracing::error!(%fault, "an act of an administrator did not come to its end");
            Error::Internal
        })?
    }

    async fn carry_out<T>(
        &self,
        act: Act,
        decide: impl FnOnce(&Self, &mut Draft) -> Result<T> + Send,
    ) -> Result<T> {
        let _acting = self.acting.lock().await;
        let decided = self.decide(&act.identity.tenant, decide);
        let (output, draft, applied) = match decided {
            Ok(decided) => decided,
            Err(error) => {
                let refused = Some((self.parts.reason)(&error));
                self.commit(Vec::new(), act.record(refused)).await?;
                return Err(error);
            }
        };
        self.commit(draft.changes, act.record(None)).await?;
        self.keep(draft.kept);
        self.apply(applied);
        Ok(output)
    }

    fn decide<T>(
        &self,
        tenant: &Id,
        decide: impl FnOnce(&Self, &mut Draft) -> Result<T>,
    ) -> Result<(T, Draft, Applied)> {
        let mut draft = Draft::new(self.kept().as_ref().clone(), self.parts.clock.now());
        let output = decide(self, &mut draft)?;
        let applied = self.check(&draft, tenant)?;
        Ok((output, draft, applied))
    }

    pub(super) async fn commit(&self, changes: Vec<Change>, record: AuditRecord) -> Result<()> {
        let unit = Recorded { changes, record };
        self.parts.committer.submit(unit).await?;
        Ok(())
    }
}

/// The changes of an act, and its record.
pub(super) struct Recorded {
    changes: Vec<Change>,
    record: AuditRecord,
}

impl Recorded {
    /// A record of what changed nothing.
    pub fn only(record: AuditRecord) -> Self {
        Self {
            changes: Vec::new(),
            record,
        }
    }
}

#[async_trait]
impl Unit for Recorded {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        let administration = tx.administration()?;
        for change in &self.changes {
            if !administration.change(change).await? {
                // Somebody else has the database open.
                let what = self.record.target.clone();
                return Err(Error::Act(ActRefused::EtagMismatch { what }));
            }
        }
        administration.record_act(&self.record).await?;
        Ok(())
    }
}
