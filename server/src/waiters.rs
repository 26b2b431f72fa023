//! Wakes those in this process who wait for one fact of the log: a call for its delivery, a held webhook for its
//! answer. The log is the truth; whoever misses a waking reads it there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::domain::{ConversationKey, Event, EventBody, Id, Subject};

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The next change of this delivery.
    Delivery(ConversationKey, Subject),
    /// The closing of this request.
    Request(Id),
}

impl Awaited {
    fn of(event: &Event) -> Option<Self> {
        match &event.fact.body {
            EventBody::DeliveryChanged { subject, .. } => {
                Some(Self::Delivery(event.fact.key.clone()?, subject.clone()))
            }
            EventBody::RequestClosed { request_id, .. } => Some(Self::Request(request_id.clone())),
            _ => None,
        }
    }
}

type Latest = Option<Arc<Event>>;

/// All who wait.
#[derive(Debug, Default)]
pub struct Waiters {
    // A std mutex: held for a map operation, never across an await.
    waiting: Mutex<HashMap<Awaited, watch::Sender<Latest>>>,
}

impl Waiters {
    /// Waits from now on. Call before the work that leads to the fact, so that it cannot be missed.
    pub fn listen(self: &Arc<Self>, awaited: Awaited) -> Waiter {
        let facts = self
            .lock()
            .entry(awaited.clone())
            .or_insert_with(|| watch::channel(None).0)
            .subscribe();
        Waiter {
            awaited,
            facts,
            waiters: Arc::clone(self),
        }
    }

    /// Whether anybody in this process waits for it.
    pub fn is_awaited(&self, awaited: &Awaited) -> bool {
        self.lock().contains_key(awaited)
    }

    /// Tells committed facts to those who wait for them.
    pub fn tell(&self, facts: &[Arc<Event>]) {
        let waiting = self.lock();
        for fact in facts {
            let Some(awaited) = Awaited::of(fact) else {
                continue;
            };
            if let Some(sender) = waiting.get(&awaited) {
                sender.send_replace(Some(Arc::clone(fact)));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Awaited, watch::Sender<Latest>>> {
        // A panic elsewhere leaves a map that is still whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. Dropping it ends the wait.
#[derive(Debug)]
pub struct Waiter {
    awaited: Awaited,
    facts: watch::Receiver<Latest>,
    waiters: Arc<Waiters>,
}

impl Waiter {
    /// The newest fact since the last call. Cancel-safe.
    pub async fn next(&mut self) -> Arc<Event> {
        loop {
            if self.facts.changed().await.is_err() {
                // The sender lives as long as anyone waits.
                std::future::pending::<()>().await;
            }
            if let Some(fact) = self.facts.borrow_and_update().clone() {
                return fact;
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.waiters.lock();
        // This one still counts as a receiver.
        if waiting
            .get(&self.awaited)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            waiting.remove(&self.awaited);
        }
    }
}
