//! `NOTIFY`: tells the other replicas that the log is longer. Outside of the transaction that wrote, where it would make all
//! that write wait for each other, and at most once in a while: a hint says the same however often it comes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sea_orm::sqlx::{
    self, Executor,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{postgres::Server, readers::Readers, table::execute};
use crate::{
    domain::Position,
    doorbell::{Doorbell, Ears},
};

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
pub struct Notifications {
    server: Server,
    readers: Arc<Readers>,
    rung: Notify,
}

impl Notifications {
    pub(super) fn new(server: Server, readers: Arc<Readers>) -> Self {
        Self {
            server,
            readers,
            rung: Notify::new(),
        }
    }

    async fn tell(&self) {
        loop {
            self.rung.notified().await;
            let (reader, _) = self.readers.get();
            // In a task of its own, so that it is never given up half-way.
            let told = tokio::spawn(async move { execute(&reader, NOTIFY, []).await });
            if let Ok(Err(fault)) = told.await {
                tracing::debug!(%fault, "the other replicas were not told; they look by themselves");
            }
            tokio::time::sleep(APART).await;
        }
    }

    async fn listen(&self, ears: &dyn Ears) {
        loop {
            let fault = self.hear(ears).await;
            ears.connected(false);
            tracing::warn!(%fault, "the doorbell is not heard; the log is looked at now and then");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Listens until the connection ends. It does nothing but listen, so giving it up loses nothing.
    async fn hear(&self, ears: &dyn Ears) -> sqlx::Error {
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
        // Whoever listens looks once now: for what came before.
        ears.connected(true);
        loop {
            match timeout(QUIET, listener.recv()).await {
                Ok(Ok(_)) => ears.heard(None),
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

#[async_trait]
impl Doorbell for Notifications {
    fn ring(&self, _: Position) {
        self.rung.notify_one();
    }

    async fn run(self: Arc<Self>, ears: Arc<dyn Ears>, stop: CancellationToken) {
        let work = async { tokio::join!(self.tell(), self.listen(ears.as_ref())) };
        stop.run_until_cancelled(work).await;
    }
}
