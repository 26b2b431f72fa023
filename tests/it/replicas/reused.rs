//! A database whose server dies gives the numbers of the transactions that it forgot to others. A replica whose commit was
//! not answered must not take another's for its own.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parloir_client::Client;
use tokio::{sync::Notify, task::JoinSet, time::timeout};

use super::{
    postgres::Postgres,
    stage::{Stage, Wishes},
    wire::{FAIR, Weather, Wire},
};
use crate::{
    crash::followers::replay,
    full::{is_full, seed},
    process::ACCOUNT,
    support::platform::FakeServer,
};

const CALLERS: usize = 6;
/// More than were given out since the last flush.
const OTHERS: usize = 60;
/// The replica asks what became of its commit for half a minute.
const LONGEST: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_died_with_the_server_is_not_taken_for_the_one_that_got_its_number() {
    let seed = seed("replicas::reused");
    let mut random = fastrand::Rng::with_seed(seed);
    let platform = FakeServer::start().await;
    let postgres = Postgres::start().await;
    // What nobody has committed is not written before the server dies.
    postgres
        .ask("ALTER SYSTEM SET wal_writer_delay = '10s'")
        .await;
    postgres
        .ask("ALTER SYSTEM SET wal_writer_flush_after = '1GB'")
        .await;
    postgres.ask("SELECT pg_reload_conf()").await;
    let way = Way::to(postgres.address()).await;
    let addresses = [way.wire.address(), postgres.address()];
    let mut stage = Stage::over(postgres, &addresses, &platform.url(), Wishes::default());
    stage.start().await;

    let callers = Arc::new(Callers::default());
    let rounds = if is_full() { 20 } else { 3 };
    let mut in_doubt = 0;
    for round in 0..rounds {
        let calling = callers.call(&stage.impatient(0, LONGEST), round);
        callers.more(random.usize(10..30)).await;
        // It does not arrive, or it does and nobody is told.
        way.wire.set(if round % 2 == 0 {
            Weather::SilentFrom("COMMIT")
        } else {
            Weather::SilentAfter("COMMIT")
        });
        way.wire.silent().await;
        in_doubt += callers.stop();
        stage.postgres.kill().await;
        way.close();
        stage.postgres.start_again().await;
        for number in 0..OTHERS {
            start_at_last(&stage.client(1), &format!("other-{round}-{number}")).await;
        }
        way.open();
        let through = timeout(LONGEST, calling.join_all()).await;
        through.expect("every call is answered");
        let server = stage.replicas[0].server();
        assert!(server.has_ended().is_none(), "{}", server.last_words());
        start_at_last(&stage.impatient(0, LONGEST), &format!("after-{round}")).await;
    }

    let log = replay(&stage.url(1)).await;
    let phantoms = replay(&stage.url(0)).await;
    let phantoms: Vec<_> = phantoms.iter().filter(|it| !log.contains(it)).collect();
    let kept: BTreeSet<_> = log.iter().map(|it| it.conversation.clone()).collect();
    let acknowledged = callers.lock().clone();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    println!(
        "{rounds} deaths of the server, {in_doubt} calls unanswered at them; {} acknowledged, {} lost, {} events shown \
         that nobody committed",
        acknowledged.len(),
        lost.len(),
        phantoms.len()
    );
    assert!(
        lost.is_empty() && phantoms.is_empty(),
        "{lost:?} {phantoms:?}"
    );
    assert!(in_doubt > 0 && acknowledged.len() > 10 * rounds);
}

/// What leads one replica to the database, and may be closed.
struct Way {
    wire: Wire,
    is_open: Arc<AtomicBool>,
}

impl Way {
    async fn to(place: SocketAddr) -> Self {
        let is_open = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&is_open);
        let places = move || {
            let is_open = asked.load(Ordering::Relaxed);
            is_open.then_some(place).into_iter().collect()
        };
        Self {
            wire: Wire::to_any(Arc::new(places)).await,
            is_open,
        }
    }

    /// What is on its way is gone, and nothing new gets through.
    fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        self.wire.cut();
    }

    fn open(&self) {
        self.wire.set(FAIR);
        self.is_open.store(true, Ordering::Relaxed);
    }
}

/// Callers that start conversation after conversation.
#[derive(Default)]
struct Callers {
    acknowledged: Mutex<BTreeSet<String>>,
    unanswered: AtomicUsize,
    stopped: AtomicBool,
    changed: Notify,
}

impl Callers {
    fn call(self: &Arc<Self>, client: &Client, round: usize) -> JoinSet<()> {
        self.stopped.store(false, Ordering::Relaxed);
        let mut calling = JoinSet::new();
        for caller in 0..CALLERS {
            let (callers, client) = (Arc::clone(self), client.clone());
            calling.spawn(async move {
                for number in 0.. {
                    if callers.stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let id = format!("{round}-{caller}-{number}");
                    callers.start(&client, id).await;
                }
            });
        }
        calling
    }

    async fn start(&self, client: &Client, id: String) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        // It fails while the way is closed.
        let started = client.start(ACCOUNT, &id, &id).await;
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        if started.is_ok() {
            self.lock().insert(id);
            self.changed.notify_one();
        }
    }

    /// Waits until so many more calls are acknowledged.
    async fn more(&self, count: usize) {
        let enough = self.count() + count;
        let enough = async {
            while self.count() < enough {
                self.changed.notified().await;
            }
        };
        timeout(LONGEST, enough).await.expect("calls are answered");
    }

    /// Nothing new is begun. Answers how many calls wait for their answer.
    fn stop(&self) -> usize {
        self.stopped.store(true, Ordering::Relaxed);
        self.unanswered.load(Ordering::Relaxed)
    }

    fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        let acknowledged = self.acknowledged.lock();
        acknowledged.unwrap_or_else(PoisonError::into_inner)
    }
}

async fn start_at_last(client: &Client, id: &str) {
    let started = async { while client.start(ACCOUNT, id, id).await.is_err() {} };
    timeout(LONGEST, started)
        .await
        .expect("it is taken at last");
}
