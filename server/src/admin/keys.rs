//! Keys of callers: made, listed, revoked; and the note of when each was last used.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{Admin, act::Act, callers::is_valid, view::KeyView};
use crate::{
    access::{Key, KeyId},
    domain::{
        Error, Id, Identity, Result, Timestamp,
        administration::{ActRefused, CallerKey, Change, ResourceKind},
        ports::{Transaction, Unit},
    },
};

impl Admin {
    /// Makes a key. Its text is told this once.
    pub async fn create_key(
        self: &Arc<Self>,
        identity: &Identity,
        caller: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(KeyView, SecretString)> {
        let key = Key::generate().ok_or(Error::Internal)?;
        let act = Act::new(identity, "CreateKey", ResourceKind::Caller.target(caller))
            .with("key", key.id().as_str())
            .with("expires_at", expires_at.map(Timestamp::to_rfc3339));
        let (tenant, caller) = (identity.tenant.clone(), caller.to_owned());
        let kept = CallerKey {
            id: Id::trusted(key.id().as_str()),
            tenant: tenant.clone(),
            caller: Id::trusted(caller.as_str()),
            digest: self.parts.callers.digest(&key).as_bytes().to_vec(),
            created_at: Timestamp(0),
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let made = self.act(act, move |admin, draft| {
            admin.own(&draft.kept, &tenant, ResourceKind::Caller, &caller)?;
            if expires_at.is_some_and(|at| at <= draft.now) {
                return Err(Error::invalid("expire_time", "must be in the future"));
            }
            let limit = admin.parts.declared.admin.max_keys;
            let keys = draft.kept.keys(&tenant, &caller);
            if keys.iter().filter(|key| is_valid(key, draft.now)).count() >= limit {
                return Err(Error::Act(ActRefused::TooManyKeys { limit }));
            }
            let made = CallerKey {
                created_at: draft.now,
                ..kept
            };
            draft.save_key(made.clone());
            Ok(KeyView::of(&made))
        });
        Ok((made.await?, key.text().clone()))
    }

    /// Revokes one. Its record stays.
    pub async fn revoke_key(self: &Arc<Self>, identity: &Identity, id: &str) -> Result<KeyView> {
        let act = Act::new(identity, "RevokeKey", format!("keys/{id}"));
        let (tenant, id) = (identity.tenant.clone(), id.to_owned());
        self.act(act, move |admin, draft| {
            let mut keys = draft.kept.all_keys().iter();
            let found = keys
                .find(|key| key.tenant == tenant && key.id.as_str() == id)
                .cloned();
            let mut key = found.ok_or_else(|| Error::not_found("key", &id))?;
            if key.revoked_at.is_none() {
                let could = admin.has_admin(&draft.kept, &tenant, draft.now);
                key.revoked_at = Some(draft.now);
                draft.save_key(key.clone());
                admin.still_has_admin(could, &draft.kept, &tenant, draft.now)?;
            }
            Ok(KeyView::of(&key))
        })
        .await
    }

    /// Notes uses of keys as the guard tells them.
    pub(super) fn note_uses(self: &Arc<Self>) {
        let admin = Arc::downgrade(self);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        self.parts.callers.note_uses(Box::new(move |id, at| {
            if let Some(admin) = admin.upgrade() {
                runtime.spawn(async move { admin.key_used(id, at).await });
            }
        }));
    }

    async fn key_used(&self, id: KeyId, at: Timestamp) {
        let _acting = self.acting.lock().await;
        let mut kept = self.kept().as_ref().clone();
        kept.key_used(id.as_str(), at);
        let used = Used(Change::KeyUsed {
            id: Id::trusted(id.as_str()),
            at,
        });
        match self.parts.committer.submit(used).await {
            Ok(_) => self.keep(kept),
            Err(error) => tracing::warn!(%error, key = %id, "the use of a key could not be noted"),
        }
    }
}

/// That a key was used: no act, so it has no record.
struct Used(Change);

#[async_trait]
impl Unit for Used {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        tx.administration()?.change(&self.0).await?;
        Ok(())
    }
}
