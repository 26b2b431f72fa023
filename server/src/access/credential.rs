//! One key, or a caller's certificates, as long as it counts.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use tokio_util::sync::CancellationToken;

use super::{
    key::{Digest, KeyId},
    limits::Meters,
};
use crate::domain::{Id, Identity, Scopes, Timestamp};

/// What a call was let in with. Handed out for every call, so that a stream learns when it no longer counts.
#[derive(Debug)]
pub struct Credential {
    pub identity: Identity,
    /// What its calls count on.
    pub meters: Meters,
    pub(super) key: Option<Known>,
    life: Arc<Life>,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub id: KeyId,
    pub digest: Digest,
    pub expires_at: Option<Timestamp>,
}

/// What goes on when the same credential is known anew, for example with one more scope.
#[derive(Debug, Default)]
struct Life {
    ended: CancellationToken,
    /// The same, to be read without a lock.
    over: AtomicBool,
    /// What it may do from then on, where it ended only because that is less.
    left: OnceLock<Scopes>,
    /// Microseconds; 0 is never.
    used: AtomicI64,
    /// The use that was written down last.
    noted: AtomicI64,
}

impl Credential {
    pub(super) fn new(identity: Identity, meters: Meters, key: Option<Known>) -> Self {
        Self {
            identity,
            meters,
            key,
            life: Arc::default(),
        }
    }

    /// Takes over the life of `before`, unless that is something else or was allowed more: then streams that it opened
    /// must end.
    pub(super) fn continuing(mut self, before: Option<&Arc<Self>>) -> Self {
        if let Some(before) = before.filter(|before| self.continues(before)) {
            self.life = Arc::clone(&before.life);
        }
        self
    }

    fn continues(&self, before: &Self) -> bool {
        let (new, old) = (self.identity.scopes, before.identity.scopes);
        self.is_same_as(before) && old.iter().all(|scope| new.allows(scope)) && !before.is_over()
    }

    /// Whether it is the same key, or the same name in a certificate, of the same caller, whatever that may do.
    fn is_same_as(&self, before: &Self) -> bool {
        let (new, old) = (&self.identity, &before.identity);
        let same_key = match (&self.key, &before.key) {
            (Some(new), Some(old)) => new.digest.is(&old.digest),
            (None, None) => true,
            _ => false,
        };
        same_key && new.tenant == old.tenant && new.caller == old.caller
    }

    /// Told once it no longer counts. Streams end then.
    pub fn ended(&self) -> &CancellationToken {
        &self.life.ended
    }

    /// Whether it no longer counts.
    pub fn is_over(&self) -> bool {
        self.life.over.load(Ordering::Acquire)
    }

    /// What it may do since it ended, where that is all that changed.
    pub fn left(&self) -> Option<Scopes> {
        self.life.left.get().copied()
    }

    pub fn tenant(&self) -> Id {
        self.identity.tenant.clone()
    }

    /// Ends it, unless what counts `now` in its place goes on with its life.
    pub(super) fn end_unless_continued_by(&self, now: Option<&Self>) {
        if now.is_some_and(|now| Arc::ptr_eq(&now.life, &self.life)) {
            return;
        }
        if let Some(same) = now.filter(|now| now.is_same_as(self)) {
            // Before it ends, so that whoever learns of the end can read why.
            let _ = self.life.left.set(same.identity.scopes);
        }
        self.end();
    }

    pub(super) fn end(&self) {
        self.life.over.store(true, Ordering::Release);
        self.life.ended.cancel();
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        let expires_at = self.key.and_then(|key| key.expires_at);
        expires_at.is_some_and(|at| at <= now)
    }

    pub(super) fn used(&self, now: Timestamp) {
        self.life.used.store(now.0, Ordering::Relaxed);
    }

    /// The last use, if it is to be written down: there was one since, and the last note is old enough.
    pub(super) fn use_to_note(&self, at_most_every: std::time::Duration) -> Option<Timestamp> {
        let used = Timestamp(self.life.used.load(Ordering::Relaxed));
        let noted = Timestamp(self.life.noted.load(Ordering::Relaxed));
        let due = used > noted && (noted.0 == 0 || used.since(noted) >= at_most_every);
        due.then(|| {
            self.life.noted.store(used.0, Ordering::Relaxed);
            used
        })
    }
}
