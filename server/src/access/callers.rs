//! The live registry of callers: what was configured and what was stored, looked up on every call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    configured::Configured,
    credential::Credential,
    key::{Digest, KeyId, Pepper, id_in},
    limits::Limits,
    records::{CallerRecord, KeyRecord},
    refused::RefusedCalls,
    snapshot::{Snapshot, Void},
};
use crate::{
    config::LoggingConfig,
    domain::{Clock, Identity, Timestamp},
};

/// How often key files are looked at, expired keys ended and uses noted: streams of a key that no longer counts end
/// within two seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often one key's last use is written down at most.
const NOTE_EVERY: Duration = Duration::from_mins(1);

/// Writes a stored key's last use down.
pub type NoteUse = Box<dyn Fn(KeyId, Timestamp) + Send + Sync>;

/// Who is let in without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymous {
    /// Nobody.
    Never,
    /// Everybody, as long as no caller was ever named.
    UntilCallersAreNamed,
    /// Everybody. Credentials that are shown must be right all the same.
    Always,
}

/// Why credentials do not count. Which of the reasons it is stands in the log, with the key's id, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// All callers and their keys.
pub struct Callers {
    pepper: Pepper,
    clock: Arc<dyn Clock>,
    anonymous: Anonymous,
    limits: Arc<Limits>,
    live: RwLock<Arc<Live>>,
    known: Mutex<Known>,
    refused: RefusedCalls,
}

#[derive(Debug)]
struct Live {
    snapshot: Snapshot,
    anonymous: Option<Arc<Credential>>,
}

#[derive(Default)]
struct Known {
    configured: Configured,
    /// The keys that stood in the configured places when they were looked at last.
    configured_keys: Vec<KeyRecord>,
    stored: (Vec<CallerRecord>, Vec<KeyRecord>),
    closed: bool,
    note: Option<NoteUse>,
}

impl Callers {
    /// With the configured callers alone, whose keys are read now.
    pub fn new(
        pepper: Pepper,
        anonymous: Anonymous,
        configured: Configured,
        limits: Arc<Limits>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let per_minute = LoggingConfig::default().refused_calls;
        let callers = Self {
            refused: RefusedCalls::new(Arc::clone(&clock), per_minute),
            pepper,
            clock,
            limits,
            anonymous,
            live: RwLock::new(Arc::new(Live {
                snapshot: Snapshot::default(),
                anonymous: None,
            })),
            known: Mutex::new(Known {
                configured,
                ..Known::default()
            }),
        };
        callers.look(true);
        callers
    }

    /// With so many lines a minute about the refused calls of one key.
    #[must_use]
    pub fn telling(mut self, per_minute: u32) -> Self {
        self.refused.set_lines(per_minute);
        self
    }

    /// Nobody is named, and everybody is let in.
    pub fn open(clock: Arc<dyn Clock>) -> Self {
        Self::new(
            Pepper::of_this_process(),
            Anonymous::Always,
            Configured::default(),
            Arc::default(),
            clock,
        )
    }

    /// What is kept in the database, all of it: called at the start and after each change. What is missing no longer
    /// counts, and its streams end.
    pub fn replace_stored(&self, callers: Vec<CallerRecord>, keys: Vec<KeyRecord>) {
        let mut known = self.known();
        known.stored = (callers, keys);
        self.rebuild(&known);
    }

    /// Somebody was named once: nobody is let in any more because nobody is.
    pub fn close(&self) {
        let mut known = self.known();
        known.closed = true;
        self.rebuild(&known);
    }

    /// From now on uses of keys are handed to `note`, at most once a minute each. It must not block.
    pub fn note_uses(&self, note: NoteUse) {
        self.known().note = Some(note);
    }

    /// The digest that is kept of a new key.
    pub fn digest(&self, key: &super::Key) -> Digest {
        key.digest(&self.pepper)
    }

    /// Whether anybody is named, configured or stored.
    pub fn is_anyone_named(&self) -> bool {
        !self.live().snapshot.is_empty()
    }

    /// Whose key this is.
    pub fn by_key(&self, text: &str) -> Result<Arc<Credential>, Refused> {
        // The same work for every text, so that its time tells nothing.
        let digest = self.pepper.digest(text);
        let Some(id) = id_in(text) else {
            return Err(self.refuse("what it showed has not the form of a key"));
        };
        let live = self.live();
        let Some(entry) = live.snapshot.key(id) else {
            self.refused.of_unknown_key(id);
            return Err(Refused);
        };
        let refused = |why| {
            self.refused.of_key(id, why);
            Refused
        };
        let credential = &entry.credential;
        if !credential.key.is_some_and(|key| key.digest.is(&digest)) {
            return Err(refused("the secret is wrong"));
        }
        let now = self.clock.now();
        match entry.void {
            Some(Void::Revoked) => Err(refused("the key is revoked")),
            Some(Void::Disabled) => Err(refused("the caller is disabled")),
            Some(Void::Expired) => Err(refused("the key has expired")),
            None if credential.is_expired(now) => Err(refused("the key has expired")),
            None => {
                credential.used(now);
                Ok(Arc::clone(credential))
            }
        }
    }

    /// Whose certificate this is, by what it is made out to. It was verified by whoever read these names.
    pub fn by_certificate<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Arc<Credential>, Refused> {
        let live = self.live();
        let found = names
            .into_iter()
            .find_map(|name| live.snapshot.certificate(name));
        (found.cloned()).ok_or_else(|| self.refuse("its certificate is made out to no caller"))
    }

    /// A call is refused that shows no key. The log says why, unless it said enough.
    pub fn refuse(&self, why: &'static str) -> Refused {
        self.refused.of_nobody(why);
        Refused
    }

    /// Who shows no credentials, if that is allowed.
    pub fn without_credentials(&self) -> Option<Arc<Credential>> {
        self.live().anonymous.clone()
    }

    /// Looks at key files and at what has expired, until `stop`.
    pub async fn keep_live(self: Arc<Self>, stop: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            self.look(false);
        }
    }

    pub(super) fn look(&self, first: bool) {
        let mut known = self.known();
        let keys = known.configured.read_keys(&self.pepper);
        let changed = !same(&keys, &known.configured_keys);
        known.configured_keys = keys;
        let now = self.clock.now();
        let next_expiry = self.live().snapshot.next_expiry();
        if first || changed || next_expiry.is_some_and(|at| at <= now) {
            self.rebuild(&known);
        }
        if let Some(note) = &known.note {
            for entry in self.live().snapshot.keys() {
                let noted = entry.credential.use_to_note(NOTE_EVERY);
                if let (Some(key), Some(at)) = (entry.credential.key, noted) {
                    note(key.id, at);
                }
            }
        }
    }

    fn rebuild(&self, known: &Known) {
        let before = self.live();
        let now = self.clock.now();
        let callers = [known.stored.0.as_slice(), known.configured.callers()].concat();
        let keys = [known.stored.1.as_slice(), &known.configured_keys].concat();
        let snapshot = Snapshot::new(&callers, &keys, &self.limits, now, &before.snapshot);
        self.refused.keep(|key| snapshot.key(key).is_some());
        let is_open = match self.anonymous {
            Anonymous::Never => false,
            Anonymous::UntilCallersAreNamed => !known.closed && snapshot.is_empty(),
            Anonymous::Always => true,
        };
        let kept = before.anonymous.clone();
        let anonymous = is_open.then(|| kept.unwrap_or_else(|| self.nobody()));
        if let Some(old) = before.anonymous.as_ref().filter(|_| anonymous.is_none()) {
            old.end();
        }
        let live = Live {
            snapshot,
            anonymous,
        };
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }

    fn nobody(&self) -> Arc<Credential> {
        let identity = Identity::anonymous();
        let meters = self.limits.meters(&identity.tenant, None);
        Arc::new(Credential::new(identity, meters, None))
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(one: &[KeyRecord], other: &[KeyRecord]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| one.id == other.id && one.digest.is(&other.digest))
}

impl std::fmt::Debug for Callers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callers").finish_non_exhaustive()
    }
}
