//! What goes wrong, and how replicas come back.

use std::{sync::Arc, time::Duration};

use super::{
    life::Life,
    plan::Kind,
    replica::{self, Replica},
    world::World,
};
use crate::domain::Error;

/// Keeps one replica running: whenever it has died, another process takes its place.
pub(super) async fn keep(world: Arc<World>, number: usize) {
    loop {
        let life = world.begin_life();
        world.note("starts", life.number, number as u64);
        // In a task of its own: it works with the database, and what dies with the process is never ended half-way here.
        let starting = {
            let (world, life) = (Arc::clone(&world), Arc::clone(&life));
            tokio::spawn(async move { replica::start(&world, &life).await })
        };
        let started = tokio::select! {
            biased;
            started = starting => started,
            () = life.over() => Ok(Err(Error::Stopping)),
        };
        match started {
            Ok(Ok(replica)) => {
                world.note("serves", life.number, number as u64);
                world.place(number, Some(Arc::new(replica)));
                life.over().await;
                world.place(number, None);
            }
            Ok(Err(_)) => life.end(),
            Err(panicked) => world.wrong(format!("a replica could not start: {panicked}")),
        }
        let pause = world.chance.millis(100..4000);
        world.turns.after(pause).await;
    }
}

/// Nobody knows what was committed: the process ends by itself.
pub(super) fn falls_over(world: &Arc<World>, life: &Arc<Life>) {
    world.note("falls over", life.number, 0);
    match serving(world, life) {
        Some(replica) => replica.dies(),
        None => life.end(),
    }
}

fn serving(world: &World, life: &Life) -> Option<Arc<Replica>> {
    let mut serving = world.serving().into_iter();
    serving.find(|replica| replica.life.number == life.number)
}

/// Trouble of the kinds that the plan has, one after the other and at times together. At its end nothing new happens.
pub(super) async fn brew(world: Arc<World>) {
    let until = Duration::from_secs(world.plan.troubled);
    while world.turns.now() < until {
        world.turns.after(world.chance.millis(50..3000)).await;
        let kind = *world.chance.pick(&world.plan.kinds);
        let replica = world.any().await;
        happens(&world, kind, &replica);
    }
    // What is broken mends by itself.
    world.journal().is_calm = true;
    world.note("calm", 0, 0);
}

fn happens(world: &Arc<World>, kind: Kind, replica: &Arc<Replica>) {
    let life = &replica.life;
    world.note(word(kind), life.number, 0);
    match kind {
        Kind::Crash => replica.dies(),
        Kind::StandStill => {
            life.stand_still(true);
            let longest = *world.chance.pick(&[500, 6000, 40_000]);
            mends(world, replica, longest, |life| life.stand_still(false));
        }
        Kind::CutOff => {
            life.cut_off(true);
            let longest = *world.chance.pick(&[500, 6000, 40_000]);
            mends(world, replica, longest, |life| life.cut_off(false));
        }
        Kind::Deaf => {
            life.deafen(true);
            mends(world, replica, 20_000, |life| life.deafen(false));
        }
        Kind::Clock => {
            let hour = 3_600_000_000;
            let away = world.chance.within(0..2 * hour);
            let away = i64::try_from(away).unwrap_or_default() - 3_600_000_000;
            replica.machine.set(world.now().0 + away);
        }
        Kind::Database => world.database().restart(),
    }
}

fn mends(world: &Arc<World>, replica: &Arc<Replica>, longest: u64, mend: fn(&Life)) {
    let (world, life) = (Arc::clone(world), Arc::clone(&replica.life));
    let span = world.chance.millis(10..longest);
    tokio::spawn(async move {
        world.turns.after(span).await;
        mend(&life);
        world.note("mended", life.number, 0);
    });
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Crash => "dies",
        Kind::StandStill => "stands still",
        Kind::CutOff => "is cut off",
        Kind::Deaf => "is deaf",
        Kind::Clock => "has its clock set",
        Kind::Database => "finds the database restarted",
    }
}
