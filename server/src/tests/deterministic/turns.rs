//! The scheduler. Whatever reaches out of a replica, or into one, waits for its turn here, and one after the other goes
//! on: in the order of the times that the seed gave them, and of lots where these are equal. What a turn sets in motion
//! comes to rest before the next one begins, so that nothing else decides about the order.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::chance::Chance;

#[derive(Debug)]
pub(super) struct Turns {
    chance: Chance,
    began: Instant,
    waiting: Mutex<BTreeMap<(Duration, u64), oneshot::Sender<()>>>,
    rung: Notify,
}

impl Turns {
    pub(super) fn new(chance: Chance) -> Self {
        Self {
            chance,
            began: Instant::now(),
            waiting: Mutex::default(),
            rung: Notify::new(),
        }
    }

    /// How much time has passed.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Goes on after `span`, when its turn has come.
    pub(super) async fn after(&self, span: Duration) {
        let (turn, come) = oneshot::channel();
        let lot = self.chance.number();
        self.lock().insert((self.now() + span, lot), turn);
        self.rung.notify_one();
        if come.await.is_err() {
            // The run is over.
            std::future::pending::<()>().await;
        }
    }

    /// Gives turns for as long as it runs.
    pub(super) async fn run(&self) {
        loop {
            let next = self.lock().first_key_value().map(|((due, _), _)| *due);
            let Some(due) = next else {
                self.rung.notified().await;
                continue;
            };
            if due > self.now() {
                let until = tokio::time::sleep_until(self.began + due);
                tokio::select! {
                    biased;
                    () = self.rung.notified() => {}
                    () = until => {}
                }
                continue;
            }
            if let Some((_, turn)) = self.lock().pop_first() {
                // Whoever does not wait any more has given up.
                let _ = turn.send(());
            }
            // Comes back once nothing else can go on.
            tokio::task::yield_now().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Duration, u64), oneshot::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
