//! What waits to be written to one member's stream. What is in it was committed as handed out, so it is never more than
//! the member may have in flight. A member's time for an event begins when the event is taken from here, to be written.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};

use crate::{
    domain::{Error, Position, subscription::AckId},
    hub::Leave,
};

/// One thing to be written.
#[derive(Debug, Clone)]
pub enum Mail {
    Event {
        event: Bytes,
        ack: AckId,
        attempt: u32,
        /// How long the member has for it from when it is written.
        time: Duration,
    },
    CaughtUp(Position),
    Checkpoint(Position),
    FellBehind(Position),
    Gap {
        asked: Position,
        resumed: Position,
    },
    /// The last one.
    GoingAway {
        resume: Position,
        reconnect_after: Duration,
        reason: Leave,
    },
    /// The last one.
    Failed(Error),
}

/// The mail of one member.
#[derive(Debug)]
pub struct Mailbox {
    state: Mutex<State>,
    /// Rung when the first time begins to run.
    bell: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    mail: VecDeque<Mail>,
    waker: Option<Waker>,
    running: VecDeque<Running>,
    last_taken: Instant,
}

/// An event that was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub ends: Instant,
    pub ack: AckId,
    pub attempt: u32,
}

impl Mailbox {
    pub(super) fn new(bell: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                mail: VecDeque::new(),
                waker: None,
                running: VecDeque::new(),
                last_taken: Instant::now(),
            }),
            bell,
        })
    }

    pub(super) fn put(&self, mail: Mail) {
        let mut state = self.lock();
        state.mail.push_back(mail);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Puts what ends the stream in the place of all that was not written yet.
    pub(super) fn end(&self, last: Mail) {
        self.lock().mail.clear();
        self.put(last);
    }

    /// The next thing to be written.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<Mail> {
        let mut state = self.lock();
        let Some(mail) = state.take() else {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        let first = state.running.len() == 1;
        drop(state);
        if first {
            self.bell.notify_one();
        }
        Poll::Ready(mail)
    }

    /// The next thing to be written, if it is an event and goes well with what has so many bytes.
    pub fn take_event(&self, room: usize) -> Option<Mail> {
        let mut state = self.lock();
        match state.mail.front() {
            Some(Mail::Event { event, .. }) if event.len() < room => state.take(),
            _ => None,
        }
    }

    /// Events whose time is over, each once.
    pub(super) fn expired(&self, now: Instant) -> Vec<Running> {
        let mut state = self.lock();
        let (over, running) = state.running.drain(..).partition(|it| it.ends <= now);
        let (over, running): (Vec<Running>, Vec<Running>) = (over, running);
        state.running = running.into();
        over
    }

    /// When the next time is over.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.lock().running.iter().map(|running| running.ends).min()
    }

    /// Since when nothing was written, where nothing waits to be.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        let state = self.lock();
        state.mail.is_empty().then_some(state.last_taken)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way, so what a panic elsewhere left is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Option<Mail> {
        let mail = self.mail.pop_front()?;
        let now = Instant::now();
        self.last_taken = now;
        if let Mail::Event {
            ack, attempt, time, ..
        } = &mail
        {
            self.running.push_back(Running {
                ends: now + *time,
                ack: *ack,
                attempt: *attempt,
            });
        }
        Some(mail)
    }
}
