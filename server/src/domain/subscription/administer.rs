//! What administrators see and do.

use super::{Group, State};
use crate::domain::{ConversationKey, Position, Timestamp};

/// An event that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    pub position: Position,
    pub conversation: Option<ConversationKey>,
    pub attempt: u32,
    pub at: Timestamp,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub members: usize,
    pub in_flight: usize,
    /// They come again.
    pub waiting: usize,
    pub parked: usize,
    /// Conversations.
    pub held_back: usize,
}

impl Group {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            members: self.core.members.len(),
            held_back: self.held_back.len(),
            ..Counts::default()
        };
        for entry in self.entries.values() {
            match entry.state {
                State::InFlight { .. } => counts.in_flight += 1,
                State::Waiting { .. } => counts.waiting += 1,
                State::Parked { .. } => counts.parked += 1,
                State::Done => {}
            }
        }
        counts
    }

    /// What is parked after a position, in order.
    pub fn parked(&self, after: Position, limit: usize) -> Vec<Parked> {
        let parked = self.index.parked.range(after.next()..);
        let entries = parked.filter_map(|position| self.entries.get(position));
        let parked = entries.filter_map(|entry| match entry.state {
            State::Parked { at } => Some(Parked {
                position: entry.position,
                conversation: entry.conversation.clone(),
                attempt: entry.attempt,
                at,
            }),
            _ => None,
        });
        parked.take(limit).collect()
    }

    /// Lets what is parked and picked be handed out again, as if for the first time. Answers how much that is.
    pub fn redrive(&mut self, now: Timestamp, picked: impl Fn(&Parked) -> bool) -> usize {
        let all = self.parked(Position(0), usize::MAX);
        let picked: Vec<_> = all.into_iter().filter(picked).collect();
        for parked in &picked {
            self.change(parked.position, |entry| {
                entry.attempt = 0;
                entry.asked = None;
                entry.state = State::Waiting { due: now };
            });
        }
        picked.len()
    }

    /// Everything after `position` is to be handed out, and nothing before it. What is parked stays parked, unless it
    /// comes again anyway; whatever members have counts no more.
    pub fn move_to(&mut self, position: Position) {
        let entries = self.entries.values();
        let dropped: Vec<_> = entries
            .filter(|entry| {
                !matches!(entry.state, State::Parked { .. }) || entry.position > position
            })
            .map(|entry| entry.position)
            .collect();
        for entry in dropped {
            self.remove(entry);
        }
        let held: Vec<_> = self.held_back.keys().cloned().collect();
        for key in held {
            self.hold_back(&key, None);
        }
        for slot in &mut self.core.slots {
            slot.read = position;
            slot.token += 1;
        }
    }

    /// What the log does not hold any more is not waited for. Answers whether something was not done.
    pub fn forget_below(&mut self, floor: Position) -> bool {
        let before = Position(floor.0.saturating_sub(1));
        let mut lost = false;
        let gone: Vec<_> = self.entries.range(..floor).map(|(at, _)| *at).collect();
        for position in gone {
            let entry = self.remove(position);
            lost |= entry.is_some_and(|entry| entry.state != State::Done);
        }
        for slot in &mut self.core.slots {
            if slot.read < before {
                slot.read = before;
                lost = true;
            }
        }
        lost
    }
}
