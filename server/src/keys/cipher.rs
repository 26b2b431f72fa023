//! One key and what it does: XChaCha20-Poly1305, a fresh nonce for each text, and the place where the text stands as
//! associated data, so that a row moved elsewhere does not open.

use std::{cell::RefCell, fmt};

use chacha20poly1305::{
    AeadInOut, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Tag, inout::InOutBuf},
};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce: so many that random ones never meet.
const NONCE_BYTES: usize = 24;
/// Nonces that are drawn together: asking the operating system costs more than the bytes do.
const NONCES_AT_ONCE: usize = 64;
/// Bytes of what proves that nothing was changed.
const TAG_BYTES: usize = 16;

/// Where a sealed text stands: table, row and column.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub table: &'static str,
    pub row: &'a str,
    pub column: &'static str,
}

impl Place<'_> {
    /// Tables and columns are our own words, so the bars say where each part ends.
    fn bytes(&self) -> Vec<u8> {
        [self.table, "|", self.row, "|", self.column]
            .concat()
            .into_bytes()
    }
}

/// The text was sealed under another key or for another place, or it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not open: another key, another place, or changed bytes")]
pub struct Unopened;

/// A key ready for use; wiped from memory when it is dropped.
pub(super) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Nonce, then the text, then the proof.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce());
        sealed.extend_from_slice(plain);
        let (nonce, text) = sealed.split_at_mut(NONCE_BYTES);
        let nonce: XNonce = (&*nonce).try_into().expect("the nonce was put there");
        let tag = self
            .0
            .encrypt_inout_detached(&nonce, &place.bytes(), InOutBuf::from(text))
            .expect("no text that fits into memory is too long");
        sealed.extend_from_slice(&tag);
        sealed
    }

    pub(super) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES).ok_or(Unopened)?;
        let end = rest.len().checked_sub(TAG_BYTES).ok_or(Unopened)?;
        let (text, tag) = rest.split_at(end);
        let nonce: XNonce = nonce.try_into().map_err(|_| Unopened)?;
        let tag: Tag<XChaCha20Poly1305> = tag.try_into().map_err(|_| Unopened)?;
        let mut plain = Zeroizing::new(text.to_vec());
        let buffer = InOutBuf::from(plain.as_mut_slice());
        self.0
            .decrypt_inout_detached(&nonce, &place.bytes(), buffer, &tag)
            .map_err(|_| Unopened)?;
        Ok(plain)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}

/// What was drawn and not used yet. A nonce is no secret, and none is handed out twice.
struct Drawn {
    nonces: [[u8; NONCE_BYTES]; NONCES_AT_ONCE],
    left: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const {
        RefCell::new(Drawn { nonces: [[0; NONCE_BYTES]; NONCES_AT_ONCE], left: 0 })
    };
}

/// A fresh random one.
fn nonce() -> [u8; NONCE_BYTES] {
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.left == 0 {
            fill(drawn.nonces.as_flattened_mut());
            drawn.left = NONCES_AT_ONCE;
        }
        drawn.left -= 1;
        drawn.nonces[drawn.left]
    })
}

/// Bytes from the operating system's source of randomness.
pub fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    fill(&mut bytes);
    bytes
}

fn fill(bytes: &mut [u8]) {
    // It fails only where there is no such source at all, and without one nothing can be sealed.
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
