//! Replicas, the broker between them and the database beneath them are killed in turn, under load, and what everybody
//! wrote down is held against the log.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use parloir_client::Client;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    broker::Broker,
    stage::{Front, Stage, Wishes},
};
use crate::{
    crash::{
        callers,
        followers::{Follower, followed, replay},
        gallery::{Gallery, Seen},
        load::{Entrance, Load, Patience},
        verdict, webhooks,
    },
    full::{is_full, seed},
    journal::{Journal, Logged},
    process::BOT,
};

/// Every subscriber hears what is committed after its replica was killed, within this.
const RESUMED_WITHIN: Duration = Duration::from_secs(5);
/// The same from the moment at which the database is there again. It recovers, and replicas ask it what became of their
/// last commits.
const DATABASE_BACK_WITHIN: Duration = Duration::from_secs(20);
/// For what must come to rest once nobody kills any more. Each kill stops the lanes of requests that were under way for the
/// agent's time limit and 15 s, so after many a queue is left that is as long as it may be (`max_queue_age`, 5 min).
const LONGEST_REST: Duration = Duration::from_mins(10);

const CONVERSATIONS: usize = 14;
const FOLLOWERS: usize = 12;
/// Some 30 calls and 40 webhooks a second.
const PACE: u64 = 10;

const WISHES: Wishes<'_> = Wishes {
    // Calls answer early, so that many are acknowledged while their delivery is under way.
    settings: r#"grpc.answer_within = "100ms""#,
    agent: r#"send_timeout = "2s""#,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kills_of_replicas_broker_and_database_in_turn() {
    let seed = seed("replicas::killed");
    let rounds = if is_full() { 200 } else { 10 };
    let mut run = Run::new(seed).await;
    run.play(rounds).await;
    let (counts, journals, replay) = run.rest().await;
    println!("{counts}");
    let report = verdict("replicas", seed, &journals, &replay);
    assert!(counts.slowest <= RESUMED_WITHIN, "{counts}");
    assert!(
        counts.loaded > rounds && report.acknowledged > 20 * rounds,
        "hardly anything was under way: {counts}"
    );
}

struct Run {
    random: fastrand::Rng,
    load: Load,
    stage: Stage,
    front: Front,
    broker: Broker,
    gallery: Arc<Gallery>,
    followers: JoinSet<()>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    replicas: usize,
    brokers: usize,
    databases: usize,
    /// Kills with operations acknowledged and others unanswered under way.
    loaded: usize,
    /// Replicas that ended by themselves, because nobody could tell them what became of a commit.
    gave_up: usize,
    operations: usize,
    resumed: usize,
    /// The longest time from a replica's kill until every subscriber heard something new.
    slowest: Duration,
    /// The same from the database's return.
    slowest_database: Duration,
}

impl Run {
    async fn new(seed: u64) -> Self {
        let load = Load::new(seed, CONVERSATIONS, PACE).await;
        let broker = Broker::start().await;
        let own = broker.settings();
        let settings = format!("{}\n{own}", WISHES.settings);
        let wishes = Wishes {
            settings: &settings,
            ..WISHES
        };
        let stage = Stage::running(&load.simulator.base_url(), 2, wishes).await;
        let front = Front::of(&stage).await;
        load.simulator.set_webhook_url(BOT, &front.webhook_url());
        let gallery = Gallery::new(&load.recorder);
        Self {
            random: fastrand::Rng::with_seed(seed),
            load,
            stage,
            front,
            broker,
            gallery,
            followers: JoinSet::new(),
            counts: Counts::default(),
        }
    }

    async fn play(&mut self, rounds: usize) {
        self.begin();
        for round in 0..rounds {
            self.kill_replica(round % 2).await;
            self.kill_broker().await;
            self.kill_database().await;
            self.load.still_runs();
            assert!(self.followers.try_join_next().is_none(), "one gave up");
        }
    }

    fn begin(&mut self) {
        // The drivers repeat calls by themselves, so that every try is theirs to count.
        let client = || {
            let client = Client::builder(self.front.url()).attempts(1);
            let client = client.deadline(Duration::from_secs(5)).connect_lazy();
            client.expect("a valid address")
        };
        let entrance = Entrance {
            clients: (0..8).map(|_| client()).collect(),
            webhooks: self.front.webhooks.address(),
        };
        let patience = Patience {
            calls: callers::may_be_repeated,
            webhooks: webhooks::may_be_repeated,
        };
        self.load.begin(&entrance, patience);
        let urls: Vec<_> = (0..2).map(|number| self.stage.url(number)).collect();
        for (number, (name, conversations)) in
            followed(FOLLOWERS, CONVERSATIONS).into_iter().enumerate()
        {
            let follower = Follower::new(&self.gallery, name, conversations);
            if number % 3 == 0 {
                self.followers.spawn(follower.behind_a_front(client()));
            } else {
                let urls = urls.clone();
                self.followers
                    .spawn(follower.go_from_one_to_the_next(urls, number));
            }
        }
    }

    async fn kill_replica(&mut self, victim: usize) {
        self.pause(1000).await;
        self.note_load();
        let before = self.gallery.seen();
        let newest = newest(&before);
        self.stage.replicas[victim].kill();
        self.counts.replicas += 1;
        let killed = Instant::now();
        let resumed = self.gallery.until(|name, seen| {
            let was = &before[name];
            // What it still reads from its dead connection is nothing new.
            let has_left = was.at != Some(victim) || seen.connection > was.connection;
            has_left && seen.position > newest
        });
        let Ok(resumed) = timeout(RESUMED_WITHIN, resumed).await else {
            let (now, survivor) = (self.gallery.seen(), 1 - victim);
            let words = self.stage.replicas[survivor].server().last_words();
            panic!(
                "not resumed after {RESUMED_WITHIN:?}: {victim} was killed at {newest}; {now:#?}\n{words}"
            );
        };
        self.counts.slowest = self.counts.slowest.max(resumed - killed);
        let replica = &mut self.stage.replicas[victim];
        replica.start(&[]);
        // Now and then it is killed before it has done anything.
        if self.random.u8(0..5) == 0 {
            self.pause(200).await;
            self.stage.replicas[victim].kill();
            self.counts.replicas += 1;
            self.stage.replicas[victim].start(&[]);
        }
        self.stage.replicas[victim].ready().await;
    }

    /// Nothing but promptness depends on it.
    async fn kill_broker(&mut self) {
        self.pause(500).await;
        self.note_load();
        let newest = newest(&self.gallery.seen());
        self.broker.kill().await;
        self.counts.brokers += 1;
        self.heard_after(newest, RESUMED_WITHIN).await;
        self.broker.start_again().await;
    }

    async fn kill_database(&mut self) {
        self.pause(1000).await;
        self.note_load();
        self.stage.postgres.kill().await;
        self.counts.databases += 1;
        self.pause(1000).await;
        self.stage.postgres.start_again().await;
        let newest = newest(&self.gallery.seen());
        self.start_those_that_gave_up().await;
        let took = self.heard_after(newest, DATABASE_BACK_WITHIN).await;
        self.counts.slowest_database = self.counts.slowest_database.max(took);
        self.start_those_that_gave_up().await;
    }

    /// Waits until every subscriber has heard something behind that position. Answers how long it took.
    async fn heard_after(&self, position: u64, within: Duration) -> Duration {
        let begun = Instant::now();
        let heard = self.gallery.until(|_, seen| seen.position > position);
        match timeout(within, heard).await {
            Ok(heard) => heard - begun,
            Err(tokio::time::error::Elapsed { .. }) => {
                panic!("nothing new after {within:?}: {:#?}", self.gallery.seen())
            }
        }
    }

    /// As whoever runs them would.
    async fn start_those_that_gave_up(&mut self) {
        for replica in &mut self.stage.replicas {
            if replica.server().has_ended().is_some() {
                self.counts.gave_up += 1;
                replica.start(&[]);
                replica.ready().await;
            }
        }
    }

    async fn pause(&mut self, most: u64) {
        tokio::time::sleep(Duration::from_millis(self.random.u64(0..most))).await;
    }

    fn note_load(&mut self) {
        let (acknowledged, unanswered) = self.load.recorder.in_flight();
        self.counts.loaded += usize::from(acknowledged > 0 && unanswered > 0);
    }

    /// Lets everything come to its end, and reads the log.
    async fn rest(mut self) -> (Counts, Vec<Journal>, Vec<Logged>) {
        self.load.end(LONGEST_REST).await;
        let seen = replay(&self.stage.url(0)).await;
        self.load
            .followed(&followed(FOLLOWERS, CONVERSATIONS), &seen, LONGEST_REST)
            .await;
        self.followers.shutdown().await;
        // Once more, from the disk: what somebody still holds in memory proves nothing.
        for replica in &mut self.stage.replicas {
            replica.kill();
        }
        self.stage.postgres.kill().await;
        self.stage.postgres.start_again().await;
        self.stage.start().await;
        let mut replay = replay(&self.stage.url(1)).await;
        let end = seen.last().map_or(0, |logged| logged.position);
        replay.retain(|logged| logged.position <= end);
        self.counts.operations = self.load.recorder.operations();
        self.counts.resumed = self.load.recorder.resumes();
        (self.counts, self.load.journals(end), replay)
    }
}

fn newest(seen: &BTreeMap<String, Seen>) -> u64 {
    let positions = seen.values().map(|seen| seen.position);
    positions.max().unwrap_or_default()
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "killed: {} replicas, {} brokers, {} databases; {} of the kills with acknowledged and unanswered operations \
             in flight; {} replicas ended by themselves; {} operations acknowledged; subscribers began or resumed {} \
             times, all of them within {} ms of a replica's kill and {} ms of the database's return",
            self.replicas,
            self.brokers,
            self.databases,
            self.loaded,
            self.gave_up,
            self.operations,
            self.resumed,
            self.slowest.as_millis(),
            self.slowest_database.as_millis(),
        )
    }
}
