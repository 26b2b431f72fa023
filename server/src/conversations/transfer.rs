//! Changing who answers the visitor.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    Account, AgentSettings, Conversation, ConversationKey, Error, EventBody, Fingerprint, Owner,
    OwnerChangeCause, Parameter, Result,
    ports::{CommandKey, Effect, Transaction, Unit},
};

use super::{
    Caller, Conversations, Transfer, Transferred,
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
        .number(command.expected_owner_epoch.map_or(0, |epoch| epoch + 1));
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
        if conversation.owner != self.command.to {
            self.hand(tx, &mut conversation).await?;
            tx.save_conversation(&conversation).await?;
            // What was queued under the old epoch is held now.
            tx.after_commit(Effect::RingLane(self.key.clone()));
        }
        let sequence = conversation.sequence;
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
    async fn hand(&self, tx: &mut dyn Transaction, conversation: &mut Conversation) -> Result<()> {
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
        record(tx, conversation, &self.traceparent, changed);
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
