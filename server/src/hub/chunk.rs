//! Neighbouring events in one piece of memory, framed, with what decides whom each one concerns.

use bytes::Bytes;

use super::{
    filter::{Concerns, Filter},
    frame,
};
use crate::domain::{Cursor, Id, Position, StoredEvent};

/// Events without a gap between them. Never empty.
#[derive(Debug)]
pub struct Chunk {
    first: Position,
    bytes: Bytes,
    items: Box<[Item]>,
}

#[derive(Debug)]
struct Item {
    /// Where its frame ends in `bytes`; it begins where the one before ends.
    end: usize,
    concerns: Concerns,
}

/// What makes cursors of positions.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// The database's identity.
    pub epoch: u64,
    pub log_id: u16,
}

impl Log {
    pub fn cursor(self, position: Position) -> Cursor {
        Cursor {
            epoch: self.epoch,
            log_id: self.log_id,
            position,
        }
    }
}

/// Frames a run of events without gaps into chunks of at most `max_bytes`; a larger event is a chunk of its own.
/// Chunks are small because a stalled stream keeps the whole chunk alive that its bytes are a part of.
pub fn frame_run(events: &[StoredEvent], log: Log, max_bytes: usize) -> Vec<Chunk> {
    let cursor_bytes = log.cursor(Position(0)).encode().len();
    let mut chunks = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let (mut count, mut size) = (0, 0);
        for event in rest {
            let framed = frame::framed_bytes(event, cursor_bytes);
            if count > 0 && size + framed > max_bytes {
                break;
            }
            (count, size) = (count + 1, size + framed);
        }
        let (run, after) = rest.split_at(count);
        chunks.extend(frame_chunk(run, log, size));
        rest = after;
    }
    chunks
}

fn frame_chunk(run: &[StoredEvent], log: Log, size: usize) -> Option<Chunk> {
    let mut bytes = Vec::with_capacity(size);
    let items = run
        .iter()
        .map(|event| {
            frame::append_event(&mut bytes, event, log.cursor(event.position));
            Item {
                end: bytes.len(),
                concerns: event.into(),
            }
        })
        .collect();
    Some(Chunk {
        first: run.first()?.position,
        bytes: bytes.into(),
        items,
    })
}

impl Chunk {
    pub fn first(&self) -> Position {
        self.first
    }

    pub fn last(&self) -> Position {
        Position(self.first.0 + self.items.len() as u64 - 1)
    }

    pub fn events(&self) -> usize {
        self.items.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whose events are in it, each named once.
    pub fn tenants(&self) -> Vec<&Id> {
        let mut tenants: Vec<&Id> = Vec::new();
        for item in &self.items {
            let tenant = &item.concerns.tenant;
            if !tenants.contains(&tenant) {
                tenants.push(tenant);
            }
        }
        tenants
    }

    /// Each event with its frame.
    pub fn frames(&self) -> impl Iterator<Item = (Position, &Concerns, Bytes)> {
        let begins = std::iter::once(0).chain(self.items.iter().map(|item| item.end));
        let positions = (self.first.0..).map(Position);
        let each = positions.zip(begins.zip(&self.items));
        each.map(|(position, (begin, item))| {
            (position, &item.concerns, self.bytes.slice(begin..item.end))
        })
    }

    pub fn concerns(&self) -> impl Iterator<Item = (Position, &Concerns)> {
        let positions = (self.first.0..).map(Position);
        positions.zip(self.items.iter().map(|item| &item.concerns))
    }
}

/// What a reader was given.
#[derive(Debug)]
pub struct Taken {
    /// Framed messages, end to end; empty when nothing matched.
    pub bytes: Bytes,
    /// Everything up to here was given or is of no concern.
    pub position: Position,
}

/// Bounds of one take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many bytes to give; one larger event goes alone.
    pub bytes: usize,
    /// How many events to look at, so that a filter that matches little does not hold the others up.
    pub looks: usize,
}

/// Gives what matches after a position. Neighbours go as one slice of shared memory; what lies apart is copied
/// together, because many small frames cost more than the copy.
pub fn take<'a>(
    chunks: impl Iterator<Item = &'a Chunk>,
    after: Position,
    filter: &Filter,
    limits: Limits,
) -> Taken {
    let mut gathering = Gathering {
        parts: Vec::new(),
        size: 0,
        position: after,
        looks: limits.looks,
        max_bytes: limits.bytes,
    };
    for chunk in chunks {
        let full = !gathering.take_from(chunk, filter);
        // More would have to be copied together: rather what is there as it lies.
        if full || (gathering.parts.len() == 1 && gathering.size * 2 >= limits.bytes) {
            break;
        }
    }
    Taken {
        position: gathering.position,
        bytes: gathering.into_bytes(),
    }
}

struct Gathering {
    parts: Vec<Bytes>,
    size: usize,
    position: Position,
    looks: usize,
    max_bytes: usize,
}

impl Gathering {
    /// False: there is no room for more.
    fn take_from(&mut self, chunk: &Chunk, filter: &Filter) -> bool {
        let skip = (self.position.0 + 1).saturating_sub(chunk.first.0);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let mut begin = match skip.checked_sub(1) {
            Some(before) => chunk.items.get(before).map_or(chunk.bytes.len(), |i| i.end),
            None => 0,
        };
        let mut run = begin..begin;
        let mut room = true;
        for (index, item) in chunk.items.iter().enumerate().skip(skip) {
            let matches = filter.matches(&item.concerns);
            let size = self.size + run.len();
            let too_much = matches && size > 0 && size + (item.end - begin) > self.max_bytes;
            if self.looks == 0 || too_much {
                room = false;
                break;
            }
            self.looks -= 1;
            if matches && run.end == begin {
                run.end = item.end;
            } else if matches {
                self.push(chunk, &run);
                run = begin..item.end;
            }
            begin = item.end;
            self.position = Position(chunk.first.0 + index as u64);
        }
        self.push(chunk, &run);
        room
    }

    fn push(&mut self, chunk: &Chunk, run: &std::ops::Range<usize>) {
        if !run.is_empty() {
            self.size += run.len();
            self.parts.push(chunk.bytes.slice(run.clone()));
        }
    }

    fn into_bytes(mut self) -> Bytes {
        if self.parts.len() < 2 {
            return self.parts.pop().unwrap_or_default();
        }
        let mut joined = Vec::with_capacity(self.size);
        for part in &self.parts {
            joined.extend_from_slice(part);
        }
        joined.into()
    }
}
