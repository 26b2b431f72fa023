//! Replicas of the binary over one database, and the one entrance to all of them that a load balancer is.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parloir_client::Client;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use super::{postgres::Postgres, wire::Wire};
use crate::process::{Server, Setup};

/// 32 bytes that everybody may know.
const MASTER_KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// How often a load balancer looks, and how long it waits for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOK_WITHIN: Duration = Duration::from_secs(1);

const LONGEST_START: Duration = Duration::from_secs(30);

/// What every replica is configured with beside the defaults: TOML for the top, and for the agent's table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes<'a> {
    pub settings: &'a str,
    pub agent: &'a str,
}

pub struct Stage {
    pub postgres: Postgres,
    pub replicas: Vec<Replica>,
    _folder: TempDir,
}

/// One replica, running or not.
pub struct Replica {
    pub setup: Setup,
    server: Option<Server>,
}

impl Stage {
    /// Replicas, none of which runs yet.
    pub async fn new(agent_url: &str, replicas: usize, wishes: Wishes<'_>) -> Self {
        let postgres = Postgres::start().await;
        let addresses = vec![postgres.address(); replicas];
        Self::over(postgres, &addresses, agent_url, wishes)
    }

    /// As [`Stage::new`]: a replica for each address, to which it turns for the database.
    pub fn over(
        postgres: Postgres,
        addresses: &[SocketAddr],
        agent_url: &str,
        Wishes { settings, agent }: Wishes<'_>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = folder.path().join("master-key");
        fs::write(&key, MASTER_KEY).expect("the key can be written");
        let key = key.display();
        let settings = format!("encryption.master_key = {{ file = \"{key}\" }}\n{settings}");
        let replica = |address: &SocketAddr| Replica {
            setup: Setup::replica(agent_url, &settings, agent, &Postgres::url_at(*address)),
            server: None,
        };
        Self {
            replicas: addresses.iter().map(replica).collect(),
            postgres,
            _folder: folder,
        }
    }

    /// As [`Stage::new`], with all of them running.
    pub async fn running(agent_url: &str, replicas: usize, wishes: Wishes<'_>) -> Self {
        let mut stage = Self::new(agent_url, replicas, wishes).await;
        stage.start().await;
        stage
    }

    /// Starts all of them at once, and returns when all are ready.
    pub async fn start(&mut self) {
        for replica in &mut self.replicas {
            replica.start(&[]);
        }
        for replica in &mut self.replicas {
            replica.ready().await;
        }
    }

    pub fn url(&self, number: usize) -> String {
        self.replicas[number].setup.grpc_url()
    }

    /// A caller of this replica, each of whose calls is tried once.
    pub fn client(&self, number: usize) -> Client {
        self.impatient(number, Duration::from_secs(10))
    }

    /// As [`Stage::client`], giving up after so long.
    pub fn impatient(&self, number: usize, deadline: Duration) -> Client {
        let client = Client::builder(self.url(number)).attempts(1);
        let client = client.deadline(deadline).connect_lazy();
        client.expect("a valid address")
    }
}

impl Replica {
    /// Starts it, under another program if one is given.
    pub fn start(&mut self, under: &[&str]) {
        self.server = Some(self.setup.start(under));
    }

    /// Returns once it says that it is: it listens before it has opened the database.
    pub async fn ready(&mut self) {
        let ops = self.setup.ops();
        let server = self.server();
        server.ready().await;
        let ready = async { while !is_ready(ops).await.unwrap_or_default() {} };
        let ready = tokio::time::timeout(LONGEST_START, ready).await;
        assert!(
            ready.is_ok(),
            "not ready after {LONGEST_START:?}: {}",
            server.last_words()
        );
    }

    pub fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("it runs")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.server().kill();
        self.server = None;
    }
}

/// One address for all replicas: a new connection goes to one that says it is ready, to each in turn.
pub struct Front {
    pub calls: Wire,
    pub webhooks: Wire,
    watching: Vec<JoinHandle<()>>,
}

impl Front {
    pub async fn of(stage: &Stage) -> Self {
        let mut watching = Vec::new();
        let mut watched = Vec::new();
        for replica in &stage.replicas {
            let ready = Arc::new(AtomicBool::new(false));
            let task = tokio::spawn(watch(replica.setup.ops(), Arc::clone(&ready)));
            watching.push(task);
            watched.push((replica.setup.grpc, replica.setup.webhooks, ready));
        }
        let calls = watched.iter().map(|(calls, _, ready)| (*calls, ready));
        let webhooks = watched
            .iter()
            .map(|(_, webhooks, ready)| (*webhooks, ready));
        Self {
            calls: to_ready(calls).await,
            webhooks: to_ready(webhooks).await,
            watching,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.calls.address())
    }

    pub fn webhook_url(&self) -> String {
        let agent = crate::process::AGENT;
        format!("http://{}/webhooks/{agent}", self.webhooks.address())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.watching.iter().for_each(JoinHandle::abort);
    }
}

async fn to_ready(places: impl Iterator<Item = (SocketAddr, &Arc<AtomicBool>)>) -> Wire {
    let places: Vec<_> = places
        .map(|(place, ready)| (place, Arc::clone(ready)))
        .collect();
    let turn = AtomicUsize::new(0);
    let in_turn = move || {
        let first = turn.fetch_add(1, Ordering::Relaxed) % places.len();
        let ordered = places[first..].iter().chain(&places[..first]);
        let (ready, others): (Vec<_>, Vec<_>) =
            ordered.partition(|(_, ready)| ready.load(Ordering::Relaxed));
        // Where none is ready, any that listens is better than none.
        ready
            .into_iter()
            .chain(others)
            .map(|(place, _)| *place)
            .collect()
    };
    Wire::to_any(Arc::new(in_turn)).await
}

async fn watch(ops: SocketAddr, ready: Arc<AtomicBool>) {
    loop {
        let answer = tokio::time::timeout(LOOK_WITHIN, is_ready(ops)).await;
        let is_ready = answer.is_ok_and(Result::unwrap_or_default);
        ready.store(is_ready, Ordering::Relaxed);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn is_ready(ops: SocketAddr) -> std::io::Result<bool> {
    let mut socket = TcpStream::connect(ops).await?;
    let ask = format!("GET /readyz HTTP/1.1\r\nhost: {ops}\r\nconnection: close\r\n\r\n");
    socket.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}
