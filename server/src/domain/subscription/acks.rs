//! What members say of events, and what their silence says.

use std::time::Duration;

use super::{AckId, Group, State};
use crate::domain::{Position, Timestamp};

/// What a member says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// Hand it out again after this time.
    Retry(Duration),
    /// Set it aside.
    Park,
}

/// One acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    pub id: AckId,
    pub verdict: Verdict,
    /// It is also said of everything of its conversation that was handed out before.
    pub cumulative: bool,
}

/// What an acknowledgement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acked {
    Ok,
    /// The lease moved since: nothing changed.
    Stale,
    /// It was done before.
    DoneBefore,
}

impl Group {
    pub fn ack(&mut self, ack: &Ack, now: Timestamp) -> Acked {
        let AckId {
            slot,
            token,
            position,
        } = ack.id;
        let is_current = token == self.slot(slot).token;
        let Some(entry) = self.entries.get(&position).filter(|it| it.slot == slot) else {
            return if is_current {
                Acked::DoneBefore
            } else {
                Acked::Stale
            };
        };
        // A question may have gone to a member that does not hold the slot: moving the slot takes nothing from it.
        if !is_current && (entry.asked.is_none() || entry.token != token) {
            return Acked::Stale;
        }
        match (&entry.state, ack.verdict) {
            (State::Done, _) | (State::Parked { .. }, Verdict::Retry(_) | Verdict::Park) => {
                return Acked::DoneBefore;
            }
            (_, Verdict::Done) if ack.cumulative => self.finish_through(position),
            (_, Verdict::Done) => self.finish(position),
            (_, Verdict::Retry(after)) => self.fail(position, now + after, now),
            (_, Verdict::Park) => {
                self.change(position, |entry| entry.state = State::Parked { at: now });
            }
        }
        Acked::Ok
    }

    /// A member's time for an event is over, unless something happened to it since.
    pub fn expire(&mut self, id: AckId, attempt: u32, now: Timestamp) {
        let entry = self.entries.get(&id.position);
        let is_same = entry.is_some_and(|entry| {
            entry.attempt == attempt
                && entry.token == id.token
                && matches!(entry.state, State::InFlight { .. })
        });
        if is_same {
            self.fail(id.position, now, now);
        }
    }

    /// The log does not hold it any more.
    pub fn lost(&mut self, position: Position) {
        self.remove(position);
    }

    /// It comes again, and after it what was handed out after it; or it has been tried often enough.
    pub(super) fn fail(&mut self, position: Position, due: Timestamp, now: Timestamp) {
        let Some(entry) = self.entries.get(&position) else {
            return;
        };
        if entry.attempt >= self.policy.max_attempts {
            self.change(position, |entry| entry.state = State::Parked { at: now });
            return;
        }
        let line = match (&entry.asked, &entry.conversation) {
            (None, Some(key)) => self.index.lines.get(key),
            _ => None,
        };
        let after: Vec<_> = line
            .into_iter()
            .flat_map(|line| line.range(position.next()..))
            .copied()
            .collect();
        self.change(position, |entry| entry.state = State::Waiting { due });
        for later in after {
            self.change(later, |entry| {
                if matches!(entry.state, State::InFlight { .. }) {
                    entry.state = State::Waiting { due };
                }
            });
        }
    }

    /// It is done.
    pub(super) fn finish(&mut self, position: Position) {
        let Some(entry) = self.entries.get(&position) else {
            return;
        };
        if self.has_passed(entry.slot, entry.conversation.as_ref(), position) {
            self.remove(position);
        } else {
            self.change(position, |entry| entry.state = State::Done);
        }
    }

    fn finish_through(&mut self, position: Position) {
        let entry = self.entries.get(&position);
        let key = entry.and_then(|entry| entry.conversation.as_ref());
        let line = key.and_then(|key| self.index.lines.get(key));
        let before: Vec<_> = line
            .into_iter()
            .flat_map(|line| line.range(..position))
            .copied()
            .collect();
        for earlier in before {
            // What was redriven and waits for its first hand-out is nothing that the member has had.
            let was_had = self.entries.get(&earlier).is_some_and(|it| it.attempt > 0);
            if was_had {
                self.finish(earlier);
            }
        }
        self.finish(position);
    }
}
