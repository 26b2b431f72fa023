//! The doorbell between replicas: late, lost, doubled and out of order, and never the truth.

use std::sync::{Arc, Mutex, PoisonError};

use super::{life::Life, world::World};
use crate::tail::Tail;

/// Who hears.
#[derive(Debug, Default)]
pub(super) struct Bells(Mutex<Vec<(Arc<Life>, Arc<Tail>)>>);

impl Bells {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<Life>, Arc<Tail>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clear(&self) {
        let gone = std::mem::take(&mut *self.lock());
        drop(gone);
    }
}

pub(super) fn listen(world: &World, life: &Arc<Life>, tail: &Arc<Tail>) {
    let mut all = world.bells.lock();
    all.retain(|(life, _)| !life.is_over());
    all.push((Arc::clone(life), Arc::clone(tail)));
}

/// Something was committed by this life: everybody else may hear of it.
pub(super) fn ring(world: &Arc<World>, from: &Arc<Life>) {
    if from.is_over() || from.is_deaf() {
        return;
    }
    let all = world.bells.lock().clone();
    for (life, tail) in all {
        if life.number == from.number || world.chance.percent(world.plan.bells_lost) {
            continue;
        }
        let times = if world.chance.percent(world.plan.bells_doubled) {
            2
        } else {
            1
        };
        for _ in 0..times {
            let (world, life, tail) = (Arc::clone(world), Arc::clone(&life), Arc::clone(&tail));
            tokio::spawn(async move {
                world.way().await;
                if !life.is_over() && !life.is_deaf() {
                    tail.ring();
                }
            });
        }
    }
}
