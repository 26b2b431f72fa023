//! Which slot an event belongs to. Kept positions depend on it, so it is never changed.

use std::hash::Hasher;

use crate::domain::{ConversationKey, Id};

/// How many slots a subscription has. More members than that leave some of them without work.
pub const SLOTS: u16 = 64;

/// The slot of a conversation; of what belongs to none, the slot of its account or else of its agent.
pub fn slot_of(conversation: Option<&ConversationKey>, account: Option<&Id>, agent: &Id) -> u16 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    match (conversation, account) {
        (Some(key), _) => {
            hash.write(key.account.as_str().as_bytes());
            hash.write(&[0]);
            hash.write(key.id.as_str().as_bytes());
        }
        (None, Some(account)) => hash.write(account.as_str().as_bytes()),
        (None, None) => hash.write(agent.as_str().as_bytes()),
    }
    let sum = hash.finish();
    // Folded, because the lowest bits alone depend on little of the text.
    let folded = (sum ^ sum >> 32) % u64::from(SLOTS);
    u16::try_from(folded).unwrap_or_default()
}

/// FNV-1a: the same on every machine and in every version.
pub(super) struct Fnv(pub u64);

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

    fn slot(account: &str, id: &str) -> u16 {
        let key = ConversationKey {
            tenant: Id::trusted("default"),
            account: Id::trusted(account),
            id: Id::trusted(id),
        };
        slot_of(Some(&key), None, &Id::trusted("bot"))
    }

    /// A kept position belongs to a slot: were this to change, events would be lost or come twice.
    #[test]
    fn slots_are_what_they_always_were() {
        let found: Vec<_> = (0..8).map(|n| slot("demo", &format!("c-{n}"))).collect();
        assert_eq!(found, [22, 25, 48, 35, 34, 21, 12, 63]);
    }

    #[test]
    fn conversations_spread_over_all_slots() {
        let mut counts = [0; SLOTS as usize];
        for number in 0..6400 {
            counts[usize::from(slot("demo", &format!("order-{number}")))] += 1;
        }
        assert!(counts.iter().all(|count| (50..200).contains(count)));
    }
}
