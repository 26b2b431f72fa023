//! Changing who answers the visitor.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    Account, AgentSettings, Conversation, ConversationKey, Error, Fingerprint, Known, Owner,
    OwnerChangeCause, Parameter, Result,
    ports::{CommandKey, Transaction, Unit},
};

use super::{
    Caller, Conversations, Transfer, Transferred,
    desk::Desk,
    open::find,
    outcome::{Accepted, Once},
    ownership::{Change, give_to_agent, take_from_agent},
};

const METHOD: &str = "TransferConversation";

impl Conversations {
    pub async fn transfer(&self, caller: &Caller, command: Transfer) -> Result<Transferred> {
        if !matches!(command.to, Owner::Agent | Owner::Human) {
            return Err(Error::invalid("to", "must be OWNER_AGENT or OWNER_HUMAN"));
        }
        let (account, agent) = self.checked_account(caller, &command.account, &[])?;
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
            desk: self.desk(),
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
    desk: Desk,
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
        let change = Change {
            note: &self.command.note,
            command_id: self.command.command_id.as_str(),
            traceparent: &self.traceparent,
            ..Change::because(OwnerChangeCause::Transfer, Known::by_us(tx.now()))
        };
        let recorded = if self.command.to == Owner::Agent {
            let whose = (self.account.as_ref(), self.agent.as_ref());
            give_to_agent(tx, conversation, whose, change, &self.desk).await?
        } else {
            take_from_agent(tx, conversation, self.command.to, change, &self.desk).await?
        };
        if self.command.to == Owner::Agent && !self.command.note.is_empty() {
            conversation.keep_parameters(&[self.note()]);
        }
        Ok(recorded.sequence)
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
