//! Holding a webhook open until its question is answered, and closing the question when nobody does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    committer::Committer,
    domain::{
        Answer, DeliveryState, Error, EventBody, Id, Reason, RequestOutcome, Result, Subject,
        ports::{Transaction, Unit},
    },
    metrics::Metrics,
    waiters::{Awaited, Waiter},
};

use super::{
    Conversations,
    ask::{Ask, Asked},
    close::{Closing, close},
    desk::Desk,
    open::find,
    read::detached,
    record::record,
};

/// How long before a request that could not be closed is tried again.
const STORE_RETRY: Duration = Duration::from_millis(500);

impl Conversations {
    /// Waits for the answer to a request. At its deadline the fallback is committed and sent; if the store does not
    /// take it in time, the fallback is sent all the same.
    pub(super) async fn hold(&self, mut waiter: Waiter, watch: &Watch) -> Answer {
        match tokio::time::timeout_at(self.patience(watch), waiter.next()).await {
            Ok(fact) => match &fact.fact.body {
                EventBody::RequestClosed {
                    answer: Some(answer),
                    ..
                } => answer.clone(),
                _ => watch.fallback.clone(),
            },
            Err(_) => self.give_up(watch),
        }
    }

    /// Waits for a request that another webhook asked before and that is repeated now.
    pub(super) async fn join(&self, watch: &Watch) -> Result<Answer> {
        let request_id = watch.request_id.clone();
        // Listening comes before looking, so that the closing cannot fall between the two.
        let waiter = self.waiters.listen(Awaited::Request(request_id.clone()));
        let look = self.committer.submit(LookUp { request_id });
        let Ok(found) = tokio::time::timeout_at(self.patience(watch), look).await else {
            return Ok(self.give_up(watch));
        };
        match found?.output {
            Found::Open => Ok(self.hold(waiter, watch).await),
            Found::Closed(answer) => Ok(answer.unwrap_or_else(|| watch.fallback.clone())),
        }
    }

    /// Commits a question and sees to it that it is closed at its deadline, whether or not its webhook is still held: a
    /// platform that hung up may ask again and join. Detached, so that hanging up in the middle loses nothing.
    pub(super) async fn begin(&self, ask: Ask, watch: &Watch) -> Result<Asked> {
        let expire = Expire {
            request_id: watch.request_id.clone(),
            fallback: watch.fallback.clone(),
            gave_up: Arc::clone(&watch.gave_up),
            desk: self.desk(),
        };
        let (committer, deadline) = (self.committer.clone(), watch.deadline);
        let begun = detached(async move {
            let asked = committer.submit(ask).await?.output;
            let own = &expire.request_id;
            if matches!(&asked, Asked::Waits { request_id, .. } if request_id == own) {
                tokio::spawn(async move { close_at(deadline, &committer, expire).await });
            }
            Ok(asked)
        });
        match tokio::time::timeout_at(self.patience(watch), begun).await {
            Ok(asked) => asked,
            Err(_) => Ok(Asked::Answered(self.give_up(watch))),
        }
    }

    fn patience(&self, watch: &Watch) -> Instant {
        watch.deadline + self.store_patience
    }

    /// The fallback goes out unrecorded. The log learns of it when the store is back.
    fn give_up(&self, watch: &Watch) -> Answer {
        watch.gave_up.store(true, Ordering::SeqCst);
        let correct = self.committer.submit(Correct {
            request_id: watch.request_id.clone(),
        });
        tokio::spawn(correct);
        watch.fallback.clone()
    }
}

/// Counts a webhook as held until it is dropped, whether it was answered or the platform hung up.
#[derive(Debug)]
pub struct Held {
    metrics: Arc<Metrics>,
    agent: Id,
    kind: &'static str,
    begun: Instant,
    outcome: &'static str,
}

impl Held {
    pub fn new(metrics: &Arc<Metrics>, agent: &Id, kind: &'static str) -> Self {
        metrics.requests.opened(agent.as_str(), kind);
        let (metrics, agent) = (Arc::clone(metrics), agent.clone());
        Self {
            metrics,
            agent,
            kind,
            begun: Instant::now(),
            outcome: "hung_up",
        }
    }

    /// It was answered with this.
    pub fn answered(mut self, fell_back: bool) {
        self.outcome = if fell_back { "fell_back" } else { "answered" };
        if fell_back {
            self.metrics
                .requests
                .fell_back(self.agent.as_str(), self.kind);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.metrics.requests.closed(
            self.agent.as_str(),
            self.kind,
            self.outcome,
            self.begun.elapsed(),
        );
    }
}

/// A request that is being waited for.
#[derive(Debug, Clone)]
pub struct Watch {
    request_id: Id,
    deadline: Instant,
    fallback: Answer,
    /// The holder has sent the fallback without waiting for the store any longer.
    gave_up: Arc<AtomicBool>,
}

impl Watch {
    pub fn new(request_id: Id, limit: Duration, fallback: Answer) -> Self {
        Self {
            request_id,
            deadline: Instant::now() + limit,
            fallback,
            gave_up: Arc::default(),
        }
    }
}

/// Closes a request at its deadline, and tries until the store takes it: while an escalation is open, its lane waits.
async fn close_at(deadline: Instant, committer: &Committer, expire: Expire) {
    tokio::time::sleep_until(deadline).await;
    loop {
        match committer.submit(expire.clone()).await {
            Ok(_) | Err(Error::Stopping) => return,
            Err(error) => {
                let request = &expire.request_id;
                tracing::warn!(%request, %error, "a request was not closed at its deadline, trying again");
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }
}

/// What became of a request.
#[derive(Debug)]
enum Found {
    Open,
    /// Without an answer: its fallback was sent, or nobody was there to send one to.
    Closed(Option<Answer>),
}

/// The answer of a request that is closed.
#[derive(Debug)]
struct LookUp {
    request_id: Id,
}

#[async_trait]
impl Unit for LookUp {
    type Output = Found;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Found> {
        let request = tx.request(&self.request_id).await?;
        let Some(request) = request else {
            return Ok(Found::Closed(None));
        };
        let Some(closed) = request.closed else {
            return Ok(Found::Open);
        };
        let event = tx.event_by_id(&closed.event_id).await?;
        Ok(match event.map(|event| event.fact.body) {
            Some(EventBody::RequestClosed { answer, .. }) => Found::Closed(answer),
            // A later version closed it in a way of its own: that nobody answered is not known.
            Some(EventBody::Unread { .. }) => return Err(Error::Internal),
            _ => Found::Closed(None),
        })
    }
}

/// Nobody answered in time.
#[derive(Debug, Clone)]
struct Expire {
    request_id: Id,
    fallback: Answer,
    gave_up: Arc<AtomicBool>,
    desk: Desk,
}

#[async_trait]
impl Unit for Expire {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        let Some(request) = tx
            .request(&self.request_id)
            .await?
            .filter(|request| request.closed.is_none())
        else {
            return Ok(());
        };
        let mut conversation = match &request.key {
            Some(key) => Some(find(tx, key).await?),
            None => None,
        };
        let closing = Closing {
            gave_up: self.gave_up.load(Ordering::SeqCst),
            ..Closing::with(RequestOutcome::FellBack, self.fallback.clone(), &self.desk)
        };
        close(tx, conversation.as_mut(), request, closing).await?;
        match &conversation {
            Some(conversation) => tx.save_conversation(conversation).await,
            None => Ok(()),
        }
    }
}

/// The fallback was sent although an answer may have been committed meanwhile: the log says so.
#[derive(Debug)]
struct Correct {
    request_id: Id,
}

#[async_trait]
impl Unit for Correct {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        let Some(request) = tx.request(&self.request_id).await? else {
            return Ok(());
        };
        let answered = request
            .closed
            .is_some_and(|closed| closed.outcome == RequestOutcome::Answered);
        let Some(key) = request.key.filter(|_| answered) else {
            return Ok(());
        };
        let mut conversation = find(tx, &key).await?;
        let body = EventBody::DeliveryChanged {
            subject: Subject::Request(self.request_id.to_string()),
            session: conversation.session.number,
            state: DeliveryState::Failed,
            reason: Some(Reason::FallbackSent),
            attempt: 1,
            detail: String::new(),
        };
        record(tx, &mut conversation, "", body);
        tx.save_conversation(&conversation).await
    }
}
