//! Everything that is known of a subscription's work, and the indexes by which it is found.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Entry, HeldBack, Policy, SLOTS, State, WhenParked, changes::Touched};
use crate::domain::{ConversationKey, Id, Position, Timestamp};

/// Who has the slots, and who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// As many as there are slots.
    pub slots: Vec<Slot>,
    pub members: BTreeMap<Id, Member>,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub holder: Option<Id>,
    /// Who gets it once nothing of it is in flight.
    pub next: Option<Id>,
    /// Grows whenever the lease moves, so that what was handed out before is told apart.
    pub token: u64,
    /// Everything up to here was handed out, is held back or is of no concern.
    pub read: Position,
}

/// One member that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Tells two streams with one member id apart.
    pub session: u64,
    /// It comes for events, call by call, and its lease lives by time alone.
    pub pulls: bool,
    pub max_in_flight: u32,
    /// When its leases end unless they are renewed.
    pub until: Timestamp,
}

/// The work of one subscription.
#[derive(Debug)]
pub struct Group {
    pub policy: Policy,
    pub core: Core,
    /// Unfinished events and conversations that are held back, at most: above that nothing new is handed out.
    pub max_pending: usize,
    pub(super) entries: BTreeMap<Position, Entry>,
    pub(super) held_back: BTreeMap<ConversationKey, HeldBack>,
    pub(super) touched: Touched,
    pub(super) index: Index,
}

/// Where things are. Made from the entries, never kept.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// In flight or waiting, without questions.
    pub lines: HashMap<ConversationKey, BTreeSet<Position>>,
    pub parked: BTreeSet<Position>,
    pub parked_in: HashMap<ConversationKey, BTreeSet<Position>>,
    pub waiting: BTreeSet<(Timestamp, Position)>,
    /// In flight with an end of its own.
    pub timed: BTreeSet<(Timestamp, Position)>,
    pub asked: BTreeSet<Position>,
    /// In flight or waiting.
    pub undone: BTreeSet<Position>,
    /// In flight, without questions.
    pub of_member: HashMap<Id, usize>,
    pub of_slot: HashMap<u16, usize>,
}

impl Core {
    /// Nobody is there; everything after `start` is to be read.
    pub fn begin(start: Position) -> Self {
        let slot = Slot {
            holder: None,
            next: None,
            token: 1,
            read: start,
        };
        Self {
            slots: vec![slot; usize::from(SLOTS)],
            members: BTreeMap::new(),
        }
    }
}

impl Group {
    pub fn new(
        policy: Policy,
        core: Core,
        max_pending: usize,
        entries: impl IntoIterator<Item = Entry>,
        held_back: impl IntoIterator<Item = (ConversationKey, HeldBack)>,
    ) -> Self {
        let mut group = Self {
            policy,
            core,
            max_pending,
            entries: BTreeMap::new(),
            held_back: held_back.into_iter().collect(),
            touched: Touched::default(),
            index: Index::default(),
        };
        for entry in entries {
            group.index.add(&entry);
            group.entries.insert(entry.position, entry);
        }
        group
    }

    pub(super) fn slot(&self, slot: u16) -> &Slot {
        &self.core.slots[usize::from(slot)]
    }

    pub(super) fn slot_mut(&mut self, slot: u16) -> &mut Slot {
        &mut self.core.slots[usize::from(slot)]
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let position = entry.position;
        self.index.add(&entry);
        self.touched.entries.insert(position);
        self.entries.insert(position, entry);
    }

    pub(super) fn remove(&mut self, position: Position) -> Option<Entry> {
        let entry = self.entries.remove(&position)?;
        self.index.remove(&entry);
        self.touched.entries.insert(position);
        Some(entry)
    }

    pub(super) fn change(&mut self, position: Position, change: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.remove(position) {
            change(&mut entry);
            self.add(entry);
        }
    }

    pub(super) fn hold_back(&mut self, key: &ConversationKey, held: Option<HeldBack>) {
        self.touched.held_back.insert(key.clone());
        match held {
            Some(held) => self.held_back.insert(key.clone(), held),
            None => self.held_back.remove(key),
        };
    }

    /// Whether the slot's reading has come past an event.
    pub(super) fn has_passed(
        &self,
        slot: u16,
        conversation: Option<&ConversationKey>,
        position: Position,
    ) -> bool {
        match conversation.and_then(|key| self.held_back.get(key)) {
            Some(held) => position <= held.through,
            None => position <= self.slot(slot).read,
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.entries.len() + self.held_back.len()
    }

    /// Nothing new is handed out before something is done.
    pub fn is_full(&self) -> bool {
        self.pending() >= self.max_pending
    }

    /// Nothing at or before this is still to be done. What is parked and blocks nothing is set aside.
    pub fn done_through(&self) -> Position {
        let before = |position: &Position| Position(position.0.saturating_sub(1));
        let read = self.core.slots.iter().map(|slot| slot.read);
        let undone = self.index.undone.first().map(before);
        let parked = match self.policy.when_parked {
            WhenParked::Block => self.index.parked.first().map(before),
            WhenParked::Release => None,
        };
        let held = self.held_back.values().filter_map(|held| held.from);
        let held = held.map(|from| before(&from));
        let all = read.chain(undone).chain(parked).chain(held);
        all.min().unwrap_or_default()
    }

    /// When something is due by time next, after `seen`, unless something else happens before. What was due by then was
    /// looked at; it waits for something else.
    pub fn next_due(&self, seen: Timestamp) -> Option<Timestamp> {
        let begin = (seen, Position(u64::MAX));
        let waiting = self.index.waiting.range(begin..).next();
        let timed = self.index.timed.range(begin..).next();
        let members = self.core.members.values().map(|member| member.until);
        let asked = self
            .index
            .asked
            .iter()
            .filter_map(|at| self.entries.get(at));
        let asked = asked.filter_map(|entry| entry.asked.as_ref());
        let asked = asked.flat_map(|asked| [asked.moves_at, asked.respond_by]);
        let later = members.chain(asked).filter(|at| *at > seen).min();
        let indexed = [waiting, timed].into_iter().flatten().map(|(at, _)| *at);
        indexed.chain(later).min()
    }

    /// How many events a member has, without questions.
    pub fn in_flight_of(&self, member: &Id) -> usize {
        self.index.of_member.get(member).copied().unwrap_or(0)
    }

    /// Whether an event is still where it was when it was handed out like this.
    pub fn is_in_flight(&self, ack: super::AckId, attempt: u32) -> bool {
        self.entries.get(&ack.position).is_some_and(|entry| {
            entry.attempt == attempt
                && entry.token == ack.token
                && matches!(entry.state, State::InFlight { .. })
        })
    }

    /// Drops what is done and was come past: others may have marked it done.
    pub fn sweep(&mut self) {
        let done = self.entries.values().filter(|entry| {
            let key = entry.conversation.as_ref();
            entry.state == State::Done && self.has_passed(entry.slot, key, entry.position)
        });
        let done: Vec<_> = done.map(|entry| entry.position).collect();
        for position in done {
            self.remove(position);
        }
    }
}

impl Index {
    fn add(&mut self, entry: &Entry) {
        let position = entry.position;
        match &entry.state {
            State::Done => return,
            State::Parked { .. } => {
                self.parked.insert(position);
                if let Some(key) = &entry.conversation {
                    let parked = self.parked_in.entry(key.clone()).or_default();
                    parked.insert(position);
                }
                return;
            }
            State::InFlight { member, until } => {
                self.timed.extend(until.map(|until| (until, position)));
                if entry.asked.is_none() {
                    *self.of_member.entry(member.clone()).or_default() += 1;
                    *self.of_slot.entry(entry.slot).or_default() += 1;
                }
            }
            State::Waiting { due } => {
                self.waiting.insert((*due, position));
            }
        }
        self.undone.insert(position);
        match (&entry.asked, &entry.conversation) {
            (Some(_), _) => {
                self.asked.insert(position);
            }
            (None, Some(key)) => {
                self.lines.entry(key.clone()).or_default().insert(position);
            }
            (None, None) => {}
        }
    }

    fn remove(&mut self, entry: &Entry) {
        let position = entry.position;
        match &entry.state {
            State::Done => return,
            State::Parked { .. } => {
                self.parked.remove(&position);
                if let Some(key) = &entry.conversation {
                    take_out(&mut self.parked_in, key, position);
                }
                return;
            }
            State::InFlight { member, until } => {
                if let Some(until) = until {
                    self.timed.remove(&(*until, position));
                }
                if entry.asked.is_none() {
                    count_down(&mut self.of_member, member);
                    count_down(&mut self.of_slot, &entry.slot);
                }
            }
            State::Waiting { due } => {
                self.waiting.remove(&(*due, position));
            }
        }
        self.undone.remove(&position);
        self.asked.remove(&position);
        if let Some(key) = &entry.conversation {
            take_out(&mut self.lines, key, position);
        }
    }
}

fn take_out(
    map: &mut HashMap<ConversationKey, BTreeSet<Position>>,
    key: &ConversationKey,
    position: Position,
) {
    if let Some(set) = map.get_mut(key) {
        set.remove(&position);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

fn count_down<K: std::hash::Hash + Eq>(map: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = map.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            map.remove(key);
        }
    }
}
