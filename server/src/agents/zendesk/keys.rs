//! A key and the one that was, or will be, in its place. The platform knows one at a time: making a new key ends the old
//! one at once, and nobody can change a file in that same moment.

use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::{ExposeSecret, SecretString};

use crate::secret::{Secret, SecretError};

/// Two keys, of which one is in force. Both are read anew on each use.
#[derive(Debug)]
pub(super) struct Keys {
    present: Secret,
    other: Option<Secret>,
    /// The other one worked last.
    other_works: AtomicBool,
}

/// A key as it stands now.
pub(super) struct Key {
    pub(super) text: SecretString,
    is_other: bool,
}

impl Keys {
    pub(super) fn new(present: &Secret, other: Option<&Secret>) -> Self {
        Self {
            present: present.clone(),
            other: other.cloned(),
            other_works: AtomicBool::new(false),
        }
    }

    /// One of them alone. `None`: there is no such key now.
    pub(super) fn only(&self, other: bool) -> Option<Result<SecretString, SecretError>> {
        if other {
            // It may be gone: the time in which both counted is over, or has not begun.
            self.other.as_ref()?.read().ok().map(Ok)
        } else {
            Some(self.present.read())
        }
    }

    /// The keys to show, one after the other: the one that worked last is the first.
    ///
    /// # Errors
    ///
    /// Why none of them can be read.
    pub(super) fn in_order(&self) -> Result<Vec<Key>, SecretError> {
        let present = self.present.read().map(|text| Key {
            text,
            is_other: false,
        });
        let other = self.only(true).and_then(Result::ok).map(|text| Key {
            text,
            is_other: true,
        });
        let mut keys: Vec<Key> = match (present, other) {
            (Ok(present), Some(other)) => vec![present, other],
            (Ok(present), None) => vec![present],
            (Err(_), Some(other)) => vec![other],
            (Err(error), None) => return Err(error),
        };
        if self.other_works.load(Ordering::Relaxed) {
            keys.reverse();
        }
        keys.dedup_by(|one, next| one.text.expose_secret() == next.text.expose_secret());
        Ok(keys)
    }

    /// The platform knows this key: it is shown first from now on. True: it was not before.
    pub(super) fn worked(&self, key: &Key) -> bool {
        self.other_works.swap(key.is_other, Ordering::Relaxed) != key.is_other
    }
}
