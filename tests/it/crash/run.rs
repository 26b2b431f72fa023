//! One run: the load, the kills, and the rest at the end.

use std::time::Duration;

use parloir_client::Client;
use tokio::task::JoinSet;

use super::{
    callers,
    followers::{Follower, followed, replay},
    gallery::Gallery,
    load::{Entrance, Load, Patience},
    webhooks,
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

impl Plan {
    pub fn full() -> Self {
        Self {
            kills: 500,
            loaded_kills: 400,
            ..Self::default()
        }
    }
}

pub struct Run {
    plan: Plan,
    random: fastrand::Rng,
    load: Load,
    setup: Setup,
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
        let load = Load::new(seed, plan.conversations, 1).await;
        let setup = Setup::new(&load.simulator.base_url(), SETTINGS);
        load.simulator.set_webhook_url(BOT, &setup.webhook_url());
        Self {
            plan,
            random: fastrand::Rng::with_seed(seed),
            load,
            setup,
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
        let (acknowledged, unanswered) = self.load.recorder.in_flight();
        server.kill();
        self.load.still_runs();
        acknowledged > 0 && unanswered > 0
    }

    fn begin(&mut self) {
        let url = self.setup.grpc_url();
        // A client repeats calls by itself; here the drivers do, so that every try is theirs to count.
        let client = Client::builder(&url)
            .attempts(1)
            .deadline(Duration::from_secs(5));
        let client = client.connect_lazy().expect("a valid address");
        let entrance = Entrance {
            clients: vec![client.clone()],
            webhooks: self.setup.webhooks,
        };
        let patience = Patience {
            calls: callers::may_be_repeated,
            webhooks: webhooks::may_be_repeated,
        };
        self.load.begin(&entrance, patience);
        let gallery = Gallery::new(&self.load.recorder);
        for (number, (name, conversations)) in self.followed().into_iter().enumerate() {
            let follower = Follower::new(&gallery, name, conversations);
            if number % 4 < 2 {
                self.followers
                    .spawn(follower.behind_a_front(client.clone()));
            } else {
                self.followers
                    .spawn(follower.go_from_one_to_the_next(vec![url.clone()], 0));
            }
        }
    }

    /// Lets everything come to its end, and reads the log.
    async fn rest(mut self, mut server: Server, kills: usize, loaded_kills: usize) -> Ended {
        self.load.end(LONGEST_REST).await;
        let seen = replay(&self.setup.grpc_url()).await;
        self.load
            .followed(&self.followed(), &seen, LONGEST_REST)
            .await;
        self.followers.shutdown().await;
        // Once more, from the disk: what a server still holds in memory proves nothing.
        server.kill();
        let mut server = self.setup.start(&[]);
        server.ready().await;
        let mut replay = replay(&self.setup.grpc_url()).await;
        let end = seen.last().map_or(0, |logged| logged.position);
        replay.retain(|logged| logged.position <= end);
        Ended {
            plan: self.plan,
            kills,
            loaded_kills,
            operations: self.load.recorder.operations(),
            resumed: self.load.recorder.resumes(),
            journals: self.load.journals(end),
            replay,
        }
    }

    fn followed(&self) -> Vec<(String, Vec<String>)> {
        followed(self.plan.followers, self.plan.conversations)
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
