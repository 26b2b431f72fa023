//! Sinks on a real database, with a stream that does what it is told.

mod stream;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use super::*;
use crate::{
    committer::{CommitterSettings, Observers},
    domain::{Timestamp, ports::Transaction},
    store::tests::{Scratch, event, id},
};
use stream::{Play, Stream};

const PATIENCE: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(90);
const RETENTION: Duration = Duration::from_secs(100);

/// A log, and a stream that it is relayed to.
struct Stage {
    scratch: Scratch,
    committer: Committer,
    heads: Arc<Mutex<watch::Sender<Position>>>,
    stream: Arc<Stream>,
    sequence: AtomicU64,
}

struct Running {
    task: JoinHandle<()>,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("ends in order");
    }

    /// As if its machine had died.
    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    fn shows(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|shown| shown == line)
    }
}

impl Stage {
    async fn new() -> Self {
        let scratch = Scratch::new().await;
        let heads = Arc::new(Mutex::new(watch::Sender::new(Position(0))));
        let told = Arc::clone(&heads);
        let observers = Observers {
            publish: Box::new(move |batch| {
                if let Some(last) = batch.events.last() {
                    told.lock().expect("whole").send_replace(last.position);
                }
            }),
            fatal: Box::new(|| ()),
            metrics: Metrics::new(),
        };
        let settings = CommitterSettings::default();
        Self {
            committer: Committer::start(scratch.store.clone(), settings, observers),
            scratch,
            heads,
            stream: Arc::default(),
            sequence: AtomicU64::new(0),
        }
    }

    async fn append(&self, events: u64) {
        for _ in 0..events {
            let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
            let unit = Append(event("c", sequence, 10));
            self.committer.submit(unit).await.expect("commits");
        }
    }

    fn start(&self) -> Running {
        self.start_with(|_, _| ())
    }

    fn start_with(&self, change: impl FnOnce(&mut Settings, &mut Parts)) -> Running {
        let metrics = Metrics::new();
        let mut parts = Parts {
            store: self.scratch.store.clone(),
            committer: self.committer.clone(),
            heads: self.heads.lock().expect("whole").subscribe(),
            clock: self.scratch.clock.clone(),
            metrics: Arc::clone(&metrics),
            is_shared: true,
        };
        let mut settings = Settings {
            name: id("crm"),
            tenants: Vec::new(),
            start: Start::Earliest,
            max_in_flight: 4,
            max_in_flight_bytes: 1 << 20,
            retry_max: Duration::from_millis(100),
            lease: LEASE,
            retention_age: RETENTION,
        };
        change(&mut settings, &mut parts);
        let stop = CancellationToken::new();
        let sink = Sink::new(parts, settings, self.stream.clone());
        Running {
            task: tokio::spawn(sink.run(stop.clone())),
            stop,
            metrics,
        }
    }

    async fn state(&self) -> SinkState {
        let take = Take {
            name: id("crm"),
            begin: Position(0),
            lease: None,
            alone: false,
        };
        let taken = self.committer.submit(take).await.expect("reads");
        taken.output.state
    }

    /// A lease that nobody renews is over.
    fn pass(&self, time: Duration) {
        let now = crate::domain::Clock::now(self.scratch.clock.as_ref());
        self.scratch.clock.set((now + time).0);
    }
}

struct Append(crate::domain::NewEvent);

#[async_trait::async_trait]
impl crate::domain::ports::Unit for Append {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        tx.append(self.0.clone());
        Ok(())
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let held = tokio::time::timeout(PATIENCE, wait).await;
    assert!(held.is_ok(), "not {what} within {PATIENCE:?}");
}

fn all(through: u64) -> Vec<u64> {
    (1..=through).collect()
}

#[tokio::test]
async fn every_event_comes_once_in_order_and_a_restart_goes_on() {
    let stage = Stage::new().await;
    stage.append(10).await;
    let first = stage.start();
    stage.stream.has(10).await;
    stage.append(5).await;
    stage.stream.has(15).await;
    first.stop().await;
    let kept = stage.state().await;
    assert_eq!(kept.position, Position(15));
    assert_eq!(kept.leased_until, Timestamp(0), "given back");

    stage.append(5).await;
    let second = stage.start();
    stage.stream.has(20).await;
    second.stop().await;
    assert_eq!(stage.stream.stored(), all(20));
    assert_eq!(stage.stream.given(), all(20), "nothing was given twice");
}

#[tokio::test]
async fn ids_are_the_logs_identity_and_the_position_and_what_is_given_is_the_event() {
    let stage = Stage::new().await;
    stage.append(1).await;
    let running = stage.start();
    stage.stream.has(1).await;
    running.stop().await;
    let message = stage.stream.message(1);
    let epoch = stage.scratch.store.epoch();
    assert_eq!(message.id, format!("{epoch:016x}/0/1"));
    assert_eq!(
        (message.tenant.as_str(), message.account.as_str()),
        ("acme", "shop")
    );
    assert_eq!(
        (message.conversation_id.as_str(), message.kind.as_str()),
        ("c", "platform_alert")
    );
    let page = stage.scratch.store.page(Position(0), 1, 1).await;
    assert_eq!(message.bytes, page.expect("reads")[0].bytes);
}

#[tokio::test]
async fn another_server_goes_on_once_the_lease_of_one_that_died_is_over() {
    let stage = Stage::new().await;
    stage.append(10).await;
    let first = stage.start();
    stage.stream.has(10).await;
    until("saved", async || {
        stage.state().await.position == Position(10)
    })
    .await;
    stage.append(3).await;
    stage.stream.has(13).await;
    first.kill().await;
    let token = stage.state().await.token;

    let second = stage.start();
    let lag = "parloir_sink_relaying{sink=\"crm\"} 1";
    // It looks, and leaves alone what is leased.
    until("measured", async || {
        second.metrics.render().contains("parloir_sink_lag_events")
    })
    .await;
    assert!(!second.shows(lag));
    stage.pass(LEASE);
    stage.append(2).await;
    stage.stream.has(15).await;
    assert!(second.shows(lag));
    assert!(stage.state().await.token > token);
    second.stop().await;
    assert_eq!(stage.stream.stored(), all(15));
    let again = stage.stream.given().len() - 15;
    assert!(
        again <= 3,
        "{again} were given twice, of 3 that were not saved"
    );
}

#[tokio::test]
async fn whoever_slept_through_its_lease_gives_nothing_more() {
    let stage = Stage::new().await;
    stage.append(1).await;
    // It cannot renew: its beat is far away.
    let slow = stage.start_with(|settings, _| settings.lease = Duration::from_hours(1));
    stage.stream.has(1).await;
    stage.stream.play(Play::Wait);
    stage.append(4).await;
    stage.stream.waits().await;
    stage.pass(Duration::from_secs(3_601));
    let other = stage.start();
    until("taken", async || stage.state().await.token == 2).await;
    stage.append(4).await;
    stage.stream.has(9).await;
    stage.append(1).await;
    stage.stream.has(10).await;
    // Its page comes so late that the ids are no longer known. It follows something else: it is refused, and the lease is
    // looked at.
    stage.stream.forget_ids();
    stage.stream.go_on();
    until("let go", async || {
        slow.shows("parloir_sink_relaying{sink=\"crm\"} 0")
    })
    .await;
    assert_eq!(stage.stream.stored(), all(10));
    assert_eq!(stage.state().await.token, 2, "it is not taken back");
    slow.stop().await;
    other.stop().await;
    assert_eq!(stage.state().await.position, Position(10));
}

#[tokio::test]
async fn what_is_not_acknowledged_is_given_again_and_nothing_overtakes_it() {
    let stage = Stage::new().await;
    stage.append(12).await;
    for play in [
        Play::Refuse(2),
        Play::Forget(3),
        Play::Refuse(0),
        Play::Forget(0),
        Play::Lose(1),
    ] {
        stage.stream.play(play);
    }
    let running = stage.start();
    stage.stream.has(12).await;
    running.stop().await;
    assert_eq!(stage.stream.stored(), all(12));
    assert!(stage.stream.given().len() > 12);
    assert_eq!(stage.state().await.position, Position(12));
}

#[tokio::test]
async fn a_stream_that_others_write_to_gets_everything_all_the_same() {
    let stage = Stage::new().await;
    stage.append(4).await;
    let running = stage.start();
    stage.stream.has(4).await;
    stage.stream.somebody_else_writes();
    stage.append(4).await;
    stage.stream.has(8).await;
    running.stop().await;
    assert_eq!(stage.stream.stored(), all(8));
}

#[tokio::test]
async fn what_retention_removed_is_told_and_it_goes_on_with_what_is_left() {
    let stage = Stage::new().await;
    stage.stream.connect(false);
    let running = stage.start();
    stage.append(10).await;
    until("seen", async || {
        running.shows("parloir_sink_lag_events{sink=\"crm\"} 10")
    })
    .await;
    // The lease began when it was first seen: at the beginning.
    stage.stream.connect(true);
    stage.stream.has(10).await;
    stage.stream.connect(false);
    stage.append(6).await;
    until("let go", async || {
        running.shows("parloir_sink_relaying{sink=\"crm\"} 0")
    })
    .await;
    stage.pass(Duration::from_secs(10));
    stage.append(2).await;
    stage.pass(RETENTION.saturating_sub(Duration::from_secs(5)));
    let mut tx = stage.scratch.store.begin().await.expect("begins");
    let now = crate::domain::Clock::now(stage.scratch.clock.as_ref());
    assert_eq!(tx.trim_log(now - RETENTION, 100).await, Ok(16));
    tx.commit().await.expect("commits");
    until("measured", async || {
        running.shows("parloir_sink_lag_seconds{sink=\"crm\"} 95")
    })
    .await;
    stage.stream.connect(true);
    stage.stream.has(12).await;
    let stored = stage.stream.stored();
    assert_eq!(stored[10..], [17, 18]);
    assert!(running.shows("parloir_sink_events_overtaken_total{sink=\"crm\"} 6"));
    running.stop().await;
}

#[tokio::test]
async fn others_tenants_are_passed_over_and_count_as_had() {
    let stage = Stage::new().await;
    stage.append(10).await;
    let running = stage.start_with(|settings, _| settings.tenants = vec![id("other")]);
    until("passed over", async || {
        stage.state().await.position == Position(10)
    })
    .await;
    running.stop().await;
    assert_eq!(stage.stream.given(), Vec::<u64>::new());
}

#[tokio::test]
async fn a_new_sink_may_begin_with_the_next_event() {
    let stage = Stage::new().await;
    stage.append(10).await;
    let running = stage.start_with(|settings, _| settings.start = Start::Latest);
    until("taken", async || stage.state().await.token == 1).await;
    stage.append(1).await;
    stage.stream.has(1).await;
    running.stop().await;
    assert_eq!(stage.stream.stored(), [11]);
}

#[tokio::test]
async fn a_server_alone_takes_what_the_process_before_had_and_renews_nothing() {
    let stage = Stage::new().await;
    stage.append(3).await;
    let first = stage.start_with(|_, parts| parts.is_shared = false);
    stage.stream.has(3).await;
    first.kill().await;
    let second = stage.start_with(|_, parts| parts.is_shared = false);
    stage.append(1).await;
    stage.stream.has(4).await;
    second.stop().await;
    assert_eq!(stage.stream.stored(), all(4));
}

#[tokio::test]
async fn nobody_takes_a_sink_that_it_cannot_reach() {
    let stage = Stage::new().await;
    stage.stream.connect(false);
    stage.append(3).await;
    let running = stage.start();
    until("measured", async || {
        running.shows("parloir_sink_lag_events{sink=\"crm\"} 3")
    })
    .await;
    assert_eq!(stage.state().await.token, 0);
    running.stop().await;
    assert_eq!(stage.stream.given(), Vec::<u64>::new());
}
