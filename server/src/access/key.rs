//! API keys: `parloir_<id>_<secret>`, and the digest that is kept of one.
//!
//! The secret has 256 random bits, so a plain keyed hash is enough: there is nothing to guess, and the check is on every
//! call.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What every key begins with, so that scanners of repositories and logs can find one that was left there.
const PREFIX: &str = "parloir_";
/// Characters of the id.
const ID_CHARS: usize = 12;
/// Characters of the secret: 32 bytes in base64.
const SECRET_CHARS: usize = 43;
/// All characters of a key, for configuration that wants to know when one is too short.
pub const KEY_CHARS: usize = PREFIX.len() + ID_CHARS + 1 + SECRET_CHARS;

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Which key it is. No secret: it stands in logs and answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_CHARS]);

/// A whole key. Has no `Debug` that would show it.
pub struct Key {
    id: KeyId,
    text: SecretString,
}

/// What is kept of a key: HMAC-SHA-256 under the pepper over all of its text.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

/// The key of all digests, kept apart from them: a stolen table of digests can not even be tested against.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl KeyId {
    /// Reads an id; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; ID_CHARS] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(|byte| BASE32.contains(byte))
            .then_some(Self(bytes))
    }

    pub fn as_str(&self) -> &str {
        // Only ASCII gets in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Key {
    /// A fresh key. `None` if the system has no randomness to give.
    pub fn generate() -> Option<Self> {
        let (mut id, mut secret) = ([0; ID_CHARS], [0; 32]);
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut id).ok()?;
        random.fill(&mut secret).ok()?;
        let id = KeyId(id.map(|byte| BASE32[usize::from(byte % 32)]));
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let text = format!("{PREFIX}{}_{secret}", id.as_str()).into();
        Some(Self { id, text })
    }

    /// Reads a key from where an operator put it; `None` if it is none.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let id = id_in(secrecy::ExposeSecret::expose_secret(text))?;
        Some(Self {
            id,
            text: text.clone(),
        })
    }

    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The whole key, to be shown once.
    pub fn text(&self) -> &SecretString {
        &self.text
    }

    pub fn digest(&self, pepper: &Pepper) -> Digest {
        pepper.digest(secrecy::ExposeSecret::expose_secret(&self.text))
    }
}

/// The id in a text that has the form of a key; `None` if it has not.
pub fn id_in(text: &str) -> Option<KeyId> {
    let rest = text.strip_prefix(PREFIX)?;
    let (id, rest) = rest.split_at_checked(ID_CHARS)?;
    let secret = rest.strip_prefix('_')?;
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (secret.len() == SECRET_CHARS && secret.bytes().all(is_base64))
        .then(|| KeyId::parse(id))
        .flatten()
}

impl Digest {
    /// A digest as it was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same, in a time that does not tell where they differ. There is no `==` on purpose.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Pepper {
    pub fn new(bytes: &[u8; 32]) -> Self {
        // HMAC takes keys of any length.
        Self(Hmac::new_from_slice(bytes).expect("a key of any length"))
    }

    /// A pepper for this process only: enough where no digest outlives it.
    pub fn of_this_process() -> Self {
        let mut bytes = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut bytes).expect("the system has randomness");
        Self::new(&bytes)
    }

    pub fn digest(&self, text: &str) -> Digest {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        Digest(mac.finalize().into_bytes().into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_fresh_key_is_read_back_and_no_two_are_alike() {
        let (one, other) = (
            Key::generate().expect("random"),
            Key::generate().expect("random"),
        );
        assert_eq!(one.text().expose_secret().len(), KEY_CHARS);
        assert_eq!(
            Key::parse(one.text()).map(|key| key.id()),
            Some(one.id()),
            "{one:?}"
        );
        assert_ne!(one.id(), other.id());
        let pepper = Pepper::new(&[7; 32]);
        assert!(one.digest(&pepper).is(&one.digest(&pepper)));
        assert!(!one.digest(&pepper).is(&other.digest(&pepper)));
        assert!(!one.digest(&pepper).is(&one.digest(&Pepper::new(&[8; 32]))));
    }

    #[test]
    fn what_has_not_exactly_the_form_of_a_key_is_none() {
        let secret = "A".repeat(43);
        let good = format!("parloir_abcdefgh2345_{secret}");
        assert!(id_in(&good).is_some());
        for bad in [
            String::new(),
            "parloir_".into(),
            good.to_uppercase(),
            good.replace("parloir", "parlour"),
            good.replace("2345_", "2345-"),
            good.replace("2345", "0189"),
            format!("{good}A"),
            format!(" {good}"),
            good[..good.len() - 1].to_owned(),
            format!("parloir_abcdefgh2345_{}é", "A".repeat(41)),
            "parloir_abcdefgh234é_".to_owned() + &secret,
        ] {
            assert!(id_in(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_the_id_and_nothing_of_the_secret() {
        let key = Key::generate().expect("random");
        let shown = format!(
            "{key:?} {:?} {:?}",
            key.digest(&Pepper::new(&[1; 32])),
            Pepper::new(&[1; 32])
        );
        assert!(shown.contains(key.id().as_str()), "{shown}");
        assert!(
            !shown.contains(&key.text().expose_secret()[21..]),
            "{shown}"
        );
    }
}
