//! What all parts of a run share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    agent::Platform,
    bells::Bells,
    chance::Chance,
    database::Database,
    journal::Journal,
    life::Life,
    plan::{Bug, Plan},
    replica::Replica,
    trace::Trace,
    turns::Turns,
};
use crate::domain::Timestamp;

/// When every run begins, by the database's clock.
const BEGAN: i64 = 1_800_000_000_000_000;

#[derive(Debug)]
pub(super) struct World {
    pub plan: Plan,
    /// A fault of the house that is to be found.
    pub bug: Option<Bug>,
    pub chance: Chance,
    pub turns: Turns,
    pub trace: Trace,
    pub platform: Platform,
    pub bells: Bells,
    database: Mutex<Database>,
    journal: Mutex<Journal>,
    /// The replicas that serve, by their numbers.
    fleet: Mutex<Vec<Option<Arc<Replica>>>>,
    lives: AtomicU64,
}

impl World {
    pub(super) fn new(plan: Plan, chance: Chance, bug: Option<Bug>) -> Arc<Self> {
        let fleet = (0..plan.replicas).map(|_| None).collect();
        Arc::new(Self {
            turns: Turns::new(chance.clone()),
            trace: Trace::default(),
            platform: Platform::default(),
            bells: Bells::default(),
            database: Mutex::default(),
            journal: Mutex::default(),
            fleet: Mutex::new(fleet),
            lives: AtomicU64::new(0),
            plan,
            bug,
            chance,
        })
    }

    /// The database's clock.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp(BEGAN) + self.turns.now()
    }

    pub(super) fn note(&self, what: &'static str, who: u64, much: u64) {
        self.trace.note(self.turns.now(), what, who, much);
    }

    /// What the way to another machine and back takes: mostly little.
    pub(super) async fn way(&self) {
        let micros = match self.chance.within(0..100) {
            0..85 => self.chance.within(0..2_000),
            85..97 => self.chance.within(0..40_000),
            _ => self.chance.within(0..self.plan.slowest_way),
        };
        self.turns.after(Duration::from_micros(micros)).await;
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(super) fn database(&self) -> MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wrong(&self, what: String) {
        self.note("wrong", 0, 0);
        self.journal().wrong.push(what);
    }

    pub(super) fn begin_life(&self) -> Arc<Life> {
        let number = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Life::new(number))
    }

    /// A replica takes its place, or leaves it.
    pub(super) fn place(&self, number: usize, replica: Option<Arc<Replica>>) {
        let before = {
            let mut fleet = self.fleet();
            fleet
                .get_mut(number)
                .map(|place| std::mem::replace(place, replica))
        };
        // Outside of the lock: with it may go a lot.
        drop(before);
    }

    pub(super) fn serving(&self) -> Vec<Arc<Replica>> {
        self.fleet().iter().flatten().cloned().collect()
    }

    /// Any replica that serves.
    pub(super) async fn any(&self) -> Arc<Replica> {
        loop {
            let serving = self.serving();
            if !serving.is_empty() {
                return Arc::clone(self.chance.pick(&serving));
            }
            self.turns.after(Duration::from_millis(200)).await;
        }
    }

    fn fleet(&self) -> MutexGuard<'_, Vec<Option<Arc<Replica>>>> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
