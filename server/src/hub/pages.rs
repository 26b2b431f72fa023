//! Pages of the log that were read from the database, shared by those who read the same stretch.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{chunk::Chunk, slots::Key};
use crate::domain::Position;

/// A stretch of the log. It never changes.
#[derive(Debug)]
pub struct Page {
    /// It holds what comes after this position.
    pub after: Position,
    /// Where retention had left off when it was read: nothing before this position is in it.
    pub floor: Position,
    /// The end of the stretch.
    pub last: Position,
    pub chunks: Vec<Chunk>,
}

/// The pages in memory, and those that are being read.
#[derive(Debug)]
pub struct Pages {
    by_start: BTreeMap<u64, Page>,
    oldest_first: VecDeque<u64>,
    bytes: usize,
    max_bytes: usize,
    page_events: u64,
    under_way: HashMap<u64, Vec<Key>>,
}

impl Page {
    /// What comes after a position within it.
    pub fn after(&self, position: Position) -> impl Iterator<Item = &Chunk> {
        let seen = self
            .chunks
            .partition_point(|chunk| chunk.last() <= position);
        self.chunks.iter().skip(seen)
    }

    fn bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::bytes).sum()
    }
}

impl Pages {
    pub fn new(max_bytes: usize, page_events: usize) -> Self {
        Self {
            by_start: BTreeMap::new(),
            oldest_first: VecDeque::new(),
            bytes: 0,
            max_bytes,
            page_events: page_events.max(1) as u64,
            under_way: HashMap::new(),
        }
    }

    /// The page that holds what comes next after a position.
    pub fn covering(&self, position: Position) -> Option<&Page> {
        let (_, page) = self.by_start.range(..=position.0).next_back()?;
        (page.last > position).then_some(page)
    }

    /// Notes that a reader waits for what comes after a position. Answers where to read from, if nobody does yet.
    pub fn wait(&mut self, position: Position, reader: Key) -> Option<Position> {
        // Pages begin at the same places for everyone, unless one of them ended early.
        let aligned = position.0 - position.0 % self.page_events;
        let ended_early = self.by_start.range(aligned..=position.0).next().is_some();
        let start = if ended_early { position.0 } else { aligned };
        let readers = self.under_way.entry(start).or_default();
        let first = readers.is_empty();
        if !readers.contains(&reader) {
            readers.push(reader);
        }
        first.then_some(Position(start))
    }

    /// Keeps a page that was read, at the expense of the oldest ones.
    pub fn keep(&mut self, page: Page) {
        let start = page.after.0;
        self.bytes += page.bytes();
        if let Some(before) = self.by_start.insert(start, page) {
            self.bytes -= before.bytes();
        } else {
            self.oldest_first.push_back(start);
        }
        while self.bytes > self.max_bytes
            && self.oldest_first.len() > 1
            && let Some(oldest) = self.oldest_first.pop_front()
            && let Some(page) = self.by_start.remove(&oldest)
        {
            self.bytes -= page.bytes();
        }
    }

    /// A read from this place ended. Answers who waited for it.
    pub fn done(&mut self, start: Position) -> Vec<Key> {
        self.under_way.remove(&start.0).unwrap_or_default()
    }

    /// Nobody reads from the database any more.
    pub fn clear(&mut self) {
        self.by_start.clear();
        self.oldest_first.clear();
        self.bytes = 0;
    }
}
