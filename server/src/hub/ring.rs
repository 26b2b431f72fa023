//! The newest events of the log, framed, for everyone who follows.

use std::collections::VecDeque;

use super::chunk::Chunk;
use crate::domain::Position;

/// Bounded by events and by bytes; the newest chunk stays whatever its size.
#[derive(Debug)]
pub struct Ring {
    chunks: VecDeque<Chunk>,
    head: Position,
    events: usize,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl Ring {
    /// Empty, after the log's newest event.
    pub fn new(head: Position, max_events: usize, max_bytes: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            head,
            events: 0,
            bytes: 0,
            max_events,
            max_bytes,
        }
    }

    /// The newest event that was published.
    pub fn head(&self) -> Position {
        self.head
    }

    /// Whether it holds all that comes after a position.
    pub fn covers(&self, position: Position) -> bool {
        let first = self.chunks.front().map_or(self.head.next(), Chunk::first);
        position.next() >= first
    }

    /// What comes after a position that it covers.
    pub fn after(&self, position: Position) -> impl Iterator<Item = &Chunk> {
        let seen = self
            .chunks
            .partition_point(|chunk| chunk.last() <= position);
        self.chunks.range(seen..)
    }

    /// Takes what follows its head.
    pub fn push(&mut self, chunk: Chunk) {
        self.head = chunk.last();
        self.events += chunk.events();
        self.bytes += chunk.bytes();
        self.chunks.push_back(chunk);
        while self.chunks.len() > 1
            && (self.events > self.max_events || self.bytes > self.max_bytes)
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.events -= oldest.events();
            self.bytes -= oldest.bytes();
        }
    }

    /// Begins anew after a position: what lies between was not published here.
    pub fn restart(&mut self, head: Position) {
        self.chunks.clear();
        (self.events, self.bytes) = (0, 0);
        self.head = head;
    }
}
