//! Opening or resuming a conversation.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{
    Account, AgentSettings, ConversationKey, ConversationKind, DeliveryKind, Error, EventBody,
    Fingerprint, Id, Result, Subject,
    ports::{CommandKey, Transaction, Unit},
};

use super::{
    Caller, Conversations, StartConversation, Started,
    desk::Desk,
    open::{open_as, reopen, with_kind},
    outcome::{Accepted, Once, Parcel, enqueue},
    record::record,
};

const METHOD: &str = "StartConversation";

impl Conversations {
    pub async fn start(
        &self,
        caller: &Caller,
        mut command: StartConversation,
        wait: Duration,
    ) -> Result<Started> {
        if command.conversation_id.is_none() && command.command_id.is_none() {
            let why = "is required when conversation_id is empty, so that a repeated call finds its conversation";
            return Err(Error::invalid("command_id", why));
        }
        let (account, agent) =
            self.checked_account(caller, &command.account, &command.parameters)?;
        let conversation_id = command.conversation_id.clone().unwrap_or_else(Id::generate);
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account.name.clone(),
            id: conversation_id,
        };
        // The content as it was given: a change of the setting makes no other command of it.
        let once = once(&command, &key);
        agent.mark_personal(&mut command.parameters);
        let unit = Start {
            key: key.clone(),
            once,
            command_id: command.command_id.clone().unwrap_or_else(Id::generate),
            ready: self.ready(&agent),
            desk: self.desk(),
            traceparent: caller.traceparent.clone(),
            command,
            account,
            agent,
        };
        let subject = Subject::Command(unit.command_id.to_string());
        let accepted = self.deliver(unit, &key, &subject, wait).await?;
        let view = self.view(&accepted.conversation.key).await?;
        Ok(Started {
            position: self
                .position(&accepted.conversation.key, accepted.sequence)
                .await?,
            conversation: view.conversation,
            open_requests: view.open_requests,
            last: view.last,
            resumed: accepted.resumed,
            delivery: accepted.delivery,
        })
    }
}

/// A start without a command id has no idempotency key.
fn once(command: &StartConversation, key: &ConversationKey) -> Option<Once> {
    let command_id = command.command_id.clone()?;
    let content = Fingerprint::of(METHOD)
        .text(command.conversation_id.as_ref().map_or("", Id::as_str))
        .parameters(&command.parameters);
    let content = with_kind(content, command.kind);
    let visitor = command.visitor.as_ref();
    let content = visitor.into_iter().fold(content, |content, visitor| {
        content
            .text(&visitor.visitor_id)
            .text(&visitor.display_name)
            .text(&visitor.language)
    });
    let (tenant, account) = (key.tenant.clone(), key.account.clone());
    Some(Once {
        scope: CommandKey {
            tenant,
            account,
            method: METHOD,
            key: command_id,
        },
        content,
        field: "command_id",
    })
}

#[derive(Debug)]
struct Start {
    command: StartConversation,
    key: ConversationKey,
    /// The caller's, or one of ours that names the delivery.
    command_id: Id,
    once: Option<Once>,
    account: Arc<Account>,
    agent: Arc<AgentSettings>,
    ready: bool,
    traceparent: String,
    desk: Desk,
}

#[async_trait]
impl Unit for Start {
    type Output = Accepted;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Accepted> {
        if let Some(once) = &self.once
            && let Some(known) = once.recall(tx).await?
        {
            return Ok(known);
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
        if self.command.visitor.is_some() {
            conversation.visitor.clone_from(&self.command.visitor);
        }
        let started = EventBody::ConversationStarted {
            resumed,
            visitor: self.command.visitor.clone(),
            parameters: self.command.parameters.clone(),
            command_id: self.command_id.to_string(),
        };
        let sequence = record(tx, &mut conversation, &self.traceparent, started).sequence;
        let subject = Subject::Command(self.command_id.to_string());
        let parcel = Parcel {
            kind: DeliveryKind::Start,
            subject,
            sequence,
            ready: self.ready,
            awaits_owner: false,
            is_taken_anyway: false,
        };
        // The agent is told of a ticket with its first text.
        let delivery = if conversation.kind == ConversationKind::Ticket {
            conversation.keep_parameters(&self.command.parameters);
            None
        } else {
            Some(enqueue(tx, &mut conversation, &self.agent, parcel, &self.desk).await?)
        };
        tx.save_conversation(&conversation).await?;
        let accepted = Accepted {
            conversation,
            sequence,
            delivery,
            resumed,
        };
        if let Some(once) = &self.once {
            once.remember(tx, &accepted).await?;
        }
        Ok(accepted)
    }
}
