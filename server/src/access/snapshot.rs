//! All credentials at one moment, ready to be looked up.

use std::{collections::HashMap, sync::Arc};

use super::{
    credential::{Credential, Known},
    key::KeyId,
    limits::Limits,
    records::{CallerRecord, KeyRecord},
};
use crate::domain::{Id, Identity, Timestamp};

#[derive(Debug, Default)]
pub(super) struct Snapshot {
    keys: HashMap<KeyId, Entry>,
    /// By what a certificate is made out to.
    certificates: HashMap<String, Arc<Credential>>,
    callers: usize,
}

/// A key that there is.
#[derive(Debug)]
pub(super) struct Entry {
    pub credential: Arc<Credential>,
    /// Why it does not count; absent if it does.
    pub void: Option<Void>,
}

/// Why a key that there is does not count. For the log alone: whoever shows one is not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Void {
    Revoked,
    Expired,
    Disabled,
}

impl Snapshot {
    /// What the records say at `now`. What counted `before` and still does goes on; what does not any more has ended
    /// when this returns.
    pub fn new(
        callers: &[CallerRecord],
        keys: &[KeyRecord],
        limits: &Limits,
        now: Timestamp,
        before: &Self,
    ) -> Self {
        let by_name: HashMap<(&Id, &Id), &CallerRecord> = callers
            .iter()
            .map(|caller| ((&caller.tenant, &caller.name), caller))
            .collect();
        let entries = keys.iter().filter_map(|key| {
            let caller = by_name.get(&(&key.tenant, &key.caller))?;
            let old = before.keys.get(&key.id).map(|entry| &entry.credential);
            Some((key.id, entry(caller, key, limits, now, old)))
        });
        let keys = entries.collect();
        let named = callers.iter().filter(|caller| !caller.disabled);
        let certificates = named.flat_map(|caller| of_certificates(caller, limits, before));
        let new = Self {
            keys,
            certificates: certificates.collect(),
            callers: callers.len(),
        };
        before.end_what_is_not_in(&new);
        new
    }

    /// Whether nobody is named at all.
    pub fn is_empty(&self) -> bool {
        self.callers == 0
    }

    pub fn key(&self, id: KeyId) -> Option<&Entry> {
        self.keys.get(&id)
    }

    pub fn certificate(&self, name: &str) -> Option<&Arc<Credential>> {
        self.certificates.get(name)
    }

    pub fn keys(&self) -> impl Iterator<Item = &Entry> {
        self.keys.values()
    }

    /// The next moment at which a key expires that counts now.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let counting = self.keys.values().filter(|entry| entry.void.is_none());
        counting
            .filter_map(|entry| entry.credential.key.and_then(|key| key.expires_at))
            .min()
    }

    fn end_what_is_not_in(&self, new: &Self) {
        for (id, old) in &self.keys {
            let counting = new.keys.get(id).filter(|entry| entry.void.is_none());
            old.credential
                .end_unless_continued_by(counting.map(|entry| &*entry.credential));
        }
        for (name, old) in &self.certificates {
            old.end_unless_continued_by(new.certificates.get(name).map(|new| &**new));
        }
    }
}

fn entry(
    caller: &CallerRecord,
    key: &KeyRecord,
    limits: &Limits,
    now: Timestamp,
    before: Option<&Arc<Credential>>,
) -> Entry {
    let known = Known {
        id: key.id,
        digest: key.digest,
        expires_at: key.expires_at,
    };
    let credential = Credential::new(
        identity(caller, key.id.as_str()),
        limits.meters(&caller.tenant, Some((&caller.name, caller.limits))),
        Some(known),
    );
    let credential = Arc::new(credential.continuing(before));
    let void = if key.revoked {
        Some(Void::Revoked)
    } else if caller.disabled {
        Some(Void::Disabled)
    } else if credential.is_expired(now) {
        Some(Void::Expired)
    } else {
        None
    };
    Entry { credential, void }
}

/// Each name has a life of its own, so that taking one away ends the streams of that one alone.
fn of_certificates<'a>(
    caller: &'a CallerRecord,
    limits: &'a Limits,
    before: &'a Snapshot,
) -> impl Iterator<Item = (String, Arc<Credential>)> + 'a {
    caller.certificates.iter().map(|name| {
        let meters = limits.meters(&caller.tenant, Some((&caller.name, caller.limits)));
        let credential = Credential::new(identity(caller, name), meters, None);
        let credential = credential.continuing(before.certificates.get(name));
        (name.clone(), Arc::new(credential))
    })
}

fn identity(caller: &CallerRecord, credential: &str) -> Identity {
    Identity {
        tenant: caller.tenant.clone(),
        caller: caller.name.clone(),
        credential: Id::trusted(credential),
        scopes: caller.scopes,
    }
}
