//! What a unit of work has to write: each row once, whatever happened to it meanwhile.

use std::collections::BTreeSet;

use super::{Entry, Group, HeldBack};
use crate::domain::{ConversationKey, Position};

/// Rows to be written, and rows to be removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub entries: Vec<Entry>,
    pub removed: Vec<Position>,
    pub held_back: Vec<(ConversationKey, HeldBack)>,
    pub let_go: Vec<ConversationKey>,
}

/// What was touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub entries: BTreeSet<Position>,
    pub held_back: BTreeSet<ConversationKey>,
}

impl Group {
    /// What changed since the last time, leaving nothing to be written.
    pub fn take_changes(&mut self) -> Changes {
        let touched = std::mem::take(&mut self.touched);
        let mut changes = Changes::default();
        for position in touched.entries {
            match self.entries.get(&position) {
                Some(entry) => changes.entries.push(entry.clone()),
                None => changes.removed.push(position),
            }
        }
        for key in touched.held_back {
            match self.held_back.get(&key) {
                Some(held) => changes.held_back.push((key, *held)),
                None => changes.let_go.push(key),
            }
        }
        changes
    }
}
