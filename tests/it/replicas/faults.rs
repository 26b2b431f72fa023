//! The way to the database is slow, cut or silent, and the database restarts: callers are told so by the codes that are
//! promised, and soon after it is over everything is as before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parloir_client::{Code, Error};
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

/// After a fault is over, this long until calls are answered and the pool is whole.
const WHOLE_WITHIN: Duration = Duration::from_secs(15);
/// Connections by which a replica reads.
const READERS: u64 = 16;
/// Reads at the same time, enough to need all of them.
const READS: usize = 96;
/// What each statement takes longer while they are counted, so that reads meet each other.
const WHILE_COUNTED: Duration = Duration::from_millis(50);

/// Callers during a fault, and how long each of them waits for an answer.
const CALLERS: usize = 6;
const DEADLINE: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, Copy)]
enum Trouble {
    Slow(Duration),
    Cut,
    Silent(Duration),
    Restart,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_database_are_told_by_their_codes_and_leave_nothing_behind() {
    let seed = seed("replicas::faults");
    let mut random = fastrand::Rng::with_seed(seed);
    let platform = FakeServer::start().await;
    let postgres = Postgres::start().await;
    let wire = Arc::new(Wire::to(postgres.address()).await);
    let wishes = Wishes {
        settings: r#"grpc.answer_within = "100ms""#,
        ..Wishes::default()
    };
    let mut stage = Stage::over(postgres, &[wire.address()], &platform.url(), wishes);
    stage.start().await;
    whole(&stage, &wire).await;
    let (rounds, silence) = if is_full() { (100, 60) } else { (4, 5) };
    let mut answers = Answers::default();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let trouble = match round % 4 {
            0 => Trouble::Slow(Duration::from_millis(random.u64(200..2000))),
            1 => Trouble::Cut,
            // The longest silence once; a minute a hundred times over would be an hour and a half.
            2 => Trouble::Silent(Duration::from_secs(if round == 2 { silence } else { 5 })),
            _ => Trouble::Restart,
        };
        answers.add(during(trouble, &stage, &wire).await);
        let took = whole(&stage, &wire).await;
        println!("{trouble:?}: whole again after {} ms", took.as_millis());
        slowest = slowest.max(took);
    }
    println!(
        "{rounds} faults, whole again within {} ms; answers: {answers:?}",
        slowest.as_millis()
    );
    assert!(answers.are_as_promised(), "{answers:?}");
    let server = stage.replicas[0].server();
    assert!(server.has_ended().is_none(), "{}", server.last_words());
}

/// Calls go on while it lasts. Answers how they were answered.
async fn during(trouble: Trouble, stage: &Stage, wire: &Wire) -> Vec<String> {
    let mut callers = JoinSet::new();
    let lasts = match trouble {
        Trouble::Slow(delay) => {
            wire.set(Weather::Delay(delay));
            3 * delay
        }
        Trouble::Cut => Duration::from_secs(1),
        Trouble::Silent(lasts) => {
            wire.set(Weather::Silent);
            lasts
        }
        Trouble::Restart => {
            stage.postgres.kill().await;
            Duration::from_secs(1)
        }
    };
    let until = Instant::now() + lasts;
    for caller in 0..CALLERS {
        let client = stage.impatient(0, DEADLINE);
        callers.spawn(async move {
            let mut answers = Vec::new();
            while Instant::now() < until {
                let id = format!("{:x}", fastrand::u64(..));
                let started = client.start(ACCOUNT, &format!("C{caller}"), &id).await;
                answers.push(kind(started.map(drop)));
                let read = client.conversation(ACCOUNT, &format!("C{caller}")).await;
                answers.push(kind(read.map(drop)));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answers
        });
    }
    if let Trouble::Cut = trouble {
        for _ in 0..5 {
            wire.cut();
            tokio::time::sleep(lasts / 5).await;
        }
    }
    let mut answers = Vec::new();
    tokio::time::sleep_until(until).await;
    wire.set(FAIR);
    if let Trouble::Restart = trouble {
        stage.postgres.start_again().await;
    }
    while let Some(caller) = callers.join_next().await {
        answers.extend(caller.expect("a caller ends well"));
    }
    answers
}

/// Waits until commands are committed and all connections of the pool are in use again. Answers how long it took.
async fn whole(stage: &Stage, wire: &Wire) -> Duration {
    let begun = Instant::now();
    let committed = async {
        let client = stage.impatient(0, DEADLINE);
        loop {
            let id = format!("{:x}", fastrand::u64(..));
            if client.start(ACCOUNT, "C", &id).await.is_ok() {
                return;
            }
        }
    };
    let committed = timeout(WHOLE_WITHIN, committed).await;
    committed.expect("commands are committed again in time");
    wire.set(Weather::Delay(WHILE_COUNTED));
    let since = stage.postgres.ask("SELECT clock_timestamp()").await;
    let reading = async {
        let mut readers = JoinSet::new();
        for _ in 0..READS {
            let client = stage.impatient(0, DEADLINE);
            readers.spawn(async move {
                loop {
                    // One that waits too long for a connection is refused, which is as it should be.
                    let _ = client.conversation(ACCOUNT, "C").await;
                }
            });
        }
        // Without an end: dropped once all connections have been seen at work.
        while readers.join_next().await.is_some() {}
    };
    let counting = async {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'parloir' AND query_start > '{since}' \
             AND query NOT ILIKE 'LISTEN%'"
        );
        // One more writes.
        while stage.postgres.count(&sql).await < READERS {}
    };
    let counted = timeout(WHOLE_WITHIN.saturating_sub(begun.elapsed()), async {
        tokio::select! {
            () = reading => {}
            () = counting => {}
        }
    });
    let is_whole = counted.await.is_ok();
    wire.set(FAIR);
    assert!(
        is_whole,
        "connections are missing: {} are open",
        wire.open()
    );
    begun.elapsed()
}

/// How many were answered how.
#[derive(Debug, Default)]
struct Answers(BTreeMap<String, usize>);

impl Answers {
    fn add(&mut self, kinds: Vec<String>) {
        for kind in kinds {
            *self.0.entry(kind).or_default() += 1;
        }
    }

    fn are_as_promised(&self) -> bool {
        // Some must have failed, or there was no fault.
        self.0.len() > 1 && !self.0.keys().any(|kind| kind.starts_with("BROKEN"))
    }
}

fn kind(answer: Result<(), Error>) -> String {
    let Err(error) = answer else {
        return "OK".to_owned();
    };
    match (error.code(), error.reason(), error.retry_after()) {
        (Code::Unavailable, Some(reason), Some(_)) => format!("UNAVAILABLE {reason}"),
        (Code::DeadlineExceeded, None, None) => "given up by the caller".to_owned(),
        _ => format!("BROKEN PROMISE {error:?}"),
    }
}
