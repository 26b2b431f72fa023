//! A visitor's message.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{
    Account, AgentSettings, Choice, ConversationKey, Delivery, DeliveryKind, DeliveryState, Error,
    EventBody, Fingerprint, Owner, Reason, Result, Subject, VisitorContent, VisitorMessage,
    ports::{CommandKey, Transaction, Unit},
};

use super::{
    Caller, Conversations, SendMessage, SentMessage,
    desk::Desk,
    open::{open_as, reopen, with_kind},
    outcome::{Accepted, Once, Parcel, enqueue, set_off},
    record::record,
};

const METHOD: &str = "SendMessage";

impl Conversations {
    pub async fn send(
        &self,
        caller: &Caller,
        mut command: SendMessage,
        wait: Duration,
    ) -> Result<SentMessage> {
        command.content.check()?;
        let (account, agent) =
            self.checked_account(caller, &command.account, &command.parameters)?;
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account.name.clone(),
            id: command.conversation_id.clone(),
        };
        let subject = Subject::Message(command.message_id.to_string());
        // The content as it was given: a change of the setting makes no other command of it.
        let once = once(&command, &key);
        agent.mark_personal(&mut command.parameters);
        let unit = Send {
            key: key.clone(),
            once,
            ready: self.ready(&agent),
            desk: self.desk(),
            traceparent: caller.traceparent.clone(),
            command,
            account,
            agent,
        };
        let accepted = self.deliver(unit, &key, &subject, wait).await?;
        let delivery = accepted.delivery.ok_or(Error::Internal)?;
        Ok(SentMessage {
            new_session: (delivery.session != 0).then_some(delivery.new_session),
            position: self.position(&key, accepted.sequence).await?,
            delivery,
        })
    }
}

/// `resend` is no part of the content: it asks for the same message once more.
fn once(command: &SendMessage, key: &ConversationKey) -> Once {
    let content = Fingerprint::of(METHOD).text(command.conversation_id.as_str());
    let content = match &command.content {
        VisitorContent::Text(text) => content.text("text").text(text),
        VisitorContent::Choice(choice) => content
            .text("choice")
            .text(&choice.label)
            .number(choice.card_index.map_or(0, |index| u64::from(index) + 1))
            .text(&choice.event_id),
    };
    let scope = CommandKey {
        tenant: key.tenant.clone(),
        account: key.account.clone(),
        method: METHOD,
        key: command.message_id.clone(),
    };
    let content = content.parameters(&command.parameters);
    Once {
        scope,
        content: with_kind(content, command.kind),
        field: "message_id",
    }
}

#[derive(Debug)]
struct Send {
    command: SendMessage,
    key: ConversationKey,
    once: Once,
    account: Arc<Account>,
    agent: Arc<AgentSettings>,
    ready: bool,
    traceparent: String,
    desk: Desk,
}

#[async_trait]
impl Unit for Send {
    type Output = Accepted;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Accepted> {
        if let Some(mut known) = self.once.recall(tx).await? {
            if self.command.resend {
                self.resend(tx, &mut known).await?;
            }
            return Ok(known);
        }
        if let VisitorContent::Choice(choice) = &self.command.content {
            self.check_choice(tx, choice).await?;
        }
        let whose = (self.account.as_ref(), self.agent.as_ref());
        let mut conversation = open_as(tx, &self.key, whose, self.command.kind).await?;
        reopen(
            tx,
            &mut conversation,
            (&self.account, &self.agent),
            &self.traceparent,
            &self.desk,
        )
        .await?;
        let resumed = conversation.session_is_live(tx.now());
        let message = VisitorMessage {
            message_id: self.command.message_id.to_string(),
            content: self.command.content.clone(),
            parameters: self.command.parameters.clone(),
            held: conversation.owner != Owner::Agent,
            raw: String::new(),
        };
        let sequence = record(
            tx,
            &mut conversation,
            &self.traceparent,
            EventBody::VisitorMessage(message),
        )
        .sequence;
        let subject = Subject::Message(self.command.message_id.to_string());
        let parcel = Parcel {
            kind: DeliveryKind::Message,
            subject,
            sequence,
            ready: self.ready,
            awaits_owner: false,
            is_taken_anyway: false,
        };
        let delivery = enqueue(tx, &mut conversation, &self.agent, parcel, &self.desk).await?;
        tx.save_conversation(&conversation).await?;
        let accepted = Accepted {
            conversation,
            sequence,
            delivery: Some(delivery),
            resumed,
        };
        self.once.remember(tx, &accepted).await?;
        Ok(accepted)
    }
}

impl Send {
    /// Where the caller names the agent's message, the button must stand in it.
    async fn check_choice(&self, tx: &mut dyn Transaction, choice: &Choice) -> Result<()> {
        if choice.event_id.is_empty() {
            return Ok(());
        }
        let event = tx.event_by_id(&choice.event_id).await?;
        match event
            .filter(|event| event.fact.key.as_ref() == Some(&self.key))
            .map(|event| event.fact.body)
        {
            Some(EventBody::AgentMessage(message)) => message.check_choice(choice),
            _ => Err(Error::not_found("agent message", &choice.event_id)),
        }
    }

    /// Puts a message whose delivery is UNKNOWN or FAILED into the lane once more.
    async fn resend(&self, tx: &mut dyn Transaction, known: &mut Accepted) -> Result<()> {
        let conversation = &mut known.conversation;
        let Some(delivery) = &mut known.delivery else {
            return Ok(());
        };
        if !matches!(
            delivery.state,
            DeliveryState::Unknown | DeliveryState::Failed
        ) {
            return Ok(());
        }
        *delivery = Delivery {
            order: tx.next_order(&self.key).await?,
            state: DeliveryState::Queued,
            reason: None,
            detail: String::new(),
            session: 0,
            new_session: false,
            owner_epoch: conversation.owner_epoch,
            queued_at: tx.now(),
            ..delivery.clone()
        };
        if conversation.owner == Owner::Agent {
            set_off(tx, conversation, &self.agent, delivery, self.ready).await?;
        } else {
            delivery.state = DeliveryState::Held;
            delivery.reason = Some(Reason::NotOwner);
        }
        tx.save_delivery(delivery).await?;
        tx.save_conversation(conversation).await
    }
}
