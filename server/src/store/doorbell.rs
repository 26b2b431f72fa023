//! `NOTIFY`: tells the other replicas that the log is longer. Outside of the transaction that wrote, where it would make all
//! that write wait for each other, and at most once in a while: a hint says the same however often it comes.

use std::{sync::Arc, time::Duration};

use sea_orm::sqlx::{
    self, Executor,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{postgres::Server, readers::Readers, table::execute};

const CHANNEL: &str = "parloir_log";
const NOTIFY: &str = "SELECT pg_notify('parloir_log', '')";
/// Between two hints.
const APART: Duration = Duration::from_millis(10);
/// After so long without a hint, the server is asked whether it is there.
const QUIET: Duration = Duration::from_secs(10);
const ASK: &str = "SELECT 1";
/// Between two tries to listen.
const PAUSE: Duration = Duration::from_secs(1);

/// This replica's end of the bell.
#[derive(Debug)]
pub struct Doorbell {
    server: Server,
    readers: Arc<Readers>,
    rung: Notify,
}

impl Doorbell {
    pub(super) fn new(server: Server, readers: Arc<Readers>) -> Arc<Self> {
        Arc::new(Self {
            server,
            readers,
            rung: Notify::new(),
        })
    }

    /// The log is longer. Never waits.
    pub fn ring(&self) {
        self.rung.notify_one();
    }

    /// Tells the others what was rung here.
    pub async fn tell(self: Arc<Self>, stop: CancellationToken) {
        while stop
            .run_until_cancelled(self.rung.notified())
            .await
            .is_some()
        {
            let (reader, _) = self.readers.get();
            // In a task of its own, so that it is never given up half-way.
            let told = tokio::spawn(async move { execute(&reader, NOTIFY, []).await });
            if let Ok(Err(fault)) = told.await {
                tracing::debug!(%fault, "the other replicas were not told; they look by themselves");
            }
            tokio::time::sleep(APART).await;
        }
    }

    /// Calls `heard` whenever another replica rings.
    pub async fn listen(self: Arc<Self>, heard: impl Fn(), stop: CancellationToken) {
        let work = async {
            loop {
                let fault = self.hear(&heard).await;
                tracing::warn!(%fault, "the doorbell is not heard; the log is looked at now and then");
                tokio::time::sleep(PAUSE).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Listens until the connection ends. It does nothing but listen, so giving it up loses nothing.
    async fn hear(&self, heard: &impl Fn()) -> sqlx::Error {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(self.server.connection());
        let mut listener = match PgListener::connect_with(&pool).await {
            Ok(listener) => listener,
            Err(fault) => return fault,
        };
        if let Err(fault) = listener.listen(CHANNEL).await {
            return fault;
        }
        // What came before it listened.
        heard();
        loop {
            match timeout(QUIET, listener.recv()).await {
                Ok(Ok(_)) => heard(),
                Ok(Err(fault)) => return fault,
                // Who only listens never learns that the other end is gone.
                Err(_) => match timeout(self.server.patience(), listener.execute(ASK)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(fault)) => return fault,
                    Err(_) => return sqlx::Error::PoolTimedOut,
                },
            }
        }
    }
}
