//! What those outside have seen, each by itself.

use std::collections::BTreeMap;

use super::members::Said;

#[derive(Debug, Default)]
pub(super) struct Journal {
    /// What must not be, as it was met.
    pub wrong: Vec<String>,
    /// There is no trouble any more.
    pub is_calm: bool,
    /// Messages that were acknowledged to a caller, in the order of their conversation.
    pub acknowledged: BTreeMap<u64, Vec<String>>,
    /// Callers that have said all they had to say.
    pub silent: u64,
    /// What members have said and were told.
    pub said: Said,
    /// What each reader has processed, stretch by stretch.
    pub read: BTreeMap<u64, Vec<Stretch>>,
}

/// What one stream gave.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretch {
    /// It was to begin after this.
    pub after: u64,
    /// Positions and the ids of their events.
    pub events: Vec<(u64, String)>,
}

impl Journal {
    /// How far a reader has come.
    pub(super) fn cursor(&self, reader: u64) -> u64 {
        let stretches = self.read.get(&reader).map_or(&[][..], Vec::as_slice);
        let ends = stretches.iter().map(|stretch| {
            let last = stretch.events.last();
            last.map_or(stretch.after, |(position, _)| *position)
        });
        ends.max().unwrap_or(0)
    }
}
