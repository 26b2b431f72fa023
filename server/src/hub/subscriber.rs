//! One subscriber as the hub keeps it: a position, and never a queue.

use std::{
    task::{Poll, Waker},
    time::Duration,
};

use bytes::Bytes;

use super::{
    chunk::{Limits, Taken, take},
    filter::Filter,
    pages::{Page, Pages},
    ring::Ring,
};
use crate::domain::{Error, Position};

/// How many events a subscriber looks at before others get their turn.
const LOOKS: usize = 1024;

/// What a stream is to be told next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Framed messages, end to end.
    Events(Bytes),
    /// All that was in the log up to here has been given.
    CaughtUp(Position),
    /// It was slower than the events came, and goes on with pages from the log after this position.
    FellBehind(Position),
    /// Retention removed what comes after `asked`; it goes on after `resumed`.
    Gap { asked: Position, resumed: Position },
    /// Nothing at or before this position is still to come.
    Checkpoint(Position),
    /// The last one: come back after this position.
    GoingAway {
        resume: Position,
        reconnect_after: Duration,
        reason: Leave,
    },
    /// The last one: the log could not be read.
    Failed(Error),
}

/// Why a stream is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    Shutdown,
    Lifetime,
    /// A newer stream of the same member of a named subscription took its place.
    Replaced,
}

/// Where a subscriber's next event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing to give: its position is the head, whatever `position` says.
    Level,
    /// Something after `position` in the ring concerns it.
    Ring,
    /// It reads pages.
    Log,
}

#[derive(Debug)]
pub struct Subscriber {
    pub filter: Filter,
    pub waker: Option<Waker>,
    /// Everything up to here was given or is of no concern.
    pub position: Position,
    pub place: Place,
    /// It was told that it is level, and not since that it fell behind.
    pub caught_up: bool,
    pub checkpoint_due: bool,
    /// Retention removed what comes after this position, which it asked for.
    pub gap: Option<Position>,
    pub leave: Option<(Leave, Duration)>,
    pub failed: Option<Box<Error>>,
    /// In ticks of the hub: since when it was given nothing, how long that may last, and when it must go.
    pub quiet_since: u32,
    pub heartbeat: u32,
    pub ends_at: u32,
}

/// What a subscriber waits for.
#[derive(Debug, PartialEq, Eq)]
pub enum Wait {
    /// To be marked and woken.
    Wake,
    /// The page after its position.
    Page,
    /// Its next turn: it has looked at a lot.
    Turn,
}

impl Subscriber {
    /// The position from which it could resume.
    pub fn resume(&self, head: Position) -> Position {
        match self.place {
            Place::Level => self.position.max(head),
            Place::Ring | Place::Log => self.position,
        }
    }

    /// An event came that may concern it. True: it has something to take now and had nothing before.
    pub fn mark(&mut self, event: Position) -> bool {
        let first = self.place == Place::Level && event > self.position;
        if first {
            self.position = Position(event.0 - 1);
            self.place = Place::Ring;
        }
        first
    }

    /// What to tell it next, at most so many bytes of events.
    pub fn next(&mut self, ring: &Ring, pages: &Pages, max_bytes: usize) -> Result<Notice, Wait> {
        if let Some(last) = self.farewell(ring.head()) {
            return Ok(last);
        }
        if let Some(asked) = self.gap.take() {
            return Ok(Notice::Gap {
                asked,
                resumed: self.position,
            });
        }
        let mut limits = Limits {
            bytes: max_bytes,
            looks: LOOKS,
        };
        loop {
            let found = match self.place {
                Place::Level => self.level(ring),
                Place::Ring => self.read_ring(ring, &mut limits),
                Place::Log => self.read_log(ring, pages, &mut limits),
            };
            match found {
                Poll::Ready(Ok(notice)) => return Ok(notice),
                Poll::Ready(Err(wait)) => return self.checkpoint(ring.head()).ok_or(wait),
                Poll::Pending => {}
            }
        }
    }

    fn farewell(&mut self, head: Position) -> Option<Notice> {
        if let Some((reason, reconnect_after)) = self.leave {
            let resume = self.resume(head);
            return Some(Notice::GoingAway {
                resume,
                reconnect_after,
                reason,
            });
        }
        self.failed.take().map(|error| Notice::Failed(*error))
    }

    fn checkpoint(&mut self, head: Position) -> Option<Notice> {
        std::mem::take(&mut self.checkpoint_due).then(|| Notice::Checkpoint(self.resume(head)))
    }

    fn level(&mut self, ring: &Ring) -> Poll<Result<Notice, Wait>> {
        self.position = self.position.max(ring.head());
        if !self.caught_up {
            self.caught_up = true;
            return Poll::Ready(Ok(Notice::CaughtUp(self.position)));
        }
        Poll::Ready(Err(Wait::Wake))
    }

    /// Pending: look again, its place has changed.
    fn read_ring(&mut self, ring: &Ring, limits: &mut Limits) -> Poll<Result<Notice, Wait>> {
        if self.position >= ring.head() {
            self.place = Place::Level;
            return Poll::Pending;
        }
        if !ring.covers(self.position) {
            self.place = Place::Log;
            if std::mem::take(&mut self.caught_up) {
                return Poll::Ready(Ok(Notice::FellBehind(self.position)));
            }
            return Poll::Pending;
        }
        let taken = take(
            ring.after(self.position),
            self.position,
            &self.filter,
            *limits,
        );
        let found = self.given(taken, limits);
        if self.position >= ring.head() {
            self.place = Place::Level;
        }
        found
    }

    fn read_log(
        &mut self,
        ring: &Ring,
        pages: &Pages,
        limits: &mut Limits,
    ) -> Poll<Result<Notice, Wait>> {
        if ring.covers(self.position) {
            self.place = Place::Ring;
            return Poll::Pending;
        }
        let Some(page) = pages.covering(self.position) else {
            return Poll::Ready(Err(Wait::Page));
        };
        if let Some(notice) = self.step_over_gap(page) {
            return Poll::Ready(Ok(notice));
        }
        let taken = take(
            page.after(self.position),
            self.position,
            &self.filter,
            *limits,
        );
        self.given(taken, limits)
    }

    fn step_over_gap(&mut self, page: &Page) -> Option<Notice> {
        let asked = self.position;
        if page.floor <= asked.next() {
            return None;
        }
        self.position = Position(page.floor.0 - 1);
        Some(Notice::Gap {
            asked,
            resumed: self.position,
        })
    }

    fn given(&mut self, taken: Taken, limits: &mut Limits) -> Poll<Result<Notice, Wait>> {
        let looked = taken.position.0.saturating_sub(self.position.0);
        self.position = taken.position;
        if !taken.bytes.is_empty() {
            return Poll::Ready(Ok(Notice::Events(taken.bytes)));
        }
        limits.looks = limits
            .looks
            .saturating_sub(usize::try_from(looked).unwrap_or(usize::MAX));
        match limits.looks {
            0 => Poll::Ready(Err(Wait::Turn)),
            _ => Poll::Pending,
        }
    }
}
