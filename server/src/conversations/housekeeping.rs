//! What nobody asks for: sessions that ran out, requests whose holder died, and the log's retention.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{
    committer::Committer,
    domain::{
        Clock, EndCause, EventBody, Id, Known, Owner, OwnerChangeCause, RequestOutcome, Result,
        Timestamp,
        ports::{Store, Transaction, Unit},
    },
    hub::Hub,
    metrics::Metrics,
};

use super::{
    close::{Closing, close},
    desk::Desk,
    open::find,
    ownership::{Change, give_to_agent, take_from_agent},
    read::detached,
    record::record,
    tenant_retention::TenantAge,
};

/// How many rows one transaction changes: few enough that no call waits long behind it.
const AT_ONCE: usize = 200;

/// A holder that lives closes its request itself, at its deadline or shortly after.
const HOLDERS_PATIENCE: Duration = Duration::from_secs(5);

/// Runs beside the calls.
#[derive(Debug)]
pub struct Housekeeping {
    pub store: Arc<dyn Store>,
    pub committer: Committer,
    pub metrics: Arc<Metrics>,
    pub hub: Arc<Hub>,
    pub clock: Arc<dyn Clock>,
    /// Other replicas use the database.
    pub is_shared: bool,
    pub desk: Desk,
    /// How often it looks.
    pub interval: Duration,
    /// How long events stay in the log.
    pub retention_age: Duration,
    /// Tenants that keep what is personal for less.
    pub tenant_ages: Vec<TenantAge>,
    /// How long idempotency keys and finished deliveries are kept.
    pub idempotency_window: Duration,
}

impl Housekeeping {
    /// Requests whose holder died with the process before: closes them. Run once, before webhooks are taken. Where replicas
    /// share a database, others may hold them: those whose time has passed are closed by the one that looks first.
    pub async fn abandon_requests(&self) -> Result<()> {
        let held_until = self.clock.now() - HOLDERS_PATIENCE;
        let before = if self.is_shared {
            held_until
        } else {
            Timestamp(i64::MAX)
        };
        self.abandon(before).await
    }

    async fn abandon(&self, before: Timestamp) -> Result<()> {
        loop {
            let unit = Abandon {
                before,
                desk: self.desk.clone(),
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

    /// One round.
    pub(super) async fn tidy(&self, stop: &CancellationToken) -> Result<()> {
        self.measure().await?;
        let now = self.clock.now();
        if self.is_shared {
            self.abandon(now - HOLDERS_PATIENCE).await?;
        }
        self.trim(now - self.retention_age, stop).await?;
        let forget = Forget {
            before: now - self.idempotency_window,
        };
        while !stop.is_cancelled() && self.committer.submit(forget).await?.output >= AT_ONCE {}
        self.erase_aged(now, stop).await?;
        let forget = ForgetInternalIds {
            before: now - self.retention_age,
        };
        while !stop.is_cancelled() && self.committer.submit(forget).await?.output >= AT_ONCE {}
        if let Err(error) = self.end_unknown_owners(now).await {
            tracing::warn!(%error, "owners that are unknown were not settled");
        }
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

    /// Nobody stays silent for ever because nobody knows who shall speak.
    async fn end_unknown_owners(&self, now: Timestamp) -> Result<()> {
        for source in self.desk.directory().sources() {
            let name = &source.settings.name;
            let settle = SettleUnknown {
                source: name.clone(),
                before: now - source.settings.owner_unknown_max,
                then: source.settings.owner_unknown_then,
                desk: self.desk.clone(),
            };
            self.committer.submit(settle).await?;
            let count = CountUnknown {
                source: name.clone(),
            };
            let unknown = self.committer.submit(count).await?.output;
            self.metrics.sources.owner_unknown(name.as_str(), unknown);
        }
        Ok(())
    }

    async fn measure(&self) -> Result<()> {
        self.metrics.log.wal_bytes(self.store.journal_bytes());
        for agent in self.desk.directory().agents() {
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
    before: Timestamp,
    desk: Desk,
}

#[async_trait]
impl Unit for Abandon {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let open = tx.all_open_requests(self.before, AT_ONCE).await?;
        let count = open.len();
        for request in open {
            let mut conversation = match &request.key {
                Some(key) => Some(find(tx, key).await?),
                None => None,
            };
            let outcome = RequestOutcome::Abandoned;
            let closing = Closing::unanswered(outcome, request.kind, &self.desk);
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

/// The platforms' own ids of conversations that retention has left nothing of.
#[derive(Debug, Clone, Copy)]
struct ForgetInternalIds {
    before: Timestamp,
}

#[async_trait]
impl Unit for ForgetInternalIds {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        tx.forget_internal_ids(self.before, AT_ONCE).await
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

/// Owners that stayed unknown for too long become what the source's settings say.
#[derive(Debug)]
struct SettleUnknown {
    source: Id,
    before: Timestamp,
    then: Owner,
    desk: Desk,
}

#[async_trait]
impl Unit for SettleUnknown {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        let unknown = tx
            .unknown_owners(&self.source, self.before, AT_ONCE)
            .await?;
        for mut conversation in unknown {
            let known = Known::by_us(tx.now());
            let change = Change::because(OwnerChangeCause::UnknownTooLong, known);
            let directory = self.desk.directory();
            let account = directory.account(&conversation.key.tenant, &conversation.key.account);
            match (self.then, account) {
                (Owner::Agent, Ok((account, agent))) => {
                    let whose = (account.as_ref(), agent.as_ref());
                    give_to_agent(tx, &mut conversation, whose, change, &self.desk).await?;
                }
                // An account that is not configured any more has no agent.
                (Owner::Agent, Err(_)) => {
                    take_from_agent(tx, &mut conversation, Owner::None, change, &self.desk).await?;
                }
                (then, _) => {
                    take_from_agent(tx, &mut conversation, then, change, &self.desk).await?;
                }
            }
            tx.save_conversation(&conversation).await?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct CountUnknown {
    source: Id,
}

#[async_trait]
impl Unit for CountUnknown {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        tx.count_unknown_owners(&self.source).await
    }
}
