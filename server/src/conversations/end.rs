//! Ending a session.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{
    AgentSettings, Conversation, ConversationKey, ConversationKind, Delivery, DeliveryKind,
    EndCause, Error, EventBody, Fingerprint, Known, Owner, OwnerChangeCause, RequestOutcome,
    Result, SessionState, Subject,
    ports::{CommandKey, Transaction, Unit},
};

use super::{
    Caller, Conversations, EndConversation, Ended,
    close::close_all,
    desk::Desk,
    open::{expire_if_due, find},
    outcome::{Accepted, Once, Parcel, enqueue},
    ownership::{Change, take_from_agent},
    record::record,
};

const METHOD: &str = "EndConversation";

impl Conversations {
    pub async fn end(
        &self,
        caller: &Caller,
        command: EndConversation,
        wait: Duration,
    ) -> Result<Ended> {
        let (account, agent) = self.checked_account(caller, &command.account, &[])?;
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account.name.clone(),
            id: command.conversation_id.clone(),
        };
        let subject = Subject::Command(command.command_id.to_string());
        let unit = End {
            key: key.clone(),
            once: once(&command, &key),
            ready: self.ready(&agent),
            traceparent: caller.traceparent.clone(),
            desk: self.desk(),
            command,
            agent,
        };
        let accepted = self.deliver(unit, &key, &subject, wait).await?;
        let position = self.position(&key, accepted.sequence).await?;
        Ok(Ended {
            delivery: accepted.delivery,
            position,
        })
    }
}

fn once(command: &EndConversation, key: &ConversationKey) -> Once {
    let scope = CommandKey {
        tenant: key.tenant.clone(),
        account: key.account.clone(),
        method: METHOD,
        key: command.command_id.clone(),
    };
    let content = Fingerprint::of(METHOD)
        .text(command.conversation_id.as_str())
        .number(
            command
                .expected_session
                .map_or(0, |session| u64::from(session) + 1),
        );
    Once {
        scope,
        content,
        field: "command_id",
    }
}

#[derive(Debug)]
struct End {
    command: EndConversation,
    key: ConversationKey,
    once: Once,
    agent: Arc<AgentSettings>,
    ready: bool,
    traceparent: String,
    desk: Desk,
}

#[async_trait]
impl Unit for End {
    type Output = Accepted;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Accepted> {
        if let Some(known) = self.once.recall(tx).await? {
            return Ok(known);
        }
        let mut conversation = find(tx, &self.key).await?;
        let actual = conversation.session.number;
        if let Some(expected) = self
            .command
            .expected_session
            .filter(|expected| *expected != actual)
        {
            return Err(Error::SessionMoved { expected, actual });
        }
        expire_if_due(tx, &mut conversation);
        let live = has_session(tx, &mut conversation, &self.agent).await?;
        // What the agent still waits for gets its fallback.
        let ended = RequestOutcome::ConversationEnded;
        close_all(tx, &mut conversation, ended, &self.desk).await?;
        self.release_owner(tx, &mut conversation).await?;
        let ended = if live {
            Some(self.end_session(tx, &mut conversation).await?)
        } else {
            None
        };
        tx.save_conversation(&conversation).await?;
        let accepted = Accepted {
            sequence: ended
                .as_ref()
                .map_or(conversation.sequence, |(sequence, _)| *sequence),
            delivery: ended.and_then(|(_, delivery)| delivery),
            resumed: live,
            conversation,
        };
        self.once.remember(tx, &accepted).await?;
        Ok(accepted)
    }
}

impl End {
    async fn release_owner(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
    ) -> Result<()> {
        if matches!(conversation.owner, Owner::Human | Owner::Unknown) {
            let change = Change {
                command_id: self.command.command_id.as_str(),
                traceparent: &self.traceparent,
                ..Change::because(OwnerChangeCause::Ended, Known::by_us(tx.now()))
            };
            take_from_agent(tx, conversation, Owner::None, change, &self.desk).await?;
        }
        Ok(())
    }

    async fn end_session(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
    ) -> Result<(u64, Option<Delivery>)> {
        let command_id = self.command.command_id.to_string();
        let ended = EventBody::ConversationEnded {
            cause: EndCause::Caller,
            command_id: command_id.clone(),
        };
        let sequence = record(tx, conversation, &self.traceparent, ended).sequence;
        // The agent's side of a ticket has no end.
        if conversation.kind == ConversationKind::Ticket {
            conversation.end_session();
            return Ok((sequence, None));
        }
        let subject = Subject::Command(command_id);
        let parcel = Parcel {
            kind: DeliveryKind::End,
            subject,
            sequence,
            ready: self.ready,
            awaits_owner: false,
            is_taken_anyway: false,
        };
        let delivery = enqueue(tx, conversation, &self.agent, parcel, &self.desk).await?;
        conversation.end_session();
        conversation.ended_order = delivery.order;
        Ok((sequence, Some(delivery)))
    }
}

/// Whether there is a session to end. One that what waits in the lane would open begins here, so that it is over before
/// anything is said in it.
pub async fn has_session(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    agent: &AgentSettings,
) -> Result<bool> {
    if conversation.session.state == SessionState::Active {
        return Ok(true);
    }
    let opening = tx.next_opening(&conversation.key, conversation.ended_order);
    let Some(mut opening) = opening.await? else {
        return Ok(false);
    };
    conversation.begin_session(tx.now(), agent.session_timeout);
    opening.new_session = true;
    tx.save_delivery(&opening).await?;
    Ok(true)
}
