//! Eight members, three of which die and come back at random, over many conversations: everything is handled, the order
//! of a conversation is never broken at any member, and what comes twice was in somebody's hands at a death.
//!
//! Reduced by default; `PARLOIR_FULL=1` runs it over 2,000 conversations for 60 seconds.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use parloir_client::{
    Client, Outcome,
    v1::{AckResult, WhenParked},
};
use tokio::task::JoinHandle;

use super::stage::{Member, create, policy, standing, text};
use crate::support::{server::TestServer, webhook::says};

#[derive(Default)]
struct Ledger {
    /// By conversation: the numbers that were acknowledged, in the order in which they were.
    done: HashMap<String, Vec<u32>>,
    /// In the hands of a member when it died.
    in_hands: HashSet<(String, u32)>,
    /// Handed out more than once.
    twice: HashSet<(String, u32)>,
    seen: HashSet<(String, u32)>,
    broken: Vec<String>,
}

impl Ledger {
    /// Whoever dies after its acknowledgement left may have been heard.
    fn handled(&self) -> usize {
        let done = self.done.iter();
        let done = done.flat_map(|(id, numbers)| numbers.iter().map(|it| (id.clone(), *it)));
        done.chain(self.in_hands.iter().cloned())
            .collect::<HashSet<_>>()
            .len()
    }
}

type Shared = Arc<Mutex<Ledger>>;

/// What one life of a member has in its hands.
#[derive(Default)]
struct Hands(HashSet<(String, u32)>);

fn number(words: &str) -> u32 {
    words.parse().expect("a number")
}

/// Handles events until it is aborted. What it holds then was lost with it.
async fn live(client: Client, id: String, ledger: Shared, hands: Arc<Mutex<Hands>>) {
    let mut member = Member::join(&client, &id);
    let mut last: HashMap<String, (u32, u32)> = HashMap::new();
    loop {
        let event = member.event().await;
        let conversation = event
            .event
            .as_ref()
            .expect("an event")
            .conversation_id
            .clone();
        let it = (conversation.clone(), number(&text(&event)));
        {
            let mut ledger = ledger.lock().expect("no panic");
            if !ledger.seen.insert(it.clone()) {
                ledger.twice.insert(it.clone());
            }
            let before = last.insert(conversation, (it.1, event.attempt));
            if let Some((before, _)) = before
                && before >= it.1
                && event.attempt == 1
            {
                ledger.broken.push(format!("{id}: {it:?} after {before}"));
            }
            hands.lock().expect("no panic").0.insert(it.clone());
        }
        let result = member.says(&event, Outcome::Done).await;
        hands.lock().expect("no panic").0.remove(&it);
        if result != AckResult::Stale {
            let mut ledger = ledger.lock().expect("no panic");
            ledger.done.entry(it.0).or_default().push(it.1);
        }
    }
}

struct Life {
    task: JoinHandle<()>,
    hands: Arc<Mutex<Hands>>,
}

async fn begin(server: &TestServer, number: usize, ledger: &Shared) -> Life {
    // A process has a connection of its own.
    let client = Client::builder(format!("http://{}", server.app.grpc()));
    let client = client.connect().await.expect("a server that listens");
    let hands = Arc::new(Mutex::new(Hands::default()));
    let member = live(
        client,
        format!("m-{number}"),
        Arc::clone(ledger),
        Arc::clone(&hands),
    );
    Life {
        task: tokio::spawn(member),
        hands,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_eight_members_die_at_random_and_nothing_is_lost_or_out_of_order() {
    let full = std::env::var_os("PARLOIR_FULL").is_some();
    let (conversations, rounds, at_least) = if full {
        (2000, 20, Duration::from_mins(1))
    } else {
        (200, 5, Duration::ZERO)
    };
    let server = Arc::new(TestServer::start().await);
    create(&server.client, policy(100, WhenParked::Release)).await;
    let ledger = Shared::default();
    let mut lives = Vec::new();
    for number in 0..8 {
        lives.push(begin(&server, number, &ledger).await);
    }
    let begun = Instant::now();
    let mut said = 0_u32;
    while said < rounds || begun.elapsed() < at_least {
        said += 1;
        for part in 0..4 {
            for conversation in (0..conversations).filter(|it| it % 4 == part) {
                let words = said.to_string();
                server
                    .taken(&says(&format!("C-{conversation}"), &words))
                    .await;
            }
            // One of the three dies, and is back at once.
            let victim = fastrand::usize(..3);
            let life = &mut lives[victim];
            life.task.abort();
            let died = (&mut life.task).await;
            assert!(
                died.is_err_and(|how| how.is_cancelled()),
                "it lived until it was killed"
            );
            let held = std::mem::take(&mut life.hands.lock().expect("no panic").0);
            ledger.lock().expect("no panic").in_hands.extend(held);
            *life = begin(&server, victim, &ledger).await;
        }
    }
    let expected = conversations * said as usize;
    let all = async {
        loop {
            if ledger.lock().expect("no panic").handled() >= expected {
                return;
            }
            standing(&server.client).await;
        }
    };
    let finished = tokio::time::timeout(Duration::from_mins(2), all).await;
    let ledger = ledger.lock().expect("no panic");
    let handled = ledger.handled();
    assert!(finished.is_ok(), "{handled} of {expected} were handled");
    assert!(ledger.broken.is_empty(), "{:#?}", ledger.broken);
    let repeated: Vec<_> = ledger.twice.difference(&ledger.in_hands).collect();
    assert!(repeated.is_empty(), "nobody died with these: {repeated:?}");
    for (conversation, numbers) in &ledger.done {
        let first: Vec<_> = {
            let mut seen = HashSet::new();
            numbers
                .iter()
                .filter(|number| seen.insert(**number))
                .collect()
        };
        assert!(first.is_sorted(), "{conversation}: {numbers:?}");
    }
}
