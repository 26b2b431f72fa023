//! A replica whose clock is wrong, and then changes: what it holds for others is neither let go early nor kept for ever,
//! and the log's times stay the database's.

use std::{
    fs,
    process::Command,
    time::{Duration, SystemTime},
};

use parloir_client::{
    Subscription,
    v1::{DeliveryState, RequestOutcome},
};
use tokio::time::{Instant, timeout};

use super::{
    left::settled,
    stage::{Stage, Wishes},
};
use crate::{
    full::is_full,
    process::{ACCOUNT, AGENT},
    support::{
        events::Events,
        http::Connection,
        platform::FakeServer,
        questions::{action_requested, request_closed},
        webhook::action,
    },
};

/// How long a question waits for its answer here, and how much later its fallback may come.
const ITS_TIME: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_secs(3);
/// Replicas look twice within this whether something was left behind.
const HELD: Duration = Duration::from_secs(4);
/// So many seconds from what was wished, a clock is as it was wished.
const NEAR: i64 = 30;
const SET_WITHIN: Duration = Duration::from_secs(15);

/// The library that tells a process another time, from a file that may change while it runs. Monotonic time is left alone,
/// as it is where an administrator sets a clock.
struct Skew {
    library: String,
    file: String,
}

impl Skew {
    fn new(stage: &Stage) -> Self {
        let found = Command::new("sh")
            .args(["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"])
            .output()
            .expect("a shell");
        let library = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        assert!(
            !library.is_empty(),
            "libfaketime is missing: `tests/run replicas` installs it"
        );
        let file = stage.replicas[1].setup.path("clock");
        let file = file.to_str().expect("a name that is text").to_owned();
        Self { library, file }
    }

    fn set(&self, offset: &str) {
        fs::write(&self.file, offset).expect("written");
    }

    fn program(&self) -> Vec<String> {
        vec![
            "env".to_owned(),
            format!("LD_PRELOAD={}", self.library),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.file),
            "FAKETIME_CACHE_DURATION=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            "DONT_FAKE_MONOTONIC=1".to_owned(),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_whose_clock_is_wrong_and_changes_takes_nothing_early_and_keeps_nothing_for_ever()
{
    let platform = FakeServer::start().await;
    let agent = r#"
        send_timeout = "60s"
        action_time_limit = "2s"
    "#;
    let wishes = Wishes {
        settings: "grpc.answer_within = \"100ms\"\nlog.sweep_interval = \"500ms\"",
        agent,
    };
    let mut stage = Stage::new(&platform.url(), 2, wishes).await;
    let skew = Skew::new(&stage);
    skew.set("-3h");
    let program = skew.program();
    let program: Vec<_> = program.iter().map(String::as_str).collect();
    stage.replicas[0].start(&[]);
    stage.replicas[1].start(&program);
    for replica in &mut stage.replicas {
        replica.ready().await;
    }
    // Forwards only: the date by which it is seen that the clock has changed is kept until it has passed.
    let offsets: &[&str] = if is_full() {
        &["-2h", "-1h", "-5m", "+5m", "+1h"]
    } else {
        &["-1h", "+5m"]
    };
    for (step, offset) in offsets.iter().enumerate() {
        skew.set(offset);
        is_wrong(&stage, offset).await;
        platform.hold();
        // One by a replica with a clock that is right, one by the other.
        let held = (0..2).map(|replica| (replica, format!("C{step}-{replica}")));
        let held: Vec<_> = held.collect();
        for (replica, conversation) in &held {
            let client = stage.client(*replica);
            let said = client.say(ACCOUNT, conversation, conversation, "one").await;
            said.expect("taken");
        }
        a_question_waits_its_time(&stage, &format!("Q{step}")).await;
        for (_, conversation) in &held {
            let mut events = events(&stage, conversation);
            let early = timeout(HELD, settled(&mut events, conversation)).await;
            assert!(early.is_err(), "{offset}: {conversation} became {early:?}");
        }
        platform.release();
        for (_, conversation) in &held {
            let became = settled(&mut events(&stage, conversation), conversation).await;
            assert_eq!(became, DeliveryState::Delivered, "{offset}: {conversation}");
        }
    }
    let said = platform.requests();
    let said = said
        .iter()
        .filter(|request| request.json()["text"] == "one");
    assert_eq!(said.count(), 2 * offsets.len(), "each once");
    // By the database's clock, which is this machine's, whichever replica recorded it; and in order.
    let times = stage
        .postgres
        .ask("SELECT recorded_at FROM event ORDER BY position")
        .await;
    let times: Vec<i64> = times
        .lines()
        .map(|time| time.parse().expect("a number"))
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let now = (seconds(SystemTime::now()) + 1) * 1_000_000;
    let within = now - 180_000_000..=now;
    assert!(
        times.iter().all(|time| within.contains(time)),
        "{times:?} at {now}"
    );
}

fn events(stage: &Stage, conversation: &str) -> Events {
    let subscription = Subscription::new()
        .accounts([ACCOUNT])
        .conversations([conversation])
        .from_earliest();
    Events::new(stage.client(0).subscribe(subscription))
}

/// A question that the replica with the wrong clock holds.
async fn a_question_waits_its_time(stage: &Stage, conversation: &str) {
    let mut events = events(stage, conversation);
    let mut asked = Connection::open(stage.replicas[1].setup.webhooks).await;
    let body = action(conversation, "fetch");
    let begun = Instant::now();
    asked
        .post(&format!("/webhooks/{AGENT}"), &[], body.as_bytes())
        .await;
    let request = action_requested(&mut events).await.request_id;
    let reply = asked.reply().await.expect("an answer");
    let took = begun.elapsed();
    println!("a question got its fallback after {} ms", took.as_millis());
    assert_eq!(reply.status, 200);
    assert!((ITS_TIME..ITS_TIME + LATE).contains(&took), "{took:?}");
    let closed = request_closed(&mut events).await;
    assert_eq!(
        (&closed.request_id, closed.outcome()),
        (&request, RequestOutcome::FellBack)
    );
}

/// Waits until the replica's clock is as wrong as was wished: otherwise nothing here means anything.
async fn is_wrong(stage: &Stage, offset: &str) {
    let (wished, mut found) = (in_seconds(offset), 0);
    let wrong = async {
        loop {
            found = seconds_ahead(stage).await;
            if (found - wished).abs() < NEAR {
                return;
            }
        }
    };
    let wrong = timeout(SET_WITHIN, wrong).await;
    assert!(wrong.is_ok(), "{offset}: it is {found} s ahead");
    println!("{offset}: it is {found} s ahead");
}

/// How far the replica's clock is ahead of ours, as it tells in its answers.
async fn seconds_ahead(stage: &Stage) -> i64 {
    let mut connection = Connection::open(stage.replicas[1].setup.ops()).await;
    connection.head("GET", "/healthz", &[]).await;
    let reply = connection.reply().await.expect("an answer");
    let date = reply.header("date").expect("a date");
    let theirs = seconds(httpdate::parse_http_date(date).expect("a date"));
    theirs - seconds(SystemTime::now())
}

/// An offset as the library reads it: a sign, a number, and `h` or `m`.
fn in_seconds(offset: &str) -> i64 {
    let (number, unit) = offset.split_at(offset.len() - 1);
    let number: i64 = number.parse().expect("a number");
    number * if unit == "h" { 3600 } else { 60 }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(since.as_secs()).expect("it fits")
}
