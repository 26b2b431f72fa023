//! A replica whose machine vanishes, without a word, in the middle of a commit: it holds what every commit needs, and the
//! others get it back soon.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    postgres::Postgres,
    stage::{Stage, Wishes},
    wire::{FAIR, Weather, Wire},
};
use crate::{
    full::{is_full, seed},
    process::ACCOUNT,
    support::platform::FakeServer,
};

/// What it holds, it holds for 2 s at most, as set here.
const HELD_UP: Duration = Duration::from_secs(5);
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// Long enough that it is in the middle of a commit nearly always.
const DELAY: Duration = Duration::from_millis(5);
const CALLERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_vanishes_in_the_middle_of_a_commit_holds_the_others_up_for_moments_only() {
    let seed = seed("replicas::vanished");
    let mut random = fastrand::Rng::with_seed(seed);
    let platform = FakeServer::start().await;
    let postgres = Postgres::start().await;
    let wire = Wire::to(postgres.address()).await;
    let wishes = Wishes {
        settings: r#"database.statement_timeout = "2s""#,
        ..Wishes::default()
    };
    let addresses = [wire.address(), postgres.address()];
    let mut stage = Stage::over(postgres, &addresses, &platform.url(), wishes);
    stage.start().await;
    wire.set(Weather::Delay(DELAY));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let client = stage.impatient(0, Duration::from_secs(2));
        callers.spawn(async move {
            for number in 0.. {
                let (conversation, id) = (format!("C{caller}"), format!("C{caller}-{number}"));
                // It fails while the replica is cut off.
                let _ = client.start(ACCOUNT, &conversation, &id).await;
            }
        });
    }
    let (rounds, survivor) = (if is_full() { 100 } else { 4 }, stage.client(1));
    let (mut held_up, mut slowest) = (0, Duration::ZERO);
    for round in 0..rounds {
        let pause = Duration::from_millis(random.u64(100..400));
        tokio::time::sleep(pause).await;
        wire.set(Weather::Silent);
        let begun = Instant::now();
        let id = format!("S-{round}");
        let started = timeout(HELD_UP, survivor.start(ACCOUNT, "S", &id)).await;
        let took = begun.elapsed();
        started.expect("it goes on in time").expect("it is taken");
        held_up += usize::from(took > Duration::from_secs(1));
        slowest = slowest.max(took);
        // It comes back as another machine would: its connections are gone.
        wire.cut();
        wire.set(Weather::Delay(DELAY));
        let client = stage.impatient(0, Duration::from_secs(2));
        let mut failures = Vec::new();
        let back = async {
            loop {
                let id = format!("B-{round}-{}", failures.len());
                match client.start(ACCOUNT, "B", &id).await {
                    Ok(_) => return,
                    Err(error) => failures.push(error),
                }
            }
        };
        let back = timeout(BACK_WITHIN, back).await;
        if back.is_err() {
            let words = stage.replicas[0].server().last_words();
            panic!(
                "not back after {BACK_WITHIN:?}: {:?}\n{words}",
                failures.last()
            );
        }
    }
    wire.set(FAIR);
    println!(
        "vanished {rounds} times, {held_up} of them in the middle of a commit; the other was held up for {} ms at most",
        slowest.as_millis()
    );
    assert!(held_up > 0, "it never held anything");
}
