//! What nobody asks for: sessions that ran out, requests whose holder died, and the log's retention.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    committer::Committer,
    domain::{
        Clock, Directory, EndCause, EventBody, Id, RequestOutcome, Result, Timestamp,
        ports::{Store, Transaction, Unit},
    },
    hub::Hub,
    metrics::Metrics,
    waiters::Waiters,
};

use super::{
    close::{Closing, close},
    open::find,
    read::detached,
    record::record,
};

/// How many rows one transaction changes: few enough that no call waits long behind it.
const AT_ONCE: usize = 200;

/// Runs beside the calls.
#[derive(Debug)]
pub struct Housekeeping {
    pub store: Arc<dyn Store>,
    pub committer: Committer,
    pub directory: Arc<Directory>,
    pub metrics: Arc<Metrics>,
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
    pub waiters: Arc<Waiters>,
    /// How often it looks.
    pub interval: Duration,
    /// How long events stay in the log.
    pub retention_age: Duration,
    /// How long idempotency keys and finished deliveries are kept.
    pub idempotency_window: Duration,
}

impl Housekeeping {
    /// Requests whose holder died with the process before: closes them. Run once, before webhooks are taken.
    pub async fn abandon_requests(&self) -> Result<()> {
        loop {
            let unit = Abandon {
                waiters: Arc::clone(&self.waiters),
            };
            if self.committer.submit(unit).await?.output < AT_ONCE {
                return Ok(());
            }
        }
    }

    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.interval);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.tidy(&stop).await {
                tracing::warn!(%error, "housekeeping was not committed and is tried again");
            }
        }
    }

    async fn tidy(&self, stop: &CancellationToken) -> Result<()> {
        self.measure().await?;
        let now = self.clock.now();
        self.trim(now - self.retention_age, stop).await?;
        let forget = Forget {
            before: now - self.idempotency_window,
        };
        while !stop.is_cancelled() && self.committer.submit(forget).await?.output >= AT_ONCE {}
        // After what makes room: on a full disk the end of a session cannot be recorded.
        while !stop.is_cancelled() && self.committer.submit(ExpireSessions).await?.output == AT_ONCE
        {
        }
        Ok(())
    }

    async fn trim(&self, before: Timestamp, stop: &CancellationToken) -> Result<()> {
        let store = Arc::clone(&self.store);
        let due = detached(async move {
            let (floor, _) = store.bounds().await?;
            Ok(store.position_before(before).await? >= floor)
        });
        if !due.await? {
            return Ok(());
        }
        // Those who follow move their cursors past what is about to go.
        self.hub.checkpoint_all();
        let trim = Trim { before };
        while !stop.is_cancelled() {
            let removed = self.committer.submit(trim).await?.output;
            self.metrics.log.trimmed(removed as u64);
            if removed < AT_ONCE {
                break;
            }
        }
        Ok(())
    }

    async fn measure(&self) -> Result<()> {
        self.metrics.log.wal_bytes(self.store.journal_bytes());
        for agent in self.directory.agents() {
            let count = CountWaiting {
                agent: agent.name.clone(),
            };
            let waiting = self.committer.submit(count).await?.output;
            self.metrics.delivery.waiting(agent.name.as_str(), waiting);
        }
        Ok(())
    }
}

/// Sessions that ran out while nobody spoke.
#[derive(Debug, Clone, Copy)]
struct ExpireSessions;

#[async_trait]
impl Unit for ExpireSessions {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let expired = tx.expired_sessions(AT_ONCE).await?;
        let count = expired.len();
        for mut conversation in expired {
            conversation.end_session();
            let ended = EventBody::ConversationEnded {
                cause: EndCause::Expired,
                command_id: String::new(),
            };
            record(tx, &mut conversation, "", ended);
            tx.save_conversation(&conversation).await?;
        }
        Ok(count)
    }
}

#[derive(Debug)]
struct Abandon {
    waiters: Arc<Waiters>,
}

#[async_trait]
impl Unit for Abandon {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let open = tx.all_open_requests(AT_ONCE).await?;
        let count = open.len();
        for request in open {
            let mut conversation = match &request.key {
                Some(key) => Some(find(tx, key).await?),
                None => None,
            };
            let outcome = RequestOutcome::Abandoned;
            let closing = Closing::unanswered(outcome, request.kind, &self.waiters);
            close(tx, conversation.as_mut(), request, closing).await?;
            if let Some(conversation) = &conversation {
                tx.save_conversation(conversation).await?;
            }
        }
        Ok(count)
    }
}

#[derive(Debug, Clone, Copy)]
struct Trim {
    before: Timestamp,
}

#[async_trait]
impl Unit for Trim {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        tx.trim_log(self.before, AT_ONCE).await
    }
}

#[derive(Debug, Clone, Copy)]
struct Forget {
    before: Timestamp,
}

#[async_trait]
impl Unit for Forget {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        tx.forget_finished(self.before, AT_ONCE).await
    }
}

#[derive(Debug)]
struct CountWaiting {
    agent: Id,
}

#[async_trait]
impl Unit for CountWaiting {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        tx.waiting_deliveries(&self.agent).await
    }
}
