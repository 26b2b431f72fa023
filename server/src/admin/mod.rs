//! What administrators may do: objects of their tenant, secrets, callers and keys. Each act is one unit of work with its
//! record beside it, and counts at once. One act goes on at a time, so that none is checked against what another is just
//! changing.

mod accounts;
mod act;
mod apply;
mod callers;
mod declared;
mod held;
mod holding;
mod kept;
mod keys;
mod let_in;
mod objects;
mod own_limits;
mod probe;
mod record;
mod refused;
mod rotate;
mod settings;
#[cfg(test)]
mod tests;
mod view;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::{
    access::Callers,
    committer::Committer,
    config::Config,
    domain::{Clock, Error, Id, administration::AdministrationRead},
    live::{Live, Managed},
};

use kept::Kept;
use refused::Refusals;

pub use accounts::AccountChange;
pub use callers::CallerChange;
pub use objects::{Kind, ObjectChange};
pub use probe::{Tested, Verdict};
pub use rotate::Rotation;
pub use view::{AccountView, CallerView, KeyView, ObjectView, Origin, SecretView};

/// What the use cases work with.
pub struct Parts {
    pub store: Arc<dyn AdministrationRead>,
    pub committer: Committer,
    pub live: Arc<Live>,
    pub callers: Arc<Callers>,
    pub clock: Arc<dyn Clock>,
    /// The configuration, whose objects are shown and left alone.
    pub declared: Config,
    /// The word by which a refusal is recorded.
    pub reason: fn(&Error) -> &'static str,
}

/// The use cases of administrators.
pub struct Admin {
    parts: Parts,
    /// What is in the database. Whoever changes it holds `acting`.
    kept: RwLock<Arc<Kept>>,
    /// What of it counts, by tenant. Whoever changes it holds `acting`.
    counting: Mutex<BTreeMap<Id, Managed>>,
    acting: tokio::sync::Mutex<()>,
    refusals: Refusals,
    /// Whether a stored caller ever had credentials.
    closed: AtomicBool,
    /// The newest act as of which `kept` was read.
    followed: AtomicU64,
}

impl Admin {
    /// Reads what is kept and lets it count.
    ///
    /// # Errors
    ///
    /// That the database cannot be read.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Error> {
        // Before what it tells of: what is changed in between is read again.
        let newest = parts.store.newest_act().await?;
        let kept = Kept::of(parts.store.administered().await?);
        let had_keys = parts.store.had_keys().await?;
        let admin = Arc::new(Self {
            parts,
            kept: RwLock::new(Arc::new(kept)),
            counting: Mutex::default(),
            acting: tokio::sync::Mutex::default(),
            refusals: Refusals::default(),
            closed: AtomicBool::new(false),
            followed: AtomicU64::new(newest),
        });
        admin.apply_what_holds();
        admin.let_in_first(had_keys);
        admin.note_uses();
        Ok(admin)
    }

    /// Reads what is kept again if another replica has changed it, and lets it count.
    ///
    /// # Errors
    ///
    /// That the database cannot be read.
    pub async fn follow(self: &Arc<Self>) -> Result<(), Error> {
        let acting = self.acting.lock().await;
        self.follow_within(&acting).await
    }

    /// As [`Admin::follow`], by whoever holds `acting`.
    async fn follow_within(&self, _: &tokio::sync::MutexGuard<'_, ()>) -> Result<(), Error> {
        let newest = self.parts.store.newest_act().await?;
        // Relaxed: whoever changes it holds `acting`.
        if self.followed.swap(newest, Ordering::Relaxed) != newest {
            let kept = Kept::of(self.parts.store.administered().await?);
            self.keep(kept);
            self.apply_what_holds();
            self.let_in();
        }
        Ok(())
    }

    fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn counting(&self) -> MutexGuard<'_, BTreeMap<Id, Managed>> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, kept: Kept) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kept);
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}
