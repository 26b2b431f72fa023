//! One step of a lane, in one transaction: commit how the last request ended and turn the next row ATTEMPTING.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    conversations::Desk,
    domain::{
        AgentSettings, Attempt, Conversation, ConversationKey, Delivery, DeliveryKind,
        DeliveryState, Direction, EventBody, LaneKey, Owner, Reason, Recipient, RequestKind,
        Result, Timestamp,
        ports::{Transaction, Unit},
    },
};

use super::{
    advance_source,
    attempt::begin,
    backoff::Backoff,
    breaker::Breakers,
    look::{Look, LookFor, Looked, owner_must_be_read, settle_look},
    settle::{Finished, never_began, record_change, settle},
    settle_source::settle_source,
};

/// A moment's length: a wait that ends just after what it waits for.
pub const PAST: Duration = Duration::from_millis(1);

/// The step.
#[derive(Debug)]
pub struct Advance {
    pub key: LaneKey,
    pub ended: Option<Ended>,
    pub desk: Desk,
    pub breakers: Arc<Breakers>,
    pub backoff: Backoff,
    /// The server is stopping: commit what has ended and begin nothing.
    pub stopping: bool,
}

/// What the lane did last.
#[derive(Debug, Clone)]
pub enum Ended {
    Sent(Box<Finished>),
    Looked(Box<Looked>),
}

/// What the lane does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Send(Box<Attempt>),
    /// The source is asked first.
    Look(Box<Look>),
    /// Nothing before then, unless it is rung.
    Wait(Duration),
    /// Nothing until it is rung.
    Idle,
}

#[async_trait]
impl Unit for Advance {
    type Output = Step;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Step> {
        let Some(mut conversation) = tx.conversation(&self.key.conversation).await? else {
            return Ok(Step::Idle);
        };
        let before = conversation.clone();
        if let Some(ended) = &self.ended {
            self.settle(tx, &mut conversation, ended).await?;
        }
        let step = if self.stopping {
            Step::Idle
        } else {
            match self.key.direction {
                Direction::Agent => self.next(tx, &mut conversation).await?,
                Direction::Source => {
                    advance_source::next(tx, &mut conversation, &self.desk, &self.breakers).await?
                }
            }
        };
        if conversation != before {
            tx.save_conversation(&conversation).await?;
        }
        Ok(step)
    }
}

impl Advance {
    async fn settle(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        ended: &Ended,
    ) -> Result<()> {
        match ended {
            Ended::Looked(looked) => {
                let head = tx.lane_head(&self.key).await?;
                let how = (&self.desk, self.backoff);
                settle_look(tx, conversation, looked, head, how).await
            }
            Ended::Sent(finished) if self.key.direction == Direction::Source => {
                settle_source(tx, conversation, finished, (&self.desk, self.backoff)).await
            }
            Ended::Sent(finished) => {
                let directory = self.desk.directory();
                let agent = directory.agent(conversation.agent.as_str());
                let agent = agent.map(AsRef::as_ref);
                settle(tx, conversation, finished, agent, self.backoff).await
            }
        }
    }

    /// Goes through the rows that can be settled without a request until one can be sent or has to wait.
    async fn next(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
    ) -> Result<Step> {
        while let Some(mut delivery) = tx.lane_head(&self.key).await? {
            if delivery.state == DeliveryState::Attempting {
                return Ok(Step::Idle);
            }
            if owner_must_be_read(tx, conversation, &delivery, &self.desk) {
                if let Some(step) = self.read_owner(tx, conversation, &delivery).await? {
                    return Ok(step);
                }
            } else if is_given_back(&delivery, conversation) {
                delivery.owner_epoch = conversation.owner_epoch;
            }
            let agent = match self.sendable(&delivery, conversation, tx.now()) {
                Ok(agent) => agent,
                Err(end) => {
                    end_unsent(tx, conversation, delivery, end).await?;
                    continue;
                }
            };
            if let Some(step) = self
                .send_or_wait(tx, conversation, &delivery, &agent)
                .await?
            {
                return Ok(step);
            }
            let end = (DeliveryState::Failed, Reason::Erased);
            end_unsent(tx, conversation, delivery, end).await?;
        }
        Ok(Step::Idle)
    }

    /// Asks the source who owns the conversation. `None`: the row is too old to wait for that.
    async fn read_owner(
        &self,
        tx: &mut dyn Transaction,
        conversation: &Conversation,
        delivery: &Delivery,
    ) -> Result<Option<Step>> {
        let now = tx.now();
        let directory = self.desk.directory();
        let agent = directory.agent(delivery.agent.as_str());
        let (Some(agent), Some(source)) = (agent, &conversation.source) else {
            return Ok(None);
        };
        let fails = delivery.queued_at + agent.max_queue_age + PAST;
        let Some(contact) = tx.contact_of(&self.key.conversation).await? else {
            return Ok(None);
        };
        if now >= fails {
            return Ok(None);
        }
        if now < delivery.not_before {
            let until = delivery.not_before.min(fails);
            return Ok(Some(Step::Wait(until.since(now).max(PAST))));
        }
        Ok(Some(Step::Look(Box::new(Look {
            source: source.clone(),
            address: contact.address,
            owner_epoch: conversation.owner_epoch,
            what: LookFor::Owner,
        }))))
    }

    /// The agent that the row goes to, or the state in which it ends without a request.
    fn sendable(
        &self,
        delivery: &Delivery,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Result<Arc<AgentSettings>, (DeliveryState, Reason)> {
        let directory = self.desk.directory();
        let Some(agent) = directory.agent(delivery.agent.as_str()) else {
            return Err((DeliveryState::Failed, Reason::AgentRemoved));
        };
        let too_old = now.since(delivery.queued_at) > agent.max_queue_age;
        if delivery.awaits_owner && too_old {
            return Err((DeliveryState::Failed, Reason::OwnerUnread));
        }
        let unowned = delivery.awaits_owner && conversation.owner != Owner::Agent;
        if unowned || delivery.owner_epoch != conversation.owner_epoch {
            return Err(match delivery.kind {
                // A human's words of before are not said after all.
                DeliveryKind::Human => (DeliveryState::Superseded, Reason::OwnerMoved),
                _ => (DeliveryState::Held, Reason::NotOwner),
            });
        }
        // Whatever opened the session is over by now: they go with what opens the next one.
        if delivery.kind == DeliveryKind::Parameters && !conversation.session_is_live(now) {
            return Err((DeliveryState::Held, Reason::Kept));
        }
        if too_old {
            return Err((DeliveryState::Failed, Reason::QueuedTooLong));
        }
        Ok(Arc::clone(agent))
    }

    /// Absent: there is nothing left to send.
    async fn send_or_wait(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        delivery: &Delivery,
        agent: &AgentSettings,
    ) -> Result<Option<Step>> {
        if escalation_is_open(tx, &self.key.conversation).await? {
            return Ok(Some(Step::Idle));
        }
        let now = tx.now();
        // Whatever the platform, the breaker or an administrator asks for: at its greatest age it fails.
        let fails = delivery.queued_at + agent.max_queue_age + PAST;
        if agent.paused {
            self.note_pause(tx, conversation, delivery.clone()).await?;
            return Ok(Some(Step::Wait(fails.since(now).max(PAST))));
        }
        let permitted = if now < delivery.not_before {
            Err(delivery.not_before)
        } else {
            let recipient = Recipient::Agent(delivery.agent.clone());
            self.breakers.permit(&recipient, &self.key, now)
        };
        if let Err(until) = permitted {
            return Ok(Some(Step::Wait(until.min(fails).since(now).max(PAST))));
        }
        let mut delivery = delivery.clone();
        let Some(attempt) = begin(tx, conversation, &mut delivery, agent).await? else {
            return Ok(None);
        };
        tx.save_delivery(&delivery).await?;
        Ok(Some(Step::Send(Box::new(attempt))))
    }

    /// The row waits until the agent is resumed, and tells so once.
    async fn note_pause(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        mut delivery: Delivery,
    ) -> Result<()> {
        if delivery.reason == Some(Reason::AgentPaused) {
            return Ok(());
        }
        delivery.reason = Some(Reason::AgentPaused);
        tx.save_delivery(&delivery).await?;
        record_change(tx, conversation, &delivery);
        Ok(())
    }
}

/// It waited for the owner to be read, and the next that happened is that the agent has the conversation back. After
/// anything else it belongs to the time of another.
fn is_given_back(delivery: &Delivery, conversation: &Conversation) -> bool {
    delivery.awaits_owner
        && conversation.owner == Owner::Agent
        && delivery.owner_epoch + 1 == conversation.owner_epoch
}

/// Ends a row without a request.
async fn end_unsent(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    mut delivery: Delivery,
    (state, reason): (DeliveryState, Reason),
) -> Result<()> {
    delivery.state = state;
    delivery.reason = Some(reason);
    unsent(tx, conversation, &delivery).await?;
    tx.save_delivery(&delivery).await?;
    record_change(tx, conversation, &delivery);
    Ok(())
}

/// What follows for the conversation from a row that ends without a request.
async fn unsent(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    delivery: &Delivery,
) -> Result<()> {
    match (delivery.state, delivery.reason) {
        (DeliveryState::Held, Some(Reason::Kept)) => {
            let event = tx.event(&delivery.key, delivery.sequence).await?;
            if let Some(EventBody::ParametersUpdated { parameters, .. }) =
                event.map(|event| event.fact.body)
            {
                conversation.keep_parameters(&parameters);
            }
        }
        (DeliveryState::Failed, _) => never_began(tx, conversation, delivery),
        _ => {}
    }
    Ok(())
}

/// While an agent waits to hand its visitor over, nothing more is sent to it.
pub async fn escalation_is_open(tx: &mut dyn Transaction, key: &ConversationKey) -> Result<bool> {
    Ok(tx
        .open_requests(key)
        .await?
        .iter()
        .any(|request| request.kind == RequestKind::Escalation))
}
