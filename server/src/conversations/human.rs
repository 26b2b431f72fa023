//! The human side speaks, through whatever shows the conversation to its visitor.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::delivery::human_items;
use crate::domain::{
    AgentSettings, Conversation, ConversationKey, ConversationKind, Delivery, DeliveryKind,
    Direction, Error, EventBody, Fingerprint, HumanMessage, HumanMessageKind, LaneKey, Owner,
    Result, Subject,
    ports::{CommandKey, Effect, Transaction, Unit},
};

use super::{
    Caller, Conversations, SendHumanMessage, SentHumanMessage,
    desk::Desk,
    open::find,
    outcome::{Accepted, Once},
    record::{Recorded, record},
    to_source::{enqueue_at_source, row},
};

const METHOD: &str = "SendHumanMessage";

impl Conversations {
    pub async fn send_human_message(
        &self,
        caller: &Caller,
        command: SendHumanMessage,
        wait: Duration,
    ) -> Result<SentHumanMessage> {
        command.message.check()?;
        let (account, agent) = self.checked_account(caller, &command.account, &[])?;
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account.name.clone(),
            id: command.conversation_id.clone(),
        };
        let unit = Speak {
            key: key.clone(),
            once: once(&command, &key),
            traceparent: caller.traceparent.clone(),
            desk: self.desk(),
            command,
            agent,
        };
        let accepted = self.deliver_event(unit, wait).await?;
        Ok(SentHumanMessage {
            position: self.position(&key, accepted.sequence).await?,
            delivery: accepted.delivery,
        })
    }
}

fn once(command: &SendHumanMessage, key: &ConversationKey) -> Once {
    let HumanMessage {
        kind,
        text,
        name,
        avatar_url,
        queue_position,
        waiting_time,
        ..
    } = &command.message;
    let content = Fingerprint::of(METHOD)
        .text(command.conversation_id.as_str())
        .number(*kind as u64)
        .text(text)
        .text(name)
        .text(avatar_url)
        .number(queue_position.map_or(0, u64::from))
        .number(waiting_time.map_or(0, |time| time.as_secs().saturating_add(1)))
        .number(
            command
                .expected_owner_epoch
                .map_or(0, |epoch| epoch.saturating_add(1)),
        );
    Once {
        scope: CommandKey {
            tenant: key.tenant.clone(),
            account: key.account.clone(),
            method: METHOD,
            key: command.message_id.clone(),
        },
        content,
        field: "message_id",
    }
}

#[derive(Debug)]
struct Speak {
    command: SendHumanMessage,
    key: ConversationKey,
    once: Once,
    agent: Arc<AgentSettings>,
    traceparent: String,
    desk: Desk,
}

#[async_trait]
impl Unit for Speak {
    type Output = Accepted;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Accepted> {
        if let Some(known) = self.once.recall(tx).await? {
            return Ok(known);
        }
        let mut conversation = find(tx, &self.key).await?;
        self.check(&conversation)?;
        let message = self.command.message.clone();
        let said = EventBody::HumanMessage(message);
        let recorded = record(tx, &mut conversation, &self.traceparent, said);
        match self.command.message.kind {
            HumanMessageKind::Joined => conversation.human_joined = true,
            HumanMessageKind::Left | HumanMessageKind::Failed => conversation.human_joined = false,
            HumanMessageKind::Text | HumanMessageKind::Queue => {}
        }
        let delivery = self.enqueue(tx, &conversation, &recorded).await?;
        tx.save_conversation(&conversation).await?;
        let accepted = Accepted {
            conversation,
            sequence: recorded.sequence,
            delivery,
            resumed: false,
        };
        self.once.remember(tx, &accepted).await?;
        Ok(accepted)
    }
}

impl Speak {
    fn check(&self, conversation: &Conversation) -> Result<()> {
        let actual = conversation.owner_epoch;
        if let Some(expected) = self
            .command
            .expected_owner_epoch
            .filter(|expected| *expected != actual)
        {
            return Err(Error::OwnerEpochMoved { expected, actual });
        }
        if conversation.owner != Owner::Human {
            return Err(Error::NotOwner);
        }
        if conversation.kind != ConversationKind::Widget {
            return Ok(());
        }
        let (message, joined) = (&self.command.message, conversation.human_joined);
        if !message.may_be_shown(joined, self.agent.human_must_join) {
            return Err(Error::HumanNotJoined);
        }
        if !message.may_be_shown(joined, true) {
            tracing::warn!(conversation = %conversation.key, "a human speaks in the widget before joining");
        }
        Ok(())
    }

    /// To the source that brings the visitor, or to the platform's widget. Where there is neither, subscribers show it.
    async fn enqueue(
        &self,
        tx: &mut dyn Transaction,
        conversation: &Conversation,
        recorded: &Recorded,
    ) -> Result<Option<Delivery>> {
        if let Some(source) = self.desk.source_of(conversation) {
            if human_items(&self.command.message, conversation, &source).is_empty() {
                return Ok(None);
            }
            let delivery = enqueue_at_source(tx, conversation, DeliveryKind::Human, recorded);
            return delivery.await.map(Some);
        }
        if conversation.kind != ConversationKind::Widget {
            return Ok(None);
        }
        let how = (DeliveryKind::Human, Direction::Agent);
        let delivery = row(tx, conversation, how, recorded).await?;
        tx.add_delivery(&delivery).await?;
        tx.after_commit(Effect::RingLane(LaneKey::to_agent(&conversation.key)));
        Ok(Some(delivery))
    }
}

impl Accepted {
    /// What to wait for, where the delivery is named by its event.
    pub(super) fn subject(&self) -> Option<Subject> {
        self.delivery.as_ref().map(|row| row.subject.clone())
    }
}
