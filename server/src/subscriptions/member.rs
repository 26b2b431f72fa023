//! Members of this server: those that have a stream, and those that come for events.

use std::{
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::{
    Subscriptions,
    create::Creation,
    mailbox::{Mail, Mailbox},
    op::{Op, Pull, Pulled},
};
use crate::{
    domain::{
        Error, Id, Position, Result,
        subscription::{SubscriptionKey, SubscriptionRecord},
    },
    hub::{Filter, Interest},
    metrics::OpenStream,
};

/// What is in force on a member's stream.
#[derive(Debug, Clone)]
pub struct Terms {
    pub record: SubscriptionRecord,
    pub member: Id,
    pub max_in_flight: u32,
    pub done_through: Position,
    pub heartbeat: Duration,
    pub lifetime: Duration,
}

/// An open stream of a member. Dropping it gives the member's leases back.
#[derive(Debug)]
pub struct MemberStream {
    pub terms: Terms,
    mailbox: Arc<Mailbox>,
    session: u64,
    subscriptions: Arc<Subscriptions>,
    _counted: OpenStream,
    _interest: Interest,
}

/// The same, as the subscription's task has it.
#[derive(Debug)]
pub(super) struct LocalStream {
    pub session: u64,
    pub mailbox: Arc<Mailbox>,
    pub max_in_flight: u32,
    pub heartbeat: Duration,
    pub ends_at: Instant,
    pub told_level: bool,
    pub bell: Arc<Notify>,
}

impl Subscriptions {
    /// Opens a member's stream; the subscription is created if there is none. Runs in a task of its own, because it
    /// writes.
    ///
    /// # Errors
    ///
    /// `SubscriptionDiffers`; `Limit`; `Stopping`; `StoreUnavailable`.
    pub async fn open(
        self: &Arc<Self>,
        key: SubscriptionKey,
        member: Id,
        creation: Creation,
        (max_in_flight, heartbeat): (u32, Option<Duration>),
    ) -> Result<MemberStream> {
        let record = self.ensure(&key, creation).await?;
        let hub = self.parts.hub.settings();
        let heartbeat = heartbeat.unwrap_or(hub.heartbeat);
        let lifetime = hub.lifetime.mul_f64(0.8 + 0.2 * fastrand::f64());
        let bell = Arc::new(Notify::new());
        let mailbox = Mailbox::new(Arc::clone(&bell));
        let session = fastrand::u64(1..);
        let local = LocalStream {
            session,
            mailbox: Arc::clone(&mailbox),
            max_in_flight,
            heartbeat,
            ends_at: Instant::now() + lifetime,
            told_level: false,
            bell,
        };
        let (reply, answer) = oneshot::channel();
        let op = Op::Join {
            member: member.clone(),
            stream: local,
            reply,
        };
        self.send(&key, op)?;
        let tenant = key.tenant.as_str();
        let choice = &record.choice;
        let filter = Filter::new(
            &key.tenant,
            choice.accounts.clone(),
            choice.conversations.clone(),
            &choice.kinds,
            &self.parts.live.directory(),
        );
        self.streams.fetch_add(1, Ordering::Relaxed);
        let mut stream = MemberStream {
            terms: Terms {
                record,
                member,
                max_in_flight,
                done_through: Position(0),
                heartbeat,
                lifetime,
            },
            mailbox,
            session,
            subscriptions: Arc::clone(self),
            _counted: self.parts.metrics.streams.opened(tenant),
            _interest: self.parts.hub.interest(filter),
        };
        stream.terms.done_through = answer.await.unwrap_or(Err(Error::Stopping))?;
        Ok(stream)
    }

    /// Takes what there is for a member, or waits for it; the subscription is created if there is none.
    ///
    /// # Errors
    ///
    /// As [`Subscriptions::open`].
    pub async fn pull(
        self: &Arc<Self>,
        key: SubscriptionKey,
        member: Id,
        creation: Creation,
        (max_in_flight, want, patience): (u32, usize, Duration),
    ) -> Result<Pulled> {
        let (all, ensured) = (Arc::clone(self), key.clone());
        // Works in the database: goes on even if the caller does not wait.
        let ensuring = tokio::spawn(async move { all.ensure(&ensured, creation).await });
        ensuring.await.unwrap_or(Err(Error::Internal))?;
        let (reply, answer) = oneshot::channel();
        let pull = Pull {
            max_in_flight,
            want,
            max_bytes: MAX_PULL_BYTES,
            until: Instant::now() + patience,
            lease: patience + self.parts.settings.pull_lease,
            reply,
            joined: false,
            gap: None,
        };
        self.send(&key, Op::Pull { member, pull })?;
        // Dropped with its caller, so that nothing is handed to nobody.
        answer.await.unwrap_or(Err(Error::Stopping))
    }
}

/// About how many bytes one answer has.
const MAX_PULL_BYTES: usize = 1024 * 1024;

impl MemberStream {
    pub fn key(&self) -> &SubscriptionKey {
        &self.terms.record.key
    }

    /// The next thing to be written.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<Mail> {
        self.mailbox.poll(context)
    }

    /// The next one, if it is an event and there is room for it.
    pub fn take_event(&self, room: usize) -> Option<Mail> {
        self.mailbox.take_event(room)
    }

    pub fn hub(&self) -> &crate::hub::Hub {
        &self.subscriptions.parts.hub
    }
}

impl Drop for MemberStream {
    fn drop(&mut self) {
        self.subscriptions.streams.fetch_sub(1, Ordering::Relaxed);
        let left = Op::Left {
            member: self.terms.member.clone(),
            session: self.session,
        };
        // While the server stops, leases are given back all together.
        let _ = self.subscriptions.send(self.key(), left);
    }
}
