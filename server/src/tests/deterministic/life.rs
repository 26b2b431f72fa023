//! One life of a replica, as everything outside of it sees it. A process that has died is one from which nothing comes any
//! more: what it had begun never goes on, and what it knew is lost.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

#[derive(Debug)]
pub(super) struct Life {
    /// Told apart from all other lives.
    pub number: u64,
    state: Mutex<State>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each trouble comes and goes by itself"
)]
#[derive(Debug, Default)]
struct State {
    is_over: bool,
    stands_still: bool,
    /// The database cannot be reached.
    is_cut_off: bool,
    /// Bells are not heard, and ring for nobody.
    is_deaf: bool,
    going_on: Vec<oneshot::Sender<()>>,
    reconnected: Vec<oneshot::Sender<()>>,
    over: Vec<oneshot::Sender<()>>,
}

impl Life {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            state: Mutex::default(),
        }
    }

    /// Goes on when the process does, and never once it is dead.
    pub(super) async fn goes_on(&self) {
        loop {
            let rung = {
                let mut state = self.lock();
                if !state.is_over && !state.stands_still {
                    return;
                }
                let (ring, heard) = oneshot::channel();
                if !state.is_over {
                    state.going_on.push(ring);
                }
                (!state.is_over).then_some(heard)
            };
            match rung {
                Some(rung) => {
                    let _ = rung.await;
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Waits for the end.
    pub(super) async fn over(&self) {
        let over = {
            let mut state = self.lock();
            let (ring, over) = oneshot::channel();
            if !state.is_over {
                state.over.push(ring);
            }
            over
        };
        let _ = over.await;
    }

    /// Waits until the database can be reached.
    pub(super) async fn reconnected(&self) {
        let heard = {
            let mut state = self.lock();
            let (ring, heard) = oneshot::channel();
            if state.is_cut_off {
                state.reconnected.push(ring);
            }
            heard
        };
        let _ = heard.await;
    }

    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        state.going_on.clear();
        state.reconnected.clear();
        state.over.clear();
    }

    pub(super) fn stand_still(&self, still: bool) {
        let mut state = self.lock();
        state.stands_still = still;
        if !still {
            state.going_on.clear();
        }
    }

    pub(super) fn cut_off(&self, cut: bool) {
        let mut state = self.lock();
        state.is_cut_off = cut;
        if !cut {
            state.reconnected.clear();
        }
    }

    pub(super) fn deafen(&self, deaf: bool) {
        self.lock().is_deaf = deaf;
    }

    pub(super) fn is_over(&self) -> bool {
        self.lock().is_over
    }

    pub(super) fn stands_still(&self) -> bool {
        self.lock().stands_still
    }

    pub(super) fn is_cut_off(&self) -> bool {
        self.lock().is_cut_off
    }

    pub(super) fn is_deaf(&self) -> bool {
        self.lock().is_deaf
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
