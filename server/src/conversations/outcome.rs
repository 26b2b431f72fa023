//! What commands that deliver something have in common: the idempotency key, the row in the lane, and the wait for how
//! it ends.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    delivery::{begin, escalation_is_open, owner_must_be_read, record_change},
    domain::{
        AgentSettings, Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState,
        Direction, Error, Fingerprint, Id, LaneKey, Owner, Position, Reason, Recipient, Result,
        Subject, Timestamp,
        ports::{Command, CommandKey, Effect, Transaction, Unit},
    },
    waiters::{Awaited, Waiter},
};

use super::{Conversations, desk::Desk, open::find, read::detached};

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
    /// Whether a request to the agent may leave now. While its platform fails, the lanes find out when it is back.
    pub ready: bool,
    /// Somebody else may have given the conversation back: that is read before the row is sent or held.
    pub awaits_owner: bool,
    /// It was said already, to a source: with a full queue it is recorded and FAILED, where a caller would be refused.
    pub is_taken_anyway: bool,
}

/// Puts a row at the end of the conversation's lane. At the head of an idle lane it is ATTEMPTING at once, which saves a
/// commit; what the agent does not own is HELD.
pub async fn enqueue(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    agent: &AgentSettings,
    parcel: Parcel,
    desk: &Desk,
) -> Result<Delivery> {
    let mut delivery = queued(tx, conversation, &parcel).await?;
    let owned = parcel.kind == DeliveryKind::End || conversation.owner == Owner::Agent;
    let ready = parcel.ready && !owner_must_be_read(tx, conversation, &delivery, desk);
    let full = parcel.is_taken_anyway && is_full(tx, agent).await?;
    if full && (owned || parcel.awaits_owner) {
        delivery.state = DeliveryState::Failed;
        delivery.reason = Some(Reason::AgentUnavailable);
        tx.add_delivery(&delivery).await?;
        record_change(tx, conversation, &delivery);
        return Ok(delivery);
    }
    if owned {
        set_off(tx, conversation, agent, &mut delivery, ready).await?;
    } else if parcel.awaits_owner {
        delivery.awaits_owner = true;
        set_off(tx, conversation, agent, &mut delivery, false).await?;
    } else {
        delivery.state = DeliveryState::Held;
        delivery.reason = Some(Reason::NotOwner);
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
    if agent.paused {
        delivery.reason = Some(Reason::AgentPaused);
    }
    if ready
        && !agent.paused
        && tx.lane_head(&LaneKey::to_agent(&key)).await?.is_none()
        && !escalation_is_open(tx, &key).await?
    {
        if let Some(attempt) = begin(tx, conversation, delivery, agent).await? {
            tx.after_commit(Effect::Attempt(Box::new(attempt)));
        } else {
            delivery.state = DeliveryState::Failed;
            delivery.reason = Some(Reason::Erased);
        }
        return Ok(());
    }
    if is_full(tx, agent).await? {
        return Err(Error::QueueFull {
            agent: agent.name.clone(),
            limit: agent.max_queued,
        });
    }
    if agent.paused {
        // Whoever waits for the agent to answer learns why it does not.
        record_change(tx, conversation, delivery);
    }
    tx.after_commit(Effect::RingLane(LaneKey::to_agent(&key)));
    Ok(())
}

/// Whether as many deliveries of the agent wait as may.
async fn is_full(tx: &mut dyn Transaction, agent: &AgentSettings) -> Result<bool> {
    Ok(tx.waiting_deliveries(&agent.name).await? >= agent.max_queued)
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
        direction: Direction::Agent,
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
        part: 0,
        unclear: false,
        read_back_since: None,
        remote_id: String::new(),
        attempted_at: Timestamp::default(),
        awaits_owner: false,
    })
}

impl Conversations {
    /// Whether a request to the agent may leave now.
    pub(super) fn ready(&self, agent: &AgentSettings) -> bool {
        !agent.paused && !self.breakers.is_open(&Recipient::Agent(agent.name.clone()))
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
            let newest = self.newest(delivery).await?;
            self.settled(waiter, newest, until).await?
        };
        failure(&delivery)?;
        accepted.delivery = Some(delivery);
        Ok(accepted)
    }

    /// As [`Self::deliver`], for a delivery that is named by its event and therefore known only once it is committed. What
    /// fails is no error of the call: it was recorded, and its state is told.
    pub(super) async fn deliver_event<U>(&self, unit: U, wait: Duration) -> Result<Accepted>
    where
        U: Unit<Output = Accepted>,
    {
        let until = Instant::now() + wait;
        let mut accepted = self.committer.submit(unit).await?.output;
        if let (Some(subject), Some(delivery)) = (accepted.subject(), accepted.delivery.take()) {
            let key = accepted.conversation.key.clone();
            let waiter = self.waiters.listen(Awaited::Delivery(key, subject));
            let newest = self.newest(delivery).await?;
            accepted.delivery = Some(self.settled(waiter, newest, until).await?);
        }
        Ok(accepted)
    }

    /// The row once it is final, or as it stands when the time is over. What wakes the waiter may be about another
    /// command with the same key, so the row itself is read.
    async fn settled(
        &self,
        mut waiter: Waiter,
        mut delivery: Delivery,
        until: Instant,
    ) -> Result<Delivery> {
        while !delivery.state.is_final() && !self.is_known_down(&delivery) {
            if tokio::time::timeout_at(until, waiter.next()).await.is_err() {
                break;
            }
            delivery = self.newest(delivery).await?;
        }
        Ok(delivery)
    }

    async fn newest(&self, delivery: Delivery) -> Result<Delivery> {
        let store = Arc::clone(&self.store);
        detached(async move { Ok(store.delivery(&delivery.id).await?.unwrap_or(delivery)) }).await
    }

    fn is_known_down(&self, delivery: &Delivery) -> bool {
        let agent = Recipient::Agent(delivery.agent.clone());
        let is_paused = delivery.reason == Some(Reason::AgentPaused);
        delivery.state == DeliveryState::Queued && (is_paused || self.breakers.is_open(&agent))
    }

    /// The position of an event that is committed.
    pub(super) async fn position(&self, key: &ConversationKey, sequence: u64) -> Result<Position> {
        let (store, key) = (Arc::clone(&self.store), key.clone());
        detached(async move { Ok(store.position_of(&key, sequence).await?.unwrap_or_default()) })
            .await
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
