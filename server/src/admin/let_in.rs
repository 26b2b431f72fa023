//! Whom of the stored callers the guard lets in; and when nobody is let in without credentials any more.

use std::sync::atomic::Ordering;

use super::{
    Admin, callers,
    kept::{Draft, Kept},
};
use crate::{
    access::{CallerRecord, Digest, KeyId, KeyRecord},
    domain::{
        Error, Id, Result, Scope, Timestamp,
        administration::{ActRefused, ResourceKind},
    },
};

impl Admin {
    /// Hands callers and keys to the guard. Until one of them has credentials, or the configuration declares somebody,
    /// they are not handed on: the first caller would lock its maker out before it has a key. From then on nobody is let
    /// in without credentials again, also when all of them are gone.
    pub(super) fn let_in(&self) {
        let kept = self.kept();
        if has_credentials(&kept) {
            self.close();
        }
        if self.is_closed() || !self.parts.declared.callers.is_empty() {
            let (callers, keys) = self.records(&kept);
            self.parts.callers.replace_stored(callers, keys);
        }
    }

    /// At the start: also tells whoever runs the server how to get in again, and what counts no longer.
    pub(super) fn let_in_first(&self, had_keys: bool) {
        if had_keys {
            self.close();
        }
        self.let_in();
        let kept = self.kept();
        let callers = kept.of_kind(ResourceKind::Caller);
        let named = callers.map(|caller| (&caller.key.tenant, &caller.key.name));
        for (tenant, caller) in named.filter(|(tenant, name)| self.is_shadowed(tenant, name)) {
            tracing::warn!(
                %tenant, %caller,
                "the configuration declares a caller of this name: what administrators made of it counts no longer; \
                 `parloir admin keys list` shows the keys that are left, to be revoked"
            );
        }
        if self.is_closed() && !self.has_any_admin(&kept, self.parts.clock.now()) {
            tracing::error!(
                "nobody can administrate: there were keys of callers, so nobody is let in without one, and none that counts \
                 has the scope admin; declare a caller with that scope and a key in [[callers]] (`parloir new-key` makes \
                 one), then let it make others"
            );
        }
    }

    /// Refuses the first credentials to anybody but an administrator: everybody would be locked out with them.
    pub(super) fn check_first_credentials(&self, draft: &Draft) -> Result<()> {
        let is_open = self.parts.declared.callers.is_empty() && !self.is_closed();
        if is_open && has_credentials(&draft.kept) && !self.has_any_admin(&draft.kept, draft.now) {
            return Err(Error::Act(ActRefused::FirstCallerNotAdmin));
        }
        Ok(())
    }

    fn close(&self) {
        if !self.closed.swap(true, Ordering::SeqCst) {
            self.parts.callers.close();
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn has_any_admin(&self, kept: &Kept, now: Timestamp) -> bool {
        let mut declared = self.parts.declared.callers.iter();
        let is_admin = |name: &String| Scope::from_name(name) == Some(Scope::Admin);
        declared.any(|caller| caller.scopes.iter().any(is_admin))
            || kept
                .tenants()
                .iter()
                .any(|tenant| self.has_admin(kept, tenant, now))
    }

    /// The scopes of a declared caller are not for a stored key, so what has the name of one counts no longer.
    fn is_shadowed(&self, tenant: &Id, name: &Id) -> bool {
        self.is_declared(tenant, ResourceKind::Caller, name.as_str())
    }

    fn records(&self, kept: &Kept) -> (Vec<CallerRecord>, Vec<KeyRecord>) {
        let callers = kept.of_kind(ResourceKind::Caller).map(callers::record);
        let callers = callers.filter(|one| !self.is_shadowed(&one.tenant, &one.name));
        let keys = kept.all_keys().iter();
        let keys = keys.filter(|key| !self.is_shadowed(&key.tenant, &key.caller));
        let keys = keys.filter_map(|key| {
            Some(KeyRecord {
                id: KeyId::parse(key.id.as_str())?,
                digest: Digest::from_bytes(key.digest.as_slice().try_into().ok()?),
                tenant: key.tenant.clone(),
                caller: key.caller.clone(),
                expires_at: key.expires_at,
                revoked: key.revoked_at.is_some(),
            })
        });
        (callers.collect(), keys.collect())
    }
}

/// Also keys that count no more: nobody gets in again without one because the last has expired.
fn has_credentials(kept: &Kept) -> bool {
    let mut callers = kept.of_kind(ResourceKind::Caller).map(callers::record);
    !kept.all_keys().is_empty() || callers.any(|caller| !caller.certificates.is_empty())
}
