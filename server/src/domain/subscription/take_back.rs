//! Taking back: what was committed as handed out, and could not be read to be sent. Nobody saw it, so the attempt does
//! not count.

use std::collections::BTreeMap;

use super::{AckId, Group, HandOut, State};
use crate::domain::{ConversationKey, Position, Timestamp};

impl Group {
    /// Splits what was handed out together into what can be sent and what is to be taken back: what is missing, and
    /// what comes after that in its conversation, because nothing overtakes it.
    pub fn sendable(
        &self,
        out: Vec<HandOut>,
        is_missing: impl Fn(Position) -> bool,
    ) -> (Vec<HandOut>, Vec<HandOut>) {
        let mut missing_from: BTreeMap<&ConversationKey, Position> = BTreeMap::new();
        let missing = out.iter().map(|hand| hand.ack.position);
        for position in missing.filter(|position| is_missing(*position)) {
            if let Some(key) = self.order_of(position) {
                let first = missing_from.entry(key).or_insert(position);
                *first = position.min(*first);
            }
        }
        out.into_iter().partition(|hand| {
            let position = hand.ack.position;
            let first = self.order_of(position).and_then(|it| missing_from.get(it));
            !is_missing(position) && first.is_none_or(|first| position < *first)
        })
    }

    /// The conversation in whose order an event comes. A question comes out of all order.
    fn order_of(&self, position: Position) -> Option<&ConversationKey> {
        let entry = self.entries.get(&position)?;
        entry
            .conversation
            .as_ref()
            .filter(|_| entry.asked.is_none())
    }

    /// Nobody saw this attempt, and it is given back, unless there was another one since. Its member may be gone by now,
    /// and the event set aside with that.
    pub fn take_back(&mut self, id: AckId, attempt: u32, now: Timestamp) {
        let entry = self.entries.get(&id.position);
        let is_same = entry.is_some_and(|entry| {
            entry.attempt == attempt && entry.token == id.token && entry.state != State::Done
        });
        if is_same {
            self.change(id.position, |entry| {
                entry.attempt = attempt.saturating_sub(1);
                if !matches!(entry.state, State::Waiting { .. }) {
                    entry.state = State::Waiting { due: now };
                }
            });
        }
    }
}
