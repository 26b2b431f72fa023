//! What commands that deliver something have in common: the idempotency key, the row in the lane, and the wait for how
//! it ends.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    delivery::{begin, escalation_is_open},
    domain::{
        AgentSettings, Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState, Error,
        EventBody, Fingerprint, Id, Owner, Position, Reason, Result, Subject, Timestamp,
        ports::{Command, CommandKey, Effect, Transaction, Unit},
    },
    waiters::Awaited,
};

use super::{Conversations, open::find};

/// What a command's commit left behind.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub conversation: Conversation,
    /// `sequence` of the command's event, or of the newest one when it added none.
    pub sequence: u64,
    pub delivery: Option<Delivery>,
    /// It resumed a session.
    pub resumed: bool,
}

/// An idempotency key with the content it stands for.
#[derive(Debug, Clone)]
pub struct Once {
    pub scope: CommandKey,
    pub content: Fingerprint,
    /// The request's field, for the error.
    pub field: &'static str,
}

impl Once {
    /// The outcome of the command that came before under this key, if one did.
    pub async fn recall(&self, tx: &mut dyn Transaction) -> Result<Option<Accepted>> {
        let Some(known) = tx.remembered(&self.scope).await? else {
            return Ok(None);
        };
        if known.content != tx.digest(&self.content) {
            return Err(Error::KeyReused { field: self.field });
        }
        let CommandKey {
            tenant, account, ..
        } = self.scope.clone();
        let conversation = find(
            tx,
            &ConversationKey {
                tenant,
                account,
                id: known.conversation_id,
            },
        )
        .await?;
        let delivery = match known.delivery {
            Some(id) => tx.delivery(&id).await?,
            None => None,
        };
        Ok(Some(Accepted {
            conversation,
            sequence: known.sequence,
            delivery,
            resumed: known.resumed,
        }))
    }

    /// Keeps the outcome for a repetition.
    pub async fn remember(&self, tx: &mut dyn Transaction, accepted: &Accepted) -> Result<()> {
        let command = Command {
            content: tx.digest(&self.content),
            conversation_id: accepted.conversation.key.id.clone(),
            sequence: accepted.sequence,
            delivery: accepted
                .delivery
                .as_ref()
                .map(|delivery| delivery.id.clone()),
            resumed: accepted.resumed,
        };
        tx.remember(&self.scope, &command).await
    }
}

/// What is put into a lane.
#[derive(Debug)]
pub struct Parcel {
    pub kind: DeliveryKind,
    pub subject: Subject,
    /// `sequence` of the event that holds it.
    pub sequence: u64,
    /// Whether a request to the agent may leave now.
    pub ready: bool,
}

/// Puts a row at the end of the conversation's lane. At the head of an idle lane it is ATTEMPTING at once, which saves a
/// commit; what the agent does not own is HELD.
pub async fn enqueue(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    agent: &AgentSettings,
    parcel: Parcel,
) -> Result<Delivery> {
    let mut delivery = queued(tx, conversation, &parcel).await?;
    if parcel.kind != DeliveryKind::End && conversation.owner != Owner::Agent {
        delivery.state = DeliveryState::Held;
        delivery.reason = Some(Reason::NotOwner);
    } else {
        set_off(tx, conversation, agent, &mut delivery, parcel.ready).await?;
    }
    tx.add_delivery(&delivery).await?;
    Ok(delivery)
}

/// Turns a queued row ATTEMPTING if nothing is before it, or leaves it to the lane.
pub async fn set_off(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    agent: &AgentSettings,
    delivery: &mut Delivery,
    ready: bool,
) -> Result<()> {
    let key = conversation.key.clone();
    if ready && tx.lane_head(&key).await?.is_none() && !escalation_is_open(tx, &key).await? {
        let attempt = begin(tx, conversation, delivery, agent).await?;
        tx.after_commit(Effect::Attempt(Box::new(attempt)));
        return Ok(());
    }
    if tx.waiting_deliveries(&agent.name).await? >= agent.max_queued {
        return Err(Error::QueueFull {
            agent: agent.name.clone(),
            limit: agent.max_queued,
        });
    }
    tx.after_commit(Effect::RingLane(key));
    Ok(())
}

async fn queued(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    parcel: &Parcel,
) -> Result<Delivery> {
    let order = tx.next_order(&conversation.key).await?;
    Ok(Delivery {
        id: Id::generate(),
        key: conversation.key.clone(),
        agent: conversation.agent.clone(),
        kind: parcel.kind,
        subject: parcel.subject.clone(),
        order,
        sequence: parcel.sequence,
        state: DeliveryState::Queued,
        reason: None,
        detail: String::new(),
        attempt: 0,
        session: 0,
        new_session: false,
        owner_epoch: conversation.owner_epoch,
        queued_at: tx.now(),
        not_before: Timestamp::default(),
    })
}

impl Conversations {
    /// Whether a request to the agent may leave now.
    pub(super) fn ready(&self, agent: &AgentSettings) -> bool {
        self.breakers.permit(&agent.name, self.clock.now()).is_ok()
    }

    /// Commits a command and waits for how its delivery ends: until then, for `wait`, or until it is clear that the
    /// agent is down. A delivery that failed is an error, now and whenever the call is repeated.
    pub(super) async fn deliver<U>(
        &self,
        unit: U,
        key: &ConversationKey,
        subject: &Subject,
        wait: Duration,
    ) -> Result<Accepted>
    where
        U: Unit<Output = Accepted>,
    {
        let until = Instant::now() + wait;
        // Before the commit, so that no change is missed.
        let waiter = self
            .waiters
            .listen(Awaited::Delivery(key.clone(), subject.clone()));
        let mut accepted = self.committer.submit(unit).await?.output;
        let Some(delivery) = accepted.delivery.take() else {
            return Ok(accepted);
        };
        let delivery = if &accepted.conversation.key == key {
            self.settled(waiter, delivery, until).await?
        } else {
            // A repetition that let us make the id: its conversation is known only now.
            let awaited = Awaited::Delivery(accepted.conversation.key.clone(), subject.clone());
            let waiter = self.waiters.listen(awaited);
            let newest = self.store.delivery(&delivery.id).await?.unwrap_or(delivery);
            self.settled(waiter, newest, until).await?
        };
        failure(&delivery)?;
        accepted.delivery = Some(delivery);
        Ok(accepted)
    }

    async fn settled(
        &self,
        mut waiter: crate::waiters::Waiter,
        mut delivery: Delivery,
        until: Instant,
    ) -> Result<Delivery> {
        let undecided = delivery.session == 0;
        while !delivery.state.is_final() && !self.is_known_down(&delivery) {
            let Ok(fact) = tokio::time::timeout_at(until, waiter.next()).await else {
                break;
            };
            apply(&mut delivery, &fact.fact.body);
        }
        if undecided && delivery.session != 0 {
            // Whether it began the session was decided in the lane.
            return Ok(self.store.delivery(&delivery.id).await?.unwrap_or(delivery));
        }
        Ok(delivery)
    }

    fn is_known_down(&self, delivery: &Delivery) -> bool {
        delivery.state == DeliveryState::Queued && self.breakers.is_open(&delivery.agent)
    }

    /// The position of an event that is committed.
    pub(super) async fn position(&self, key: &ConversationKey, sequence: u64) -> Result<Position> {
        Ok(self
            .store
            .position_of(key, sequence)
            .await?
            .unwrap_or_default())
    }
}

fn apply(delivery: &mut Delivery, body: &EventBody) {
    if let EventBody::DeliveryChanged {
        session,
        state,
        reason,
        attempt,
        detail,
        ..
    } = body
    {
        delivery.session = *session;
        delivery.state = *state;
        delivery.reason = *reason;
        delivery.attempt = *attempt;
        delivery.detail.clone_from(detail);
    }
}

/// A failed delivery as the error that the caller sees.
fn failure(delivery: &Delivery) -> Result<()> {
    if delivery.state != DeliveryState::Failed {
        return Ok(());
    }
    let agent = delivery.agent.clone();
    Err(match delivery.reason {
        Some(Reason::AgentRejected) => Error::AgentRejected {
            detail: delivery.detail.clone(),
        },
        Some(Reason::AgentCredentialsRejected) => Error::AgentCredentialsRejected { agent },
        Some(Reason::AgentNotFoundUpstream) => Error::AgentNotFoundUpstream { agent },
        reason => Error::NotDelivered {
            reason: reason.map_or("FAILED", Reason::as_str),
        },
    })
}
