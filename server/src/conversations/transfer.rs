//! Changing who answers the visitor.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    domain::{
        Account, AgentSettings, Answer, Conversation, ConversationKey, Error, EventBody,
        Fingerprint, Owner, OwnerChangeCause, Parameter, RequestKind, RequestOutcome, Result,
        ports::{CommandKey, Effect, Transaction, Unit},
    },
    waiters::Waiters,
};

use super::{
    Caller, Conversations, Transfer, Transferred,
    close::{Closing, close},
    open::{find, hand_to_agent, owner_changed},
    outcome::{Accepted, Once},
    record::record,
};

const METHOD: &str = "TransferConversation";

impl Conversations {
    pub async fn transfer(&self, caller: &Caller, command: Transfer) -> Result<Transferred> {
        if !matches!(command.to, Owner::Agent | Owner::Human) {
            return Err(Error::invalid("to", "must be OWNER_AGENT or OWNER_HUMAN"));
        }
        let (account, agent) = self.checked_account(&command.account, &[])?;
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account.name.clone(),
            id: command.conversation_id.clone(),
        };
        let once = once(&command, &key);
        let traceparent = caller.traceparent.clone();
        let unit = Hand {
            key: key.clone(),
            once,
            traceparent,
            command,
            account,
            agent,
            waiters: Arc::clone(&self.waiters),
        };
        let accepted = self.committer.submit(unit).await?.output;
        let Conversation {
            owner, owner_epoch, ..
        } = accepted.conversation;
        Ok(Transferred {
            owner,
            owner_epoch,
            position: self.position(&key, accepted.sequence).await?,
        })
    }
}

fn once(command: &Transfer, key: &ConversationKey) -> Once {
    let content = Fingerprint::of(METHOD)
        .text(command.conversation_id.as_str())
        .flag(command.to == Owner::Human)
        .text(&command.note)
        .flag(command.expected_owner_epoch.is_some())
        .number(command.expected_owner_epoch.unwrap_or_default());
    let (tenant, account) = (key.tenant.clone(), key.account.clone());
    let scope = CommandKey {
        tenant,
        account,
        method: METHOD,
        key: command.command_id.clone(),
    };
    Once {
        scope,
        content,
        field: "command_id",
    }
}

#[derive(Debug)]
struct Hand {
    command: Transfer,
    key: ConversationKey,
    once: Once,
    account: Arc<Account>,
    agent: Arc<AgentSettings>,
    traceparent: String,
    waiters: Arc<Waiters>,
}

#[async_trait]
impl Unit for Hand {
    type Output = Accepted;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Accepted> {
        if let Some(known) = self.once.recall(tx).await? {
            return Ok(known);
        }
        let mut conversation = find(tx, &self.key).await?;
        let actual = conversation.owner_epoch;
        if let Some(expected) = self
            .command
            .expected_owner_epoch
            .filter(|expected| *expected != actual)
        {
            return Err(Error::OwnerEpochMoved { expected, actual });
        }
        let mut sequence = conversation.sequence;
        if conversation.owner != self.command.to {
            sequence = self.hand(tx, &mut conversation).await?;
            tx.save_conversation(&conversation).await?;
            // What was queued under the old epoch is held now.
            tx.after_commit(Effect::RingLane(self.key.clone()));
        }
        let accepted = Accepted {
            conversation,
            sequence,
            delivery: None,
            resumed: false,
        };
        self.once.remember(tx, &accepted).await?;
        Ok(accepted)
    }
}

impl Hand {
    /// Answers the `sequence` of the `OwnerChanged`.
    async fn hand(&self, tx: &mut dyn Transaction, conversation: &mut Conversation) -> Result<u64> {
        let from = conversation.owner;
        let command_id = self.command.command_id.to_string();
        if self.command.to == Owner::Agent {
            hand_to_agent(tx, conversation, &self.account, &self.agent, &command_id).await?;
            if !self.command.note.is_empty() {
                conversation.keep_parameters(&[self.note()]);
            }
        } else {
            conversation.change_owner(self.command.to);
        }
        let mut changed = owner_changed(conversation, from, OwnerChangeCause::Transfer);
        if let EventBody::OwnerChanged {
            note,
            command_id: field,
            ..
        } = &mut changed
        {
            note.clone_from(&self.command.note);
            *field = command_id;
        }
        let sequence = record(tx, conversation, &self.traceparent, changed).sequence;
        self.close_escalations(tx, conversation).await?;
        Ok(sequence)
    }

    /// An agent that waits to hand its visitor over is told what the transfer has decided.
    async fn close_escalations(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
    ) -> Result<()> {
        let accepted = conversation.owner == Owner::Human;
        let open = tx.open_requests(&self.key).await?;
        for request in open
            .into_iter()
            .filter(|request| request.kind == RequestKind::Escalation)
        {
            let answer = Answer::Escalation { accepted };
            let closing = Closing::with(RequestOutcome::Answered, answer, &self.waiters);
            close(tx, Some(conversation), request, closing).await?;
        }
        Ok(())
    }

    /// What the human wants the agent to know travels with the next message. It is about a visitor: personal.
    fn note(&self) -> Parameter {
        Parameter {
            key: self.agent.handback_parameter.clone(),
            value: self.command.note.clone(),
            personal: true,
        }
    }
}
