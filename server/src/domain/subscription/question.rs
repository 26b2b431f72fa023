//! Questions that wait for an answer: offered to one member at once, outside the window and past what is parked, and to
//! another when that one is gone or half of the time is over.

use super::{Asked, Candidate, Entry, Group, HandOut, Rooms, State};
use crate::domain::{Id, Position, Timestamp};

impl Group {
    /// Offers a question that was read ahead of the slot, unless it was offered before.
    pub fn offer(
        &mut self,
        slot: u16,
        event: &Candidate,
        (request_id, respond_by): (&Id, Timestamp),
        now: Timestamp,
        rooms: &mut Rooms,
        out: &mut Vec<HandOut>,
    ) {
        let known = self.entries.contains_key(&event.position)
            || self.has_passed(slot, event.conversation.as_ref(), event.position);
        if known || respond_by <= now {
            return;
        }
        let holder = self.slot(slot).holder.clone();
        let holder = holder.filter(|holder| rooms.contains_key(holder));
        let Some(member) = holder.or_else(|| rooms.keys().next().cloned()) else {
            return;
        };
        self.add(Entry {
            position: event.position,
            slot,
            conversation: event.conversation.clone(),
            token: 0,
            attempt: 0,
            state: State::Waiting { due: now },
            asked: Some(Asked {
                request_id: request_id.clone(),
                respond_by,
                moves_at: half(now, respond_by),
            }),
        });
        self.again(event.position, &member, now, rooms, out);
    }

    /// Offers to others what was not answered in half the time, and what nobody has any more.
    pub fn offer_again(&mut self, now: Timestamp, rooms: &mut Rooms, out: &mut Vec<HandOut>) {
        let asked: Vec<_> = self.index.asked.iter().copied().collect();
        for position in asked {
            let Some((had_by, respond_by)) = self.offered(position, now) else {
                continue;
            };
            let others = rooms
                .keys()
                .filter(|member| Some(*member) != had_by.as_ref());
            // The one with the most room is the one that does the least now.
            let best = others.max_by_key(|member| rooms.get(*member).copied());
            // Nobody else is there: whoever had it and lost it may have it again.
            let Some(member) = best.or_else(|| rooms.keys().next().filter(|_| had_by.is_none()))
            else {
                continue;
            };
            let member = member.clone();
            self.change(position, |entry| {
                if let Some(asked) = &mut entry.asked {
                    asked.moves_at = half(now, respond_by);
                }
            });
            self.again(position, &member, now, rooms, out);
        }
    }

    /// Who has a question that is to be offered to another one, and until when it can be answered.
    fn offered(&self, position: Position, now: Timestamp) -> Option<(Option<Id>, Timestamp)> {
        let entry = self.entries.get(&position)?;
        let asked = entry.asked.as_ref()?;
        if asked.respond_by <= now || entry.attempt >= self.policy.max_attempts {
            return None;
        }
        match &entry.state {
            State::Waiting { due } if *due <= now => Some((None, asked.respond_by)),
            State::InFlight { member, .. } if asked.moves_at <= now => {
                Some((Some(member.clone()), asked.respond_by))
            }
            _ => None,
        }
    }

    /// Questions whose time is over are events like others from then on, and come in their order.
    pub(super) fn end_questions(&mut self, now: Timestamp) {
        let asked = self.index.asked.iter();
        let over: Vec<_> = asked
            .filter_map(|position| {
                let entry = self.entries.get(position)?;
                let asked = entry.asked.as_ref()?;
                (asked.respond_by <= now).then_some(*position)
            })
            .collect();
        for position in over {
            let Some(entry) = self.entries.get(&position) else {
                continue;
            };
            let passed = self.has_passed(entry.slot, entry.conversation.as_ref(), position);
            if !passed && matches!(entry.state, State::Waiting { .. }) {
                // The slot comes to it in its order.
                self.remove(position);
            } else {
                self.change(position, |entry| entry.asked = None);
            }
        }
    }
}

/// Half of the time that is left.
fn half(now: Timestamp, respond_by: Timestamp) -> Timestamp {
    now + respond_by.since(now) / 2
}
