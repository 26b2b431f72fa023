//! The master keys: the first one seals, all of them open.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    cipher::{Cipher, Place, Unopened},
    line::{self, BadLine},
};

/// The name of a master key; it stands beside what the key sealed and is no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId(String);

impl MasterKeyId {
    /// 1 to 32 of `a-z 0-9 _ -`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_fine =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(is_fine);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a master key sealed.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub master_id: MasterKeyId,
    pub bytes: Vec<u8>,
}

/// Why something did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    #[error("there is no master key {0}")]
    NoKey(String),
    #[error("what the master key {0} sealed {Unopened}")]
    WrongKey(String),
}

/// The master keys of a server. There is one at least.
#[derive(Debug)]
pub struct KeyRing {
    first: Key,
    rest: Vec<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    id: MasterKeyId,
    /// Tells two keys of one id apart without keeping the key itself.
    print: [u8; 32],
    cipher: std::sync::Arc<Cipher>,
}

impl KeyRing {
    /// Reads `ID:BASE64` lines.
    ///
    /// # Errors
    ///
    /// The first line that makes no sense.
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let mut keys = line::read(text)?.into_iter().map(|(id, bytes)| Key {
            id,
            print: Sha256::digest(*bytes).into(),
            cipher: Cipher::new(&bytes).into(),
        });
        let first = keys.next().ok_or(BadLine::Empty)?;
        Ok(Self {
            first,
            rest: keys.collect(),
        })
    }

    /// The key that seals.
    pub fn sealing(&self) -> &MasterKeyId {
        &self.first.id
    }

    /// All keys; the one that seals comes first.
    pub fn ids(&self) -> impl Iterator<Item = &MasterKeyId> {
        self.keys().map(|key| &key.id)
    }

    pub fn has(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// Seals under the first key.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Sealed {
        Sealed {
            master_id: self.first.id.clone(),
            bytes: self.first.cipher.seal(place, plain),
        }
    }

    /// Opens under the key that sealed it.
    ///
    /// # Errors
    ///
    /// That there is no such key, or that it is not the one.
    pub fn open(
        &self,
        master_id: &str,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let key = self.find(master_id);
        let key = key.ok_or_else(|| NotOpened::NoKey(master_id.to_owned()))?;
        let opened = key.cipher.open(place, sealed);
        opened.map_err(|Unopened| NotOpened::WrongKey(master_id.to_owned()))
    }

    /// The same keys in the same order.
    pub fn is_same(&self, other: &Self) -> bool {
        let prints = |ring: &Self| -> Vec<_> {
            ring.keys().map(|key| (key.id.clone(), key.print)).collect()
        };
        prints(self) == prints(other)
    }

    /// An id that both have, for different keys.
    pub(super) fn contradicts(&self, other: &Self) -> Option<MasterKeyId> {
        let differs = |key: &&Key| {
            other
                .find(key.id.as_str())
                .is_some_and(|same| same.print != key.print)
        };
        self.keys().find(differs).map(|key| key.id.clone())
    }

    /// This ring, and behind it what `before` has that it lacks and `is_needed`. Answers the ids of those.
    pub(super) fn keeping(
        mut self,
        before: &Self,
        is_needed: impl Fn(&MasterKeyId) -> bool,
    ) -> (Self, Vec<MasterKeyId>) {
        let lacking = before
            .keys()
            .filter(|key| !self.has(key.id.as_str()) && is_needed(&key.id));
        let kept: Vec<Key> = lacking.cloned().collect();
        let ids = kept.iter().map(|key| key.id.clone()).collect();
        self.rest.extend(kept);
        (self, ids)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    fn find(&self, id: &str) -> Option<&Key> {
        self.keys().find(|key| key.id.as_str() == id)
    }
}
