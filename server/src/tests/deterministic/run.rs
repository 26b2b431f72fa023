//! One run of one seed, from the first start to the last check.

use std::{sync::Arc, time::Duration};

use super::{
    callers,
    chance::Chance,
    check, database, members,
    plan::{Bug, Plan},
    readers, trouble,
    world::World,
};
use crate::domain::Position;

/// How long what is left may take once there is no trouble any more: some leases, one after the other.
const PATIENCE: Duration = Duration::from_mins(4);

/// What a run came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub seed: u64,
    /// What does not hold; empty: all is well.
    pub wrong: Vec<String>,
    /// The same for every run of the seed.
    pub sum: u64,
    pub steps: u64,
    pub events: u64,
    pub plan: Plan,
    /// What happened last.
    pub story: String,
}

/// Runs a seed in virtual time.
pub(super) fn run(seed: u64, bug: Option<Bug>) -> Outcome {
    in_virtual_time(seed, played(seed, bug))
}

pub(super) fn in_virtual_time<T>(seed: u64, what: impl Future<Output = T>) -> T {
    // What the server draws for itself, a jitter or the name of a session.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(what)
}

async fn played(seed: u64, bug: Option<Bug>) -> Outcome {
    let chance = Chance::new(seed);
    let plan = Plan::draw(&chance);
    let world = World::new(plan, chance, bug);
    begin(&world);
    let mut wrong = Vec::new();
    if !settled(&world).await {
        wrong.push("what was to be done is not done".to_owned());
    }
    wrong.extend(check::check(&world));
    let outcome = Outcome {
        seed,
        sum: world.trace.sum(),
        steps: world.trace.steps(),
        events: world.database().newest().0,
        plan: world.plan.clone(),
        story: if wrong.is_empty() {
            String::new()
        } else {
            world.trace.words()
        },
        wrong,
    };
    end(&world);
    outcome
}

fn begin(world: &Arc<World>) {
    serve(world);
    tokio::spawn(trouble::brew(Arc::clone(world)));
    for conversation in 0..world.plan.conversations {
        tokio::spawn(callers::speak(Arc::clone(world), conversation));
    }
    for reader in 0..world.plan.readers {
        tokio::spawn(readers::follow(Arc::clone(world), reader));
    }
    for member in 0..world.plan.members {
        tokio::spawn(members::work(Arc::clone(world), member));
    }
}

/// Time goes by, and replicas serve.
pub(super) fn serve(world: &Arc<World>) {
    let turns = Arc::clone(world);
    tokio::spawn(async move { turns.turns.run().await });
    tokio::spawn(database::watch_connections(Arc::clone(world)));
    for number in 0..world.plan.replicas {
        tokio::spawn(trouble::keep(Arc::clone(world), number));
    }
}

/// Waits until everything is done that was to be done, for as long as that may take.
async fn settled(world: &Arc<World>) -> bool {
    let patience = Duration::from_secs(world.plan.troubled) + PATIENCE;
    while world.turns.now() < patience {
        world.turns.after(Duration::from_millis(250)).await;
        if is_done(world) {
            // Whoever is about to do something twice does it now.
            world.turns.after(Duration::from_secs(2)).await;
            if is_done(world) {
                return true;
            }
        }
    }
    false
}

fn is_done(world: &World) -> bool {
    let (newest, unfinished) = {
        let database = world.database();
        let rows = database.rows.deliveries.values();
        let unfinished = rows.filter(|row| !row.state.is_final()).count();
        (database.newest(), unfinished)
    };
    let are_members_done = members::is_done(world);
    let journal = world.journal();
    let readers = 0..world.plan.readers;
    journal.is_calm
        && unfinished == 0
        && journal.silent == world.plan.conversations
        && readers
            .map(|it| Position(journal.cursor(it)))
            .all(|it| it == newest)
        && are_members_done
}

/// Lets go of everything that holds everything else.
pub(super) fn end(world: &World) {
    world.bells.clear();
    for number in 0..world.plan.replicas {
        world.place(number, None);
    }
}
