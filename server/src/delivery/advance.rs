//! One step of a lane, in one transaction: commit how the last request ended and turn the next row ATTEMPTING.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{
    AgentSettings, Attempt, Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState,
    Directory, EventBody, Reason, RequestKind, Result, Timestamp,
    ports::{Transaction, Unit},
};

use super::{
    attempt::begin,
    backoff::Backoff,
    breaker::Breakers,
    settle::{Finished, never_began, record_change, settle},
};

/// A moment's length: a wait that ends just after what it waits for.
const PAST: Duration = Duration::from_millis(1);

/// The step.
#[derive(Debug)]
pub struct Advance {
    pub key: ConversationKey,
    pub finished: Option<Finished>,
    pub directory: Arc<Directory>,
    pub breakers: Arc<Breakers>,
    pub backoff: Backoff,
    /// The server is stopping: commit what has ended and begin nothing.
    pub stopping: bool,
}

/// What the lane does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Send(Box<Attempt>),
    /// Nothing before then, unless it is rung.
    Wait(Duration),
    /// Nothing until it is rung.
    Idle,
}

#[async_trait]
impl Unit for Advance {
    type Output = Step;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Step> {
        let Some(mut conversation) = tx.conversation(&self.key).await? else {
            return Ok(Step::Idle);
        };
        let before = conversation.clone();
        if let Some(finished) = &self.finished {
            let agent = self
                .directory
                .agent(conversation.agent.as_str())
                .map(AsRef::as_ref);
            settle(tx, &mut conversation, finished, agent, self.backoff).await?;
        }
        let step = if self.stopping {
            Step::Idle
        } else {
            self.next(tx, &mut conversation).await?
        };
        if conversation != before {
            tx.save_conversation(&conversation).await?;
        }
        Ok(step)
    }
}

impl Advance {
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
            let agent = match self.sendable(&delivery, conversation, tx.now()) {
                Ok(agent) => agent,
                Err((state, reason)) => {
                    delivery.state = state;
                    delivery.reason = Some(reason);
                    unsent(tx, conversation, &delivery).await?;
                    tx.save_delivery(&delivery).await?;
                    record_change(tx, conversation, &delivery);
                    continue;
                }
            };
            return self.send_or_wait(tx, conversation, delivery, agent).await;
        }
        Ok(Step::Idle)
    }

    /// The agent that the row goes to, or the state in which it ends without a request.
    fn sendable(
        &self,
        delivery: &Delivery,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Result<&AgentSettings, (DeliveryState, Reason)> {
        let Some(agent) = self.directory.agent(delivery.agent.as_str()) else {
            return Err((DeliveryState::Failed, Reason::AgentRemoved));
        };
        if delivery.owner_epoch != conversation.owner_epoch {
            return Err((DeliveryState::Held, Reason::NotOwner));
        }
        // Whatever opened the session is over by now: they go with what opens the next one.
        if delivery.kind == DeliveryKind::Parameters && !conversation.session_is_live(now) {
            return Err((DeliveryState::Held, Reason::Kept));
        }
        if now.since(delivery.queued_at) > agent.max_queue_age {
            return Err((DeliveryState::Failed, Reason::QueuedTooLong));
        }
        Ok(agent)
    }

    async fn send_or_wait(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        mut delivery: Delivery,
        agent: &AgentSettings,
    ) -> Result<Step> {
        if escalation_is_open(tx, &self.key).await? {
            return Ok(Step::Idle);
        }
        let now = tx.now();
        let permitted = if now < delivery.not_before {
            Err(delivery.not_before)
        } else {
            self.breakers.permit(&delivery.agent, &self.key, now)
        };
        if let Err(until) = permitted {
            // Whatever the platform or the breaker asks for: at its greatest age it fails.
            let fails = delivery.queued_at + agent.max_queue_age + PAST;
            return Ok(Step::Wait(until.min(fails).since(now).max(PAST)));
        }
        let attempt = begin(tx, conversation, &mut delivery, agent).await?;
        tx.save_delivery(&delivery).await?;
        Ok(Step::Send(Box::new(attempt)))
    }
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
