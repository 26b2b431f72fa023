//! Members: tasks that are aborted, and processes that are killed.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::JoinHandle as Thread,
};

use futures_util::FutureExt;
use parloir_client::{
    Client, Item, Outcome,
    v1::{AckResult, DeliveredEvent},
};
use tokio::task::JoinHandle;

use super::ledger::{Ledger, Life, Told};
use crate::{
    process::binary,
    subscriptions::stage::{Member, NAME, text},
};

/// As many events as a task takes before it says that they are done.
const HANDS: usize = 6;

/// A member that lives.
pub enum Living {
    Task(JoinHandle<()>),
    Process(Child, Thread<()>),
}

impl Living {
    /// With a connection of its own, as a process has.
    pub async fn task(url: &str, id: &str, ledger: &Arc<Ledger>) -> Self {
        let client = Client::builder(url.to_owned());
        let client = client.connect().await.expect("a server that listens");
        let life = ledger.life(id.to_owned());
        Self::Task(tokio::spawn(live(client, id.to_owned(), life)))
    }

    pub fn process(url: &str, id: &str, ledger: &Arc<Ledger>) -> Self {
        let mut command = Command::new(binary());
        command
            .env_remove("PARLOIR_KEY")
            .args(["tail", "--json", "--server", url])
            .args(["--subscription", NAME, "--member", id])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().expect("build it first (`tests/run build`)");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut life = ledger.life(id.to_owned());
        let reading = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Half a line is what it was killed in.
                if let Ok(printed) = serde_json::from_str::<serde_json::Value>(&line) {
                    let of = printed["conversation_id"].as_str().expect("an id");
                    let words = printed["body"]["text"].as_str().expect("words");
                    life.prints(&(of.to_owned(), number(words)));
                }
            }
        });
        Self::Process(child, reading)
    }

    /// At once, whatever it is doing.
    pub async fn kill(self, ledger: &Ledger) {
        match self {
            Self::Task(task) => {
                task.abort();
                let died = task.await;
                assert!(
                    died.is_err_and(|how| how.is_cancelled()),
                    "it lived until it was killed"
                );
            }
            Self::Process(mut child, reading) => {
                let ended = child.try_wait().expect("a child can be asked");
                assert_eq!(ended, None, "it lived until it was killed");
                child.kill().expect("a child can be killed");
                child.wait().expect("a child can be waited for");
                let read = tokio::task::spawn_blocking(|| reading.join());
                read.await.expect("a thread").expect("what it printed");
            }
        }
        ledger.died();
    }
}

/// Handles events until it is aborted: takes what is there, up to a few, and says that it is done. What is in its hands
/// is dropped before its connection.
async fn live(client: Client, id: String, life: Life) {
    let mut member = Member::join(&client, &id);
    let mut life = life;
    loop {
        let mut taken: HashMap<Told, DeliveredEvent> = HashMap::new();
        let event = member.event().await;
        take(event, &mut life, &mut taken);
        while life.has() < HANDS
            && let Some(Some(item)) = member.0.item().now_or_never()
        {
            if let Item::Event(event) = item.expect("an open stream") {
                take(*event, &mut life, &mut taken);
            }
        }
        let told: Vec<_> = taken.iter().collect();
        for (it, _) in &told {
            life.says(it);
        }
        let acks = told.iter().map(|(_, event)| (*event, Outcome::Done));
        let results = member.0.ack_all(acks.collect::<Vec<_>>()).await;
        let results = results.expect("results");
        for ((it, _), result) in told.iter().zip(results) {
            life.hears(it, result != AckResult::Stale);
        }
    }
}

fn take(event: DeliveredEvent, life: &mut Life, taken: &mut HashMap<Told, DeliveredEvent>) {
    let stored = event.event.as_ref().expect("an event");
    let it = (stored.conversation_id.clone(), number(&text(&event)));
    life.sees(&it);
    taken.insert(it, event);
}

fn number(words: &str) -> u32 {
    words.parse().expect("a number")
}
