//! Callers that give up at every moment of a slow commit: what was answered is there, what was not is there wholly or not at
//! all, and no connection is left inside a transaction.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parloir_client::{Client, v1::UpdateParametersRequest};
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
    crash::{
        agent,
        facts::{parameters_key, start_key, webhook_key},
        followers::{Follower, replay},
        gallery::Gallery,
        recorder::Recorder,
        verdict,
    },
    full::{is_full, seed},
    journal::{Fault, check},
    process::ACCOUNT,
    support::server::parameter,
    webhook,
};

/// What each statement takes longer, there and back: about as long as from one moment to the next, so that none goes by
/// unmet.
const DELAY: Duration = Duration::from_millis(5);
const STEP: Duration = Duration::from_millis(10);
/// At most so many, however slow the machine.
const MOST_STEPS: u32 = 150;
/// After this, a transaction in which nothing has happened for half of it was left open.
const LEFT_AFTER: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_mins(1);

const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
const LEFT_OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
                         AND state_change < clock_timestamp() - interval '500 ms'";

/// What the server says to whoever gets a connection in whose transaction another left off.
const HANDED_ON: &str = "there is already a transaction in progress";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_give_up_at_any_moment_lose_no_row_and_leave_no_transaction_open() {
    let seed = seed("replicas::cancelled");
    let recorder = Arc::new(Recorder::new());
    let simulator = agent::start(&recorder, seed).await;
    let postgres = Postgres::start().await;
    let wire = Wire::to(postgres.address()).await;
    let wishes = Wishes {
        settings: r#"grpc.answer_within = "100ms""#,
        ..Wishes::default()
    };
    let by_wire = [wire.address()];
    let mut stage = Stage::over(postgres, &by_wire, &simulator.base_url(), wishes);
    stage.start().await;
    // The platform's answers go nowhere: what else would be committed might end what was left open.
    let gallery = Gallery::new(&recorder);
    let follower = Follower::new(&gallery, "follower".to_owned(), Vec::new());
    let mut following = JoinSet::new();
    following.spawn(follower.go_from_one_to_the_next(vec![stage.url(0)], 0));
    let impatient = Impatient::new(&stage, &recorder);
    impatient.open_conversations().await;

    wire.set(Weather::Delay(DELAY));
    let steps = impatient.steps().await;
    let rounds = if is_full() { 10 } else { 1 };
    let mut left = Vec::new();
    for step in (0..rounds).flat_map(|_| 1..=steps) {
        impatient.all_at_once(STEP * step).await;
        // Work that was begun goes on and ends; what nobody ends is still there.
        if !all_end(&stage.postgres).await {
            left.push(STEP * step);
        }
    }
    wire.set(FAIR);

    let (answered, given_up) = (recorder.operations(), recorder.in_flight().1);
    let handed_on = stage.postgres.has_said(HANDED_ON);
    println!(
        "{given_up} calls given up and {answered} answered, at {steps} moments {rounds} times over; transactions left open at \
         {} of them: {left:?}; handed on open {handed_on} times",
        left.len()
    );
    let log = replay(&stage.url(0)).await;
    let end = log.last().map_or(0, |logged| logged.position);
    let mut faults = check(&recorder.journals(end), &log).faults;
    // What is under way still is on its way.
    faults.retain(|fault| !matches!(fault, Fault::NeverDelivered { .. }));
    assert_eq!(faults, []);

    // What was given up is repeated with its key: it is there once, whether it was there before or not.
    impatient.see_through().await;
    let through = recorder.until(|recorder| recorder.in_flight() == (0, 0));
    let _ = timeout(LONGEST_REST, through).await;
    let log = replay(&stage.url(0)).await;
    let end = log.last().map_or(0, |logged| logged.position);
    let mut journals = recorder.journals(end);
    journals.push(agent::journal(&simulator));
    let report = verdict("cancelled", seed, &journals, &log);
    assert!(report.acknowledged > given_up, "{report}");
    assert_eq!((left, handed_on), (Vec::new(), 0));
    // Otherwise the moments were not those of a commit.
    assert!(given_up > 40 && answered > 20, "{given_up} {answered}");
}

/// Whether every transaction ends, or goes on at least, within [`LEFT_AFTER`].
async fn all_end(postgres: &Postgres) -> bool {
    let until = Instant::now() + LEFT_AFTER;
    while postgres.count(OPEN).await > 0 {
        if Instant::now() >= until {
            return postgres.count(LEFT_OPEN).await == 0;
        }
    }
    true
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Start,
    Say,
    Set,
    Post,
}

const ACTS: [Act; 4] = [Act::Start, Act::Say, Act::Set, Act::Post];

/// One thing that a caller wants, under one key however often it is tried.
#[derive(Debug, Clone)]
struct Wish {
    act: Act,
    conversation: String,
    id: String,
}

impl Wish {
    fn key(&self) -> String {
        match self.act {
            Act::Start => start_key(&self.id),
            Act::Say => self.id.clone(),
            Act::Set => parameters_key(&self.id),
            Act::Post => webhook_key(&self.id),
        }
    }
}

#[derive(Clone)]
struct Impatient {
    client: Client,
    webhooks: SocketAddr,
    recorder: Arc<Recorder>,
    given_up: Arc<Mutex<Vec<Wish>>>,
}

impl Impatient {
    fn new(stage: &Stage, recorder: &Arc<Recorder>) -> Self {
        Self {
            client: stage.client(0),
            webhooks: stage.replicas[0].setup.webhooks,
            recorder: Arc::clone(recorder),
            given_up: Arc::default(),
        }
    }

    async fn open_conversations(&self) {
        for act in ACTS {
            let conversation = conversation(act);
            let opened = self.client.start(ACCOUNT, &conversation, &conversation);
            opened.await.expect("it opens");
        }
    }

    /// How many moments there are: half as many again as pass until everybody has an answer.
    async fn steps(&self) -> u32 {
        let begun = Instant::now();
        self.all_at_once(LONGEST_REST).await;
        let steps = (begun.elapsed().as_millis() * 3 / 2).div_ceil(STEP.as_millis());
        u32::try_from(steps).map_or(MOST_STEPS, |steps| steps.min(MOST_STEPS))
    }

    /// Every caller wants something and gives up after the same time.
    async fn all_at_once(&self, patience: Duration) {
        let mut callers = JoinSet::new();
        for act in ACTS {
            let wish = Wish {
                act,
                conversation: conversation(act),
                id: format!("{act:?}-{:x}", fastrand::u64(..)),
            };
            callers.spawn(self.clone().try_once(wish, patience));
        }
        while let Some(done) = callers.join_next().await {
            done.expect("a caller ends well");
        }
    }

    async fn try_once(self, wish: Wish, patience: Duration) {
        let key = wish.key();
        self.recorder.asked(&key, &wish.conversation, &key);
        // Dropped when its time is over: the server learns it from the reset stream, or the closed connection.
        if let Ok(true) = timeout(patience, self.act(&wish)).await {
            self.recorder.acknowledged(&key, &key);
        } else {
            let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
            given_up.push(wish);
        }
    }

    async fn see_through(&self) {
        let given_up = {
            let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *given_up)
        };
        for wish in given_up {
            let until = Instant::now() + LONGEST_REST;
            while !self.act(&wish).await {
                assert!(Instant::now() < until, "never answered: {wish:?}");
            }
            let key = wish.key();
            self.recorder.acknowledged(&key, &key);
        }
    }

    /// Whether it is answered well.
    async fn act(&self, wish: &Wish) -> bool {
        let Wish {
            act,
            conversation,
            id,
        } = wish;
        match act {
            Act::Start => {
                let started = self.client.start(ACCOUNT, conversation, id);
                started.await.is_ok()
            }
            Act::Say => {
                let said = self.client.say(ACCOUNT, conversation, id, id);
                said.await.is_ok()
            }
            Act::Set => {
                let request = UpdateParametersRequest {
                    account: ACCOUNT.to_owned(),
                    conversation_id: conversation.clone(),
                    command_id: id.clone(),
                    parameters: vec![parameter("round", id, false)],
                };
                self.client.update_parameters(request).await.is_ok()
            }
            Act::Post => {
                let body = webhook::message(conversation, id);
                matches!(webhook::post(self.webhooks, &body).await, Ok(200))
            }
        }
    }
}

fn conversation(act: Act) -> String {
    format!("{act:?}")
}
