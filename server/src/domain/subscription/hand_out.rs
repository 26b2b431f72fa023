//! Handing out: what was read for the first time, what was held back, what comes again. A hand-out is counted here, in
//! the transaction, before a byte of it leaves.

use std::collections::BTreeMap;

use super::{AckId, Entry, Group, HeldBack, State, WhenParked};
use crate::domain::{ConversationKey, Id, Position, Timestamp};

/// Members that can be handed something by the server whose unit of work this is, each with how much.
pub type Rooms = BTreeMap<Id, usize>;

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub position: Position,
    pub conversation: Option<ConversationKey>,
}

/// What one slot has to take of a stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    pub slot: u16,
    pub token: u64,
    /// It was read from after here, which must be where the slot stands.
    pub from: Position,
    pub to: Position,
    /// What matches, in order.
    pub events: Vec<Candidate>,
}

/// More of a conversation that was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUp {
    pub slot: u16,
    pub conversation: ConversationKey,
    /// Where it was held back from.
    pub from: Position,
    /// What matches from there on, in order.
    pub events: Vec<Position>,
    /// The first one that was not read any more; absent: there was none.
    pub next: Option<Position>,
}

/// What a member is sent once this is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOut {
    pub member: Id,
    pub ack: AckId,
    pub attempt: u32,
    /// Of a question: when it moves on.
    pub moves_at: Option<Timestamp>,
}

/// What became of an event that a slot came to.
enum Met {
    Passed,
    /// The slot reads no further for now.
    Stalled,
}

impl Group {
    /// Reads a slot on.
    pub fn scan(&mut self, scan: &Scan, now: Timestamp, rooms: &mut Rooms, out: &mut Vec<HandOut>) {
        let slot = self.slot(scan.slot);
        if slot.token != scan.token || slot.read != scan.from {
            return;
        }
        for event in &scan.events {
            match self.meet(scan.slot, event, now, rooms, out) {
                Met::Passed => self.slot_mut(scan.slot).read = event.position,
                Met::Stalled => return,
            }
        }
        self.slot_mut(scan.slot).read = scan.to;
    }

    fn meet(
        &mut self,
        slot: u16,
        event: &Candidate,
        now: Timestamp,
        rooms: &mut Rooms,
        out: &mut Vec<HandOut>,
    ) -> Met {
        let key = event.conversation.as_ref();
        if let Some((key, held)) = key.and_then(|key| Some((key, *self.held_back.get(key)?))) {
            if held.from.is_none() && event.position >= held.through {
                self.hold_back(key, None);
            }
            if held.from.is_some() || event.position <= held.through {
                return Met::Passed;
            }
        }
        if let Some(entry) = self.entries.get(&event.position) {
            // A question that was handed out ahead.
            if entry.state == State::Done {
                self.remove(event.position);
            }
            return Met::Passed;
        }
        let Some(member) = self.free_holder(slot, rooms) else {
            return Met::Stalled;
        };
        if self.is_full() {
            return Met::Stalled;
        }
        match key {
            Some(key) if !self.goes_on(key, Some(now)) => {
                let held = HeldBack {
                    from: Some(event.position),
                    through: Position(event.position.0.saturating_sub(1)),
                };
                self.hold_back(key, Some(held));
            }
            _ => self.first(slot, event, &member, now, rooms, out),
        }
        Met::Passed
    }

    /// Goes on with a conversation that was held back.
    pub fn catch_up(
        &mut self,
        more: &CatchUp,
        now: Timestamp,
        rooms: &mut Rooms,
        out: &mut Vec<HandOut>,
    ) {
        let key = &more.conversation;
        let Some(mut held) = self.held_back.get(key).copied() else {
            return;
        };
        if held.from != Some(more.from) {
            return;
        }
        held.from = more.next;
        for position in &more.events {
            if let Some(entry) = self.entries.get(position) {
                if entry.state == State::Done {
                    self.remove(*position);
                }
                held.through = *position;
                continue;
            }
            let member = self
                .free_holder(more.slot, rooms)
                .filter(|_| self.goes_on(key, Some(now)));
            let Some(member) = member else {
                held.from = Some(*position);
                break;
            };
            let event = Candidate {
                position: *position,
                conversation: Some(key.clone()),
            };
            self.first(more.slot, &event, &member, now, rooms, out);
            held.through = *position;
        }
        let over = held.from.is_none() && held.through <= self.slot(more.slot).read;
        self.hold_back(key, (!over).then_some(held));
    }

    /// Conversations that were held back and could go on, at most `limit`: the slot, and from where.
    pub fn ready_to_catch_up(
        &self,
        rooms: &Rooms,
        limit: usize,
        slot_of: impl Fn(&ConversationKey) -> u16,
    ) -> Vec<(u16, ConversationKey, Position)> {
        let held = self.held_back.iter();
        let ready = held.filter_map(|(key, held)| {
            let (from, slot) = (held.from?, slot_of(key));
            self.free_holder(slot, rooms)
                .filter(|_| self.goes_on(key, None))?;
            Some((slot, key.clone(), from))
        });
        ready.take(limit).collect()
    }

    /// Hands out again what is due, each conversation one at a time and in order.
    pub fn redeliver(
        &mut self,
        now: Timestamp,
        limit: usize,
        rooms: &mut Rooms,
        out: &mut Vec<HandOut>,
    ) {
        let due = self.index.waiting.range(..=(now, Position(u64::MAX)));
        let due: Vec<_> = due.map(|(_, position)| *position).collect();
        let mut given = 0;
        for position in due {
            if given >= limit {
                return;
            }
            let Some(entry) = self.entries.get(&position) else {
                continue;
            };
            if entry.asked.is_some() || !self.is_next(entry) {
                continue;
            }
            if entry.attempt >= self.policy.max_attempts {
                self.change(position, |entry| entry.state = State::Parked { at: now });
                continue;
            }
            let Some(member) = self.free_holder(entry.slot, rooms) else {
                continue;
            };
            self.again(position, &member, now, rooms, out);
            given += 1;
        }
    }

    /// The member that a slot is leased to, if it can take something.
    fn free_holder(&self, slot: u16, rooms: &Rooms) -> Option<Id> {
        let slot = self.slot(slot);
        let holder = slot.holder.as_ref().filter(|_| slot.next.is_none())?;
        let free = rooms.get(holder).is_some_and(|room| *room > 0);
        free.then(|| holder.clone())
    }

    /// Whether a conversation may be handed out further: nothing of it is being repeated, and its window has room. To a
    /// member that pulls only what goes with one answer: of an earlier one nobody knows whether it has arrived, and what
    /// comes after it must not overtake it. `now`: more is being handed out at this moment.
    fn goes_on(&self, key: &ConversationKey, now: Option<Timestamp>) -> bool {
        if self.policy.when_parked == WhenParked::Block && self.index.parked_in.contains_key(key) {
            return false;
        }
        let Some(line) = self.index.lines.get(key) else {
            return true;
        };
        let is_fresh = |position: &Position| {
            let entry = self.entries.get(position);
            entry.is_some_and(|entry| match entry.state {
                State::InFlight { until: None, .. } => entry.attempt == 1,
                State::InFlight {
                    until: Some(until), ..
                } => {
                    entry.attempt == 1
                        && now.map(|now| now + self.policy.ack_deadline) == Some(until)
                }
                _ => false,
            })
        };
        line.len() < self.policy.window as usize && line.iter().all(is_fresh)
    }

    /// Whether it is the turn of an event that waits.
    fn is_next(&self, entry: &Entry) -> bool {
        let Some(key) = &entry.conversation else {
            return true;
        };
        let parked = self.index.parked_in.get(key).and_then(|all| all.first());
        let blocked = self.policy.when_parked == WhenParked::Block
            && parked.is_some_and(|parked| *parked < entry.position);
        let line = self.index.lines.get(key);
        let mut line = line.into_iter().flatten();
        !blocked
            && line.next() == Some(&entry.position)
            && line.all(|position| {
                let other = self.entries.get(position);
                other.is_none_or(|other| !matches!(other.state, State::InFlight { .. }))
            })
    }

    fn first(
        &mut self,
        slot: u16,
        event: &Candidate,
        member: &Id,
        now: Timestamp,
        rooms: &mut Rooms,
        out: &mut Vec<HandOut>,
    ) {
        self.add(Entry {
            position: event.position,
            slot,
            conversation: event.conversation.clone(),
            token: 0,
            attempt: 0,
            state: State::Waiting { due: now },
            asked: None,
        });
        self.again(event.position, member, now, rooms, out);
    }

    pub(super) fn again(
        &mut self,
        position: Position,
        member: &Id,
        now: Timestamp,
        rooms: &mut Rooms,
        out: &mut Vec<HandOut>,
    ) {
        let pulls = self.core.members.get(member).is_some_and(|it| it.pulls);
        let until = pulls.then(|| now + self.policy.ack_deadline);
        let tokens: Vec<u64> = self.core.slots.iter().map(|slot| slot.token).collect();
        self.change(position, |entry| {
            let token = tokens[usize::from(entry.slot)];
            entry.attempt = entry.attempt.saturating_add(1);
            entry.token = token;
            entry.state = State::InFlight {
                member: member.clone(),
                until,
            };
            if entry.asked.is_none()
                && let Some(room) = rooms.get_mut(member)
            {
                *room = room.saturating_sub(1);
            }
            out.push(HandOut {
                member: member.clone(),
                ack: AckId {
                    slot: entry.slot,
                    token,
                    position,
                },
                attempt: entry.attempt,
                moves_at: entry.asked.as_ref().map(|asked| asked.moves_at),
            });
        });
    }
}
