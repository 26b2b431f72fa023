//! One run: the load, the kills, and the rest at the end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parloir::simulate::Simulator;
use parloir_client::Client;
use tokio::{task::JoinSet, time::timeout};

use super::{
    agent,
    callers::Caller,
    followers::{Follower, replay},
    recorder::Recorder,
    webhooks::Sender,
};
use crate::{
    journal::{Journal, Logged},
    process::{BOT, Server, Setup},
};

/// Calls answer early, so that many are acknowledged while their delivery is under way.
const SETTINGS: &str = r#"grpc.answer_within = "100ms""#;

/// For what must come to rest once nobody kills any more: the slowest thing is an agent's breaker, 10 s.
const LONGEST_REST: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
pub struct Plan {
    /// Kills at least.
    pub kills: usize,
    /// Of those, with operations acknowledged and others unanswered under way, at least.
    pub loaded_kills: usize,
    pub conversations: usize,
    pub followers: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            kills: 25,
            loaded_kills: 20,
            conversations: 12,
            followers: 20,
        }
    }
}

pub struct Run {
    plan: Plan,
    random: fastrand::Rng,
    recorder: Arc<Recorder>,
    simulator: Simulator,
    setup: Setup,
    stop: Arc<AtomicBool>,
    drivers: JoinSet<()>,
    followers: JoinSet<()>,
}

pub struct Ended {
    pub plan: Plan,
    pub kills: usize,
    pub loaded_kills: usize,
    pub operations: usize,
    /// Times that a subscriber began or resumed.
    pub resumed: usize,
    pub journals: Vec<Journal>,
    pub replay: Vec<Logged>,
}

impl Run {
    pub async fn new(seed: u64, plan: Plan) -> Self {
        let recorder = Arc::new(Recorder::new());
        let simulator = agent::start(&recorder, seed).await;
        let setup = Setup::new(&simulator.base_url(), SETTINGS);
        simulator.set_webhook_url(BOT, &setup.webhook_url());
        Self {
            plan,
            random: fastrand::Rng::with_seed(seed),
            recorder,
            simulator,
            setup,
            stop: Arc::default(),
            drivers: JoinSet::new(),
            followers: JoinSet::new(),
        }
    }

    pub async fn play(mut self) -> Ended {
        let mut server = self.setup.start(&[]);
        server.ready().await;
        self.begin();
        let (mut kills, mut loaded_kills) = (0, 0);
        // Twice the plan is more than bad luck: then there is too little load, and the counts will say so.
        while (kills < self.plan.kills || loaded_kills < self.plan.loaded_kills)
            && kills < 2 * self.plan.kills
        {
            let loaded = self.kill(&mut server).await;
            kills += 1;
            loaded_kills += usize::from(loaded);
            server = self.setup.start(&[]);
        }
        server.ready().await;
        self.rest(server, kills, loaded_kills).await
    }

    /// One in five kills hits a server that has hardly begun, the others one at work.
    async fn kill(&mut self, server: &mut Server) -> bool {
        if self.random.u8(0..5) > 0 {
            server.ready().await;
        }
        tokio::time::sleep(Duration::from_millis(self.random.u64(0..1200))).await;
        let (acknowledged, unanswered) = self.recorder.in_flight();
        server.kill();
        assert!(self.drivers.try_join_next().is_none(), "a driver gave up");
        acknowledged > 0 && unanswered > 0
    }

    fn begin(&mut self) {
        let url = self.setup.grpc_url();
        // A client repeats calls by itself; here the drivers do, so that every try is theirs to count.
        let client = Client::builder(&url)
            .attempts(1)
            .deadline(Duration::from_secs(5));
        let client = client.connect_lazy().expect("a valid address");
        for number in 0..self.plan.conversations {
            let conversation = format!("c{number}");
            // Every third conversation has two callers at once.
            for caller in 0..=usize::from(number.is_multiple_of(3)) {
                self.spawn_caller(client.clone(), &conversation, caller);
            }
            self.spawn_sender(&conversation, number);
            // And one that no caller ever opened.
            self.spawn_sender(&format!("w{number}"), number);
        }
        for number in 0..self.plan.followers {
            self.spawn_follower(&client, &url, number);
        }
    }

    fn spawn_caller(&mut self, client: Client, conversation: &str, number: usize) {
        let caller = Caller {
            client,
            recorder: Arc::clone(&self.recorder),
            stop: Arc::clone(&self.stop),
            conversation: conversation.to_owned(),
            name: format!("{conversation}-{number}"),
            random: self.random.fork(),
        };
        self.drivers.spawn(caller.run());
    }

    fn spawn_sender(&mut self, conversation: &str, number: usize) {
        let sender = Sender {
            to: self.setup.webhooks,
            recorder: Arc::clone(&self.recorder),
            stop: Arc::clone(&self.stop),
            conversation: conversation.to_owned(),
            name: format!("sender-{conversation}-{number}"),
            random: self.random.fork(),
        };
        self.drivers.spawn(sender.run());
    }

    fn spawn_follower(&mut self, client: &Client, url: &str, number: usize) {
        let conversation = format!("c{}", number % self.plan.conversations);
        let follower = Follower {
            recorder: Arc::clone(&self.recorder),
            name: follower_name(number),
            conversations: if number.is_multiple_of(2) {
                Vec::new()
            } else {
                vec![conversation]
            },
        };
        if number % 4 < 2 {
            self.followers
                .spawn(follower.run_with_client(client.clone()));
        } else {
            self.followers.spawn(follower.run_by_hand(url.to_owned()));
        }
    }

    /// Lets everything come to its end, and reads the log. What does not come to its end is the checker's to tell.
    async fn rest(mut self, mut server: Server, kills: usize, loaded_kills: usize) -> Ended {
        self.stop.store(true, Ordering::Relaxed);
        let drivers = async {
            while let Some(ended) = self.drivers.join_next().await {
                ended.expect("a driver ends well");
            }
        };
        timeout(LONGEST_REST, drivers)
            .await
            .expect("every call is answered in the end");
        let through = self
            .recorder
            .until(|recorder| recorder.in_flight() == (0, 0));
        let _ = timeout(LONGEST_REST, through).await;
        for number in 0..self.plan.conversations {
            self.simulator.settle(BOT, &format!("c{number}")).await;
        }
        let seen = replay(&self.setup.grpc_url()).await;
        let _ = timeout(LONGEST_REST, self.followed(&seen)).await;
        self.followers.shutdown().await;
        // Once more, from the disk: what a server still holds in memory proves nothing.
        server.kill();
        let mut server = self.setup.start(&[]);
        server.ready().await;
        let mut replay = replay(&self.setup.grpc_url()).await;
        let end = seen.last().map_or(0, |logged| logged.position);
        replay.retain(|logged| logged.position <= end);
        let mut journals = self.recorder.journals(end);
        journals.push(agent::journal(&self.simulator));
        Ended {
            plan: self.plan,
            kills,
            loaded_kills,
            operations: self.recorder.operations(),
            resumed: self.recorder.resumes(),
            journals,
            replay,
        }
    }

    /// Waits until every follower has come to the end of the part that it follows.
    async fn followed(&self, replay: &[Logged]) {
        for number in 0..self.plan.followers {
            let conversation = format!("c{}", number % self.plan.conversations);
            let wanted = replay
                .iter()
                .rev()
                .find(|logged| number.is_multiple_of(2) || logged.conversation == conversation);
            let end = wanted.map_or(0, |logged| logged.position);
            self.recorder
                .until(|recorder| recorder.reached(&follower_name(number)) >= end)
                .await;
        }
    }
}

impl Ended {
    pub fn summary(&self) -> String {
        format!(
            "{} kills, {} of them with acknowledged and unanswered operations in flight; {} operations acknowledged; \
             subscribers began or resumed {} times",
            self.kills, self.loaded_kills, self.operations, self.resumed
        )
    }
}

fn follower_name(number: usize) -> String {
    format!("follower-{number}")
}
