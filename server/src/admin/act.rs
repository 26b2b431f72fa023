//! One act: decided on a draft, checked as a whole, committed with its record, and only then counting.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Admin, apply::Applied, kept::Draft};
use crate::{
    access::KeyId,
    config::managed::without_place,
    domain::{
        Error, Id, Identity, Result,
        administration::{ActRefused, AuditRecord, Change},
        identity::is_object_name,
        ports::{Transaction, Unit},
    },
};

/// Paths that are recorded of one act: enough to tell what it was about.
const MAX_PATHS: usize = 16;
/// Bytes of the longest of them.
const MAX_PATH_BYTES: usize = 128;
/// Bytes of what is recorded beside the target: entries stay for good.
const MAX_DETAIL_BYTES: usize = 8 * 1024;

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

    /// The first few of what is known: all else is text of the caller's choice.
    pub fn paths<'a>(
        self,
        key: &str,
        paths: impl IntoIterator<Item = &'a String>,
        is_known: impl Fn(&str) -> bool,
    ) -> Self {
        let known = paths.into_iter();
        let known = known.filter(|path| is_plain(path) && is_known(path));
        let known: Vec<Value> = known.take(MAX_PATHS).cloned().map(Value::from).collect();
        self.with(key, known)
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
        AuditRecord {
            tenant: self.identity.tenant.clone(),
            caller: self.identity.caller.clone(),
            credential: self.identity.credential.clone(),
            action: self.action.to_owned(),
            target: Some(self.target.clone())
                .filter(|target| is_target(target))
                .unwrap_or_default(),
            detail: shortened(detail),
            refused,
        }
    }
}

/// A setting whose path is known may have any text in brackets, except behind its end, where a list has its number.
pub(super) fn is_plain(path: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    path.len() <= MAX_PATH_BYTES && without_place(path).chars().all(is_fine)
}

/// Whether it names what there could be.
fn is_target(target: &str) -> bool {
    match target.split_once('/') {
        Some(("accounts", name)) => Id::parse("account", name).is_ok(),
        Some(("keys", id)) => KeyId::parse(id).is_some(),
        Some((_, name)) => is_object_name(name),
        None => false,
    }
}

fn shortened(mut detail: Value) -> String {
    let text = detail.to_string();
    if text.len() <= MAX_DETAIL_BYTES {
        return text;
    }
    if let Some(settings) = detail.get_mut("settings") {
        *settings = json!({ "bytes": settings.to_string().len() });
    }
    let shorter = detail.to_string();
    if shorter.len() <= MAX_DETAIL_BYTES {
        return shorter;
    }
    json!({ "bytes": text.len() }).to_string()
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
        let acting = self.acting.lock().await;
        self.follow_within(&acting).await?;
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
