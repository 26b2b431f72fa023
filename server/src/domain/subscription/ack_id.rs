//! What an acknowledgement names: a place handed out under one lease, as text that members send back.

use std::hash::Hasher;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    SubscriptionKey,
    slot::{Fnv, SLOTS},
};
use crate::domain::Position;

/// The first byte of every one, so that a later form can be told apart.
const VERSION: u8 = 1;
/// version, slot (2), token (8), position (8), checksum (4).
const BYTES: usize = 23;

/// A place, and the lease under which it was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckId {
    pub slot: u16,
    pub token: u64,
    pub position: Position,
}

impl AckId {
    /// The text: 31 URL-safe characters.
    pub fn encode(self, of: &SubscriptionKey, epoch: u64) -> String {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..3].copy_from_slice(&self.slot.to_be_bytes());
        bytes[3..11].copy_from_slice(&self.token.to_be_bytes());
        bytes[11..19].copy_from_slice(&self.position.0.to_be_bytes());
        let sum = checksum(&bytes[..19], of, epoch);
        bytes[19..].copy_from_slice(&sum);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None`: not one of this subscription's in this database.
    pub fn decode(text: &str, of: &SubscriptionKey, epoch: u64) -> Option<Self> {
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        if bytes[0] != VERSION || bytes[19..] != checksum(&bytes[..19], of, epoch) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| {
            let each = bytes[range].iter();
            each.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let slot = u16::from_be_bytes([bytes[1], bytes[2]]);
        (slot < SLOTS).then(|| Self {
            slot,
            token: number(3..11),
            position: Position(number(11..19)),
        })
    }
}

/// Against slips of hand and ids of another subscription, not against forgery: whoever may acknowledge at all may
/// acknowledge everything of the subscription.
fn checksum(bytes: &[u8], of: &SubscriptionKey, epoch: u64) -> [u8; 4] {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(&epoch.to_be_bytes());
    hash.write(of.tenant.as_str().as_bytes());
    hash.write(&[0]);
    hash.write(of.name.as_str().as_bytes());
    hash.write(&[0]);
    hash.write(bytes);
    let sum = hash.finish();
    let folded = u32::try_from((sum ^ sum >> 32) & u64::from(u32::MAX)).unwrap_or_default();
    folded.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Id;

    fn of(name: &str) -> SubscriptionKey {
        SubscriptionKey {
            tenant: Id::trusted("default"),
            name: Id::trusted(name),
        }
    }

    const ID: AckId = AckId {
        slot: 63,
        token: 7,
        position: Position(1_000_000),
    };

    #[test]
    fn it_comes_back_as_it_went() {
        let text = ID.encode(&of("crm"), 9);
        assert_eq!(AckId::decode(&text, &of("crm"), 9), Some(ID));
    }

    #[test]
    fn one_of_another_subscription_or_database_is_refused() {
        let text = ID.encode(&of("crm"), 9);
        assert_eq!(AckId::decode(&text, &of("erp"), 9), None);
        assert_eq!(AckId::decode(&text, &of("crm"), 8), None);
    }

    #[test]
    fn a_damaged_one_is_refused() {
        let text = ID.encode(&of("crm"), 9);
        for at in 0..text.len() - 1 {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).expect("ascii");
            assert_eq!(AckId::decode(&damaged, &of("crm"), 9), None, "{damaged}");
        }
        for bad in ["", "x", &text[1..], "no acknowledgement, but a sentence"] {
            assert_eq!(AckId::decode(bad, &of("crm"), 9), None);
        }
    }
}
