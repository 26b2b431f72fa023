//! The key of one conversation, or of what a tenant has outside of conversations.

use std::fmt;

use zeroize::Zeroizing;

use super::cipher::{Cipher, KEY_BYTES, Place, Unopened, random};

/// A data key, ready for use. At rest it stands wrapped by a master key.
pub struct DataKey {
    id: i64,
    cipher: Cipher,
}

impl DataKey {
    /// A fresh key, and its bytes, to be wrapped.
    pub fn generate() -> (Self, Zeroizing<[u8; KEY_BYTES]>) {
        let bytes = Zeroizing::new(random::<KEY_BYTES>());
        // Random and never 0, which stands for "not sealed": an id that is used up is not used again after an erasure.
        let id = (i64::from_be_bytes(random()) & i64::MAX).max(1);
        let cipher = Cipher::new(&bytes);
        (Self { id, cipher }, bytes)
    }

    /// A key that was unwrapped.
    pub fn from_bytes(id: i64, bytes: &[u8]) -> Result<Self, Unopened> {
        let bytes = bytes.try_into().map_err(|_| Unopened)?;
        Ok(Self {
            id,
            cipher: Cipher::new(bytes),
        })
    }

    /// What stands beside each text that it sealed.
    pub fn id(&self) -> i64 {
        self.id
    }

    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.cipher.seal(place, plain)
    }

    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        self.cipher.open(place, sealed)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}
