//! Eight members, three of which die and come back at random, over many conversations: everything is handled, the order
//! of a conversation is never broken at any member, and what comes twice was in somebody's hands at a death.
//!
//! Reduced by default; `PARLOIR_FULL=1` runs it over 2,000 conversations for 60 seconds, as `tests/run crash` does.

mod ledger;
mod member;

use std::{
    env,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use parloir_client::{
    Client,
    v1::{SubscriptionPolicy, WhenParked},
};

use super::stage::{create, policy, stands};
use crate::support::{
    http::Connection,
    server::{AGENT, TestServer},
    webhook::says,
};
use ledger::Ledger;
use member::Living;

/// Names the seed of a run that is to be repeated.
const SEED: &str = "PARLOIR_GROUP_SEED";

const MEMBERS: usize = 8;
/// The first of them, the very first as processes.
const MORTALS: usize = 3;

/// Agents speak on so many connections.
const VOICES: usize = 32;

/// For what is left to come once nobody dies any more.
const REST: Duration = Duration::from_mins(2);

/// Where a server is: for callers, and for the platform.
pub struct Door {
    pub url: String,
    pub webhooks: SocketAddr,
}

struct Group {
    client: Client,
    doors: Vec<Door>,
    ledger: Arc<Ledger>,
    members: Vec<Option<Living>>,
    random: fastrand::Rng,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_eight_members_die_at_random_and_nothing_is_lost_or_out_of_order() {
    let server = TestServer::start().await;
    let door = Door {
        url: format!("http://{}", server.app.grpc()),
        webhooks: server.webhooks,
    };
    die_at_random(vec![door]).await;
}

/// Members and what they are told are spread over all servers.
pub async fn die_at_random(doors: Vec<Door>) {
    let (conversations, at_least) = if env::var_os("PARLOIR_FULL").is_some() {
        (2000, Duration::from_mins(1))
    } else {
        (200, Duration::from_secs(8))
    };
    let seed = env::var(SEED).map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a seed is a number"),
    );
    println!("seed {seed}; to repeat: {SEED}={seed}");
    let servers = doors.len();
    let mut group = Group::of_eight(doors, fastrand::Rng::with_seed(seed)).await;
    let begun = Instant::now();
    let mut told = 0;
    while begun.elapsed() < at_least {
        told += 1;
        group.tell_all(conversations, told).await;
        // Whoever speaks faster than eight can listen proves nothing more.
        let backlog = group.reach(conversations * (told as usize - 1));
        backlog.await;
    }
    let took = begun.elapsed();
    for member in 0..MORTALS {
        group.revive(member).await;
    }
    group.reach(conversations * told as usize).await;
    stands(&group.client, |found| {
        let lag = found.lag.unwrap_or_default();
        (lag.in_flight, lag.waiting, lag.held_back, lag.parked) == (0, 0, 0, 0)
    })
    .await;
    let verdict = group.ledger.judge(conversations, told);
    println!(
        "{servers} servers, {MEMBERS} members, {conversations} conversations, {:.1} s: {verdict} (seed {seed})",
        took.as_secs_f64()
    );
    assert!(verdict.deaths >= 3, "{verdict}");
    assert!(verdict.lost.is_empty(), "{:?}", verdict.lost);
    assert!(
        verdict.out_of_order.is_empty(),
        "{:#?}",
        verdict.out_of_order
    );
    let unexplained = &verdict.unexplained;
    assert!(unexplained.is_empty(), "{unexplained:?}");
    assert_eq!(
        verdict.stale, 0,
        "nobody who lives loses a lease with something in hand"
    );
    group.end().await;
}

impl Group {
    async fn of_eight(doors: Vec<Door>, random: fastrand::Rng) -> Self {
        let client = Client::builder(doors[0].url.clone());
        let client = client.connect().await.expect("a server that listens");
        // Nothing but a death makes an event come again.
        let slow = SubscriptionPolicy {
            ack_deadline: Some(prost_types::Duration {
                seconds: 600,
                nanos: 0,
            }),
            ..policy(100, WhenParked::Block)
        };
        create(&client, slow).await;
        let mut group = Self {
            client,
            doors,
            ledger: Ledger::new(),
            members: Vec::new(),
            random,
        };
        group.members.resize_with(MEMBERS, || None);
        for member in 0..MEMBERS {
            group.revive(member).await;
        }
        group
    }

    async fn revive(&mut self, member: usize) {
        if self.members[member].is_some() {
            return;
        }
        let id = format!("m-{member}");
        let url = &self.doors[member % self.doors.len()].url;
        let living = if member == 0 {
            Living::process(url, &id, &self.ledger)
        } else {
            Living::task(url, &id, &self.ledger).await
        };
        self.members[member] = Some(living);
    }

    /// The agent says something in each conversation; in between, members die and come back.
    async fn tell_all(&mut self, conversations: usize, number: u32) {
        let mut order: Vec<_> = (0..conversations).collect();
        self.random.shuffle(&mut order);
        for part in order.chunks(self.random.usize(50..150)) {
            let member = self.random.usize(..MORTALS);
            let dying = self.members[member].take();
            let is_dead = dying.is_none();
            // While more is said, so that it has something in its hands.
            let (before, meanwhile) = part.split_at(part.len() / 2);
            self.tell(before, number).await;
            let death = async {
                if let Some(dying) = dying {
                    dying.kill(&self.ledger).await;
                }
            };
            tokio::join!(self.tell(meanwhile, number), death);
            if is_dead {
                self.revive(member).await;
            }
        }
    }

    async fn tell(&self, conversations: &[usize], number: u32) {
        let size = conversations.len().div_ceil(VOICES).max(1);
        let doors = self.doors.iter().cycle();
        let voices = conversations
            .chunks(size)
            .zip(doors)
            .map(async |(part, door)| {
                let mut connection = Connection::open(door.webhooks).await;
                for conversation in part {
                    let body = says(&format!("C-{conversation}"), &number.to_string());
                    let path = format!("/webhooks/{AGENT}");
                    connection.post(&path, &[], body.as_bytes()).await;
                    let reply = connection.reply().await.expect("an answer");
                    assert_eq!(reply.status, 200);
                }
            });
        futures_util::future::join_all(voices).await;
    }

    async fn reach(&self, handled: usize) {
        let reached = tokio::time::timeout(REST, self.ledger.until_handled(handled)).await;
        if reached.is_err() {
            let found = super::stage::standing(&self.client).await;
            panic!("{handled} events were not handled in time: {found:#?}");
        }
    }

    async fn end(self) {
        for living in self.members.into_iter().flatten() {
            living.kill(&self.ledger).await;
        }
    }
}
