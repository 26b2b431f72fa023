//! Members come and go, and slots follow them. A slot that moves from a member that lives waits until nothing of it is
//! in flight there, so that moving makes nobody do things twice; from one that is gone it moves at once.

use std::collections::BTreeMap;

use super::{Group, Member, SLOTS, State};
use crate::domain::{Id, Timestamp};

/// A member that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    pub member: Id,
    pub as_member: Member,
}

impl Group {
    /// A member is there. One that was there before under the same name is replaced, and its leases are taken over at
    /// once, except by itself: calls that pull are one member however many servers they reach.
    pub fn join(&mut self, joining: Joining, now: Timestamp) {
        let Joining { member, as_member } = joining;
        let before = self.core.members.get(&member);
        let goes_on = before.is_some_and(|before| {
            before.session == as_member.session || (before.pulls && as_member.pulls)
        });
        if before.is_some() && !goes_on {
            self.reclaim(&member, now);
            for slot in &mut self.core.slots {
                if slot.holder.as_ref() == Some(&member) {
                    slot.token += 1;
                }
            }
        }
        self.core.members.insert(member, as_member);
    }

    /// A member's stream ended, unless a newer one has taken its place.
    pub fn leave(&mut self, member: &Id, session: u64, now: Timestamp) {
        let known = self.core.members.get(member);
        if known.is_some_and(|known| known.session == session) {
            self.remove_member(member, now);
        }
    }

    /// False: the member is not there any more, or another has taken its place.
    pub fn renew(&mut self, member: &Id, session: u64, until: Timestamp) -> bool {
        match self.core.members.get_mut(member) {
            Some(known) if known.session == session => {
                known.until = known.until.max(until);
                true
            }
            _ => false,
        }
    }

    /// What follows from the time: leases that end, pulled events that were not acknowledged, questions that are over.
    /// Then slots are given to those who are there.
    pub fn tick(&mut self, now: Timestamp) {
        let members = self.core.members.iter();
        let gone: Vec<_> = members
            .filter(|(_, member)| member.until <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for member in gone {
            self.remove_member(&member, now);
        }
        let timed = self
            .index
            .timed
            .range(..=(now, crate::domain::Position(u64::MAX)));
        let timed: Vec<_> = timed.map(|(_, position)| *position).collect();
        for position in timed {
            self.fail(position, now, now);
        }
        self.end_questions(now);
        self.balance();
    }

    fn remove_member(&mut self, member: &Id, now: Timestamp) {
        self.core.members.remove(member);
        self.reclaim(member, now);
        for slot in &mut self.core.slots {
            if slot.holder.as_ref() == Some(member) {
                slot.holder = slot.next.take();
                // Whoever gets it next, what was handed out under this lease counts no more.
                slot.token += 1;
            }
            if slot.next.as_ref() == Some(member) {
                slot.next = None;
            }
        }
    }

    /// What a member had comes again.
    fn reclaim(&mut self, member: &Id, now: Timestamp) {
        let entries = self.entries.values();
        let had: Vec<_> = entries
            .filter(|entry| {
                matches!(&entry.state, State::InFlight { member: has, .. } if has == member)
            })
            .map(|entry| entry.position)
            .collect();
        for position in had {
            let used_up = self
                .entries
                .get(&position)
                .is_some_and(|entry| entry.attempt >= self.policy.max_attempts);
            self.change(position, |entry| {
                entry.state = if used_up {
                    State::Parked { at: now }
                } else {
                    State::Waiting { due: now }
                };
            });
        }
    }

    fn balance(&mut self) {
        if self.core.members.is_empty() {
            return;
        }
        let mut shares: BTreeMap<Id, usize> =
            self.core.members.keys().map(|id| (id.clone(), 0)).collect();
        for slot in &self.core.slots {
            if let Some(share) = (slot.next.as_ref().or(slot.holder.as_ref()))
                .and_then(|owner| shares.get_mut(owner))
            {
                *share += 1;
            }
        }
        for number in 0..SLOTS {
            if self.slot(number).holder.is_none()
                && let Some(least) = least(&shares)
            {
                let slot = self.slot_mut(number);
                slot.token += 1;
                slot.next = None;
                slot.holder = Some(least.clone());
                *shares.entry(least).or_default() += 1;
            }
        }
        while let (Some(most), Some(least)) = (most(&shares), least(&shares))
            && shares[&most] > shares[&least] + 1
            && self.promise(&most, &least)
        {
            *shares.entry(most).or_default() -= 1;
            *shares.entry(least).or_default() += 1;
        }
        self.hand_over();
    }

    /// One slot of `from`, or promised to it, is promised to `to`.
    fn promise(&mut self, from: &Id, to: &Id) -> bool {
        let of_slot = &self.index.of_slot;
        let slots = (0..SLOTS).zip(self.core.slots.iter_mut());
        let owned =
            slots.filter(|(_, slot)| slot.next.as_ref().or(slot.holder.as_ref()) == Some(from));
        // One that it does not have yet, or else one with nothing in flight, goes first.
        let best = owned.min_by_key(|(number, slot)| {
            let in_flight = of_slot.get(number).copied().unwrap_or(0);
            (slot.holder.as_ref() == Some(from), in_flight)
        });
        let Some((_, slot)) = best else {
            return false;
        };
        slot.next = (slot.holder.as_ref() != Some(to)).then(|| to.clone());
        true
    }

    /// Slots that are promised and have nothing in flight change hands.
    fn hand_over(&mut self) {
        for number in 0..SLOTS {
            let idle = !self.index.of_slot.contains_key(&number);
            let slot = self.slot_mut(number);
            if idle && let Some(next) = slot.next.take() {
                slot.holder = Some(next);
                slot.token += 1;
            }
        }
    }
}

fn least(shares: &BTreeMap<Id, usize>) -> Option<Id> {
    let least = shares.iter().min_by_key(|(_, share)| **share);
    least.map(|(id, _)| id.clone())
}

fn most(shares: &BTreeMap<Id, usize>) -> Option<Id> {
    let most = shares.iter().max_by_key(|(_, share)| **share);
    most.map(|(id, _)| id.clone())
}
