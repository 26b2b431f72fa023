//! Cursors: a position in the log as text that callers store.

use std::hash::Hasher;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::event::Position;

/// The first byte of every cursor, so that a later form can be told apart.
const VERSION: u8 = 1;
/// version, epoch (8), log id (2), position (8), checksum (4).
const BYTES: usize = 23;

/// A position of one log of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The database's identity, drawn at random when it was made.
    pub epoch: u64,
    pub log_id: u16,
    pub position: Position,
}

/// Why a text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorError {
    /// Not a cursor, or damaged.
    Malformed,
    /// Of a database with another epoch.
    OtherDatabase,
}

impl Cursor {
    /// The text that carries it to callers: 31 URL-safe characters.
    pub fn encode(self) -> String {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[9..11].copy_from_slice(&self.log_id.to_be_bytes());
        bytes[11..19].copy_from_slice(&self.position.0.to_be_bytes());
        let sum = checksum(&bytes[..19]);
        bytes[19..].copy_from_slice(&sum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of the database with this epoch.
    pub fn decode(text: &str, epoch: u64) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Malformed)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| CursorError::Malformed)?;
        if bytes[0] != VERSION || bytes[19..] != checksum(&bytes[..19]) {
            return Err(CursorError::Malformed);
        }
        let number = |range: std::ops::Range<usize>| {
            bytes[range]
                .iter()
                .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        if number(1..9) != epoch {
            return Err(CursorError::OtherDatabase);
        }
        let log_id = u16::from_be_bytes([bytes[9], bytes[10]]);
        Ok(Self {
            epoch,
            log_id,
            position: Position(number(11..19)),
        })
    }
}

/// Four bytes of FNV-1a: against slips of hand and cut-off text, not against forgery, which would gain nothing.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(bytes);
    let sum = hash.finish();
    let folded = u32::try_from((sum ^ sum >> 32) & u64::from(u32::MAX)).unwrap_or_default();
    folded.to_be_bytes()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURSOR: Cursor = Cursor {
        epoch: 7,
        log_id: 0,
        position: Position(1_000_000),
    };

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let text = CURSOR.encode();
        assert_eq!(text.len(), 31);
        assert!(
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        );
        assert_eq!(Cursor::decode(&text, 7), Ok(CURSOR));
    }

    #[test]
    fn a_cursor_of_another_database_is_refused_and_not_misread() {
        assert_eq!(
            Cursor::decode(&CURSOR.encode(), 8),
            Err(CursorError::OtherDatabase)
        );
    }

    #[test]
    fn a_damaged_cursor_is_malformed() {
        let text = CURSOR.encode();
        for at in 0..text.len() - 1 {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).expect("ascii");
            assert_eq!(
                Cursor::decode(&damaged, 7),
                Err(CursorError::Malformed),
                "{damaged}"
            );
        }
        for bad in ["", "x", &text[1..], "not a cursor at all, but a sentence"] {
            assert_eq!(Cursor::decode(bad, 7), Err(CursorError::Malformed));
        }
    }
}
