//! The secrets that may have signed a webhook: several at a time, so that a rotation overlaps.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use secrecy::{ExposeSecret, SecretString};

use crate::{domain::Unverified, secret::Secret};

/// Any of them counts. Each is read anew on use, so that a replaced one counts at once.
#[derive(Debug, Clone)]
pub struct Secrets(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    secret: Secret,
    /// It could not be read last time, and that was said: forged webhooks must not fill the log.
    was_told: Arc<AtomicBool>,
}

impl Secrets {
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let entries = secrets.into_iter().map(|secret| Entry {
            secret: secret.clone(),
            was_told: Arc::default(),
        });
        Self(entries.collect())
    }

    /// Whether one of them fits.
    ///
    /// # Errors
    ///
    /// What `mismatch` says when none does, [`Unverified::NoSecret`] when none can be read.
    pub fn any(
        &self,
        mut fits: impl FnMut(&str) -> bool,
        mismatch: impl FnOnce() -> Unverified,
    ) -> Result<(), Unverified> {
        let readable: Vec<SecretString> = self.0.iter().filter_map(Entry::read).collect();
        if readable.iter().any(|secret| fits(secret.expose_secret())) {
            Ok(())
        } else if readable.is_empty() {
            Err(Unverified::NoSecret)
        } else {
            Err(mismatch())
        }
    }
}

impl Entry {
    fn read(&self) -> Option<SecretString> {
        let secret = self.secret.read();
        let was_told = self.was_told.swap(secret.is_err(), Ordering::Relaxed);
        match secret {
            Ok(secret) => Some(secret),
            Err(error) => {
                if !was_told {
                    tracing::error!(%error, "a secret that webhooks are verified with cannot be read");
                }
                None
            }
        }
    }
}
