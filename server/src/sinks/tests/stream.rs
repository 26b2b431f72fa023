//! A stream that knows messages by their ids, stores one only behind the one that it must follow, and fails as it is told.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::until;
use crate::sinks::{Given, Message, Target, Trouble};

/// What becomes of the next page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Play {
    /// So many are stored; the next is refused.
    Refuse(usize),
    /// All are stored; only so many are acknowledged.
    Forget(usize),
    /// So many are stored; the next is lost, and those behind it come.
    Lose(usize),
    /// It stays under way until it is let go on.
    Wait,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    state: Mutex<State>,
    waiting: Notify,
    on: Notify,
}

#[derive(Debug, Default)]
struct State {
    stored: Vec<Message>,
    last: Option<String>,
    given: Vec<u64>,
    plays: VecDeque<Play>,
    is_away: bool,
    /// So many ids, from the first on, are known no longer.
    forgotten: usize,
}

impl State {
    fn store(&mut self, message: &Message, after: Option<&str>) -> bool {
        let known = self.stored.iter().skip(self.forgotten);
        if known.into_iter().any(|stored| stored.id == message.id) {
            return true;
        }
        if after.is_some() && after != self.last.as_deref() {
            return false;
        }
        self.last = Some(message.id.clone());
        self.stored.push(message.clone());
        true
    }
}

impl Stream {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("whole")
    }

    pub(super) fn play(&self, play: Play) {
        self.lock().plays.push_back(play);
    }

    pub(super) fn connect(&self, is_there: bool) {
        self.lock().is_away = !is_there;
    }

    pub(super) fn go_on(&self) {
        self.on.notify_one();
    }

    /// Until a page waits.
    pub(super) async fn waits(&self) {
        self.waiting.notified().await;
    }

    pub(super) fn somebody_else_writes(&self) {
        self.lock().last = Some("theirs".to_owned());
    }

    /// The time is over for which ids are known.
    pub(super) fn forget_ids(&self) {
        let mut state = self.lock();
        state.forgotten = state.stored.len();
    }

    pub(super) fn stored(&self) -> Vec<u64> {
        let stored = self.lock();
        stored.stored.iter().map(|it| it.position.0).collect()
    }

    /// Everything that was ever given, in order.
    pub(super) fn given(&self) -> Vec<u64> {
        self.lock().given.clone()
    }

    pub(super) fn message(&self, position: u64) -> Message {
        let state = self.lock();
        let found = state.stored.iter().find(|it| it.position.0 == position);
        found.expect("stored").clone()
    }

    pub(super) async fn has(&self, events: usize) {
        until(&format!("{events} stored"), async || {
            self.lock().stored.len() >= events
        })
        .await;
    }
}

#[async_trait]
impl Target for Stream {
    fn is_connected(&self) -> bool {
        !self.lock().is_away
    }

    async fn give(&self, messages: &[Message], after: Option<&str>) -> Given {
        let play = {
            let mut state = self.lock();
            if state.is_away {
                return Given {
                    stored: 0,
                    trouble: Some(Trouble::Disconnected),
                };
            }
            state.plays.pop_front()
        };
        if matches!(play, Some(Play::Wait)) {
            self.waiting.notify_one();
            self.on.notified().await;
        }
        let mut state = self.lock();
        let mut before = after;
        let mut answers = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            state.given.push(message.position.0);
            let answer = match play {
                Some(Play::Refuse(stored)) if index >= stored => {
                    Err(Trouble::Refused("as it was told".to_owned()))
                }
                Some(Play::Lose(stored)) if index == stored => Err(Trouble::Unanswered),
                _ if !state.store(message, before) => Err(Trouble::Displaced),
                Some(Play::Forget(known)) if index >= known => Err(Trouble::Unanswered),
                _ => Ok(()),
            };
            answers.push(answer);
            before = Some(&message.id);
        }
        let stored = answers.iter().take_while(|answer| answer.is_ok()).count();
        Given {
            stored,
            trouble: answers.into_iter().find_map(Result::err),
        }
    }
}
