//! Session parameters without a message.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::domain::{
    AgentSettings, ConversationKey, ConversationKind, DeliveryKind, Error, EventBody, Fingerprint,
    Owner, Result, Subject,
    ports::{CommandKey, Transaction, Unit},
};

use super::{
    Caller, Conversations, UpdateParameters, Updated,
    desk::Desk,
    open::find,
    outcome::{Accepted, Once, Parcel, enqueue},
    record::record,
};

const METHOD: &str = "UpdateParameters";

impl Conversations {
    pub async fn update_parameters(
        &self,
        caller: &Caller,
        mut command: UpdateParameters,
        wait: Duration,
    ) -> Result<Updated> {
        if command.parameters.is_empty() {
            return Err(Error::invalid("parameters", "must not be empty"));
        }
        let (account, agent) =
            self.checked_account(caller, &command.account, &command.parameters)?;
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account.name.clone(),
            id: command.conversation_id.clone(),
        };
        let subject = Subject::Command(command.command_id.to_string());
        // The content as it was given: a change of the setting makes no other command of it.
        let once = once(&command, &key);
        agent.mark_personal(&mut command.parameters);
        let unit = Update {
            key: key.clone(),
            once,
            ready: self.ready(&agent),
            desk: self.desk(),
            traceparent: caller.traceparent.clone(),
            command,
            agent,
        };
        let accepted = self.deliver(unit, &key, &subject, wait).await?;
        let position = self.position(&key, accepted.sequence).await?;
        Ok(Updated {
            delivery: accepted.delivery,
            position,
        })
    }
}

fn once(command: &UpdateParameters, key: &ConversationKey) -> Once {
    let scope = CommandKey {
        tenant: key.tenant.clone(),
        account: key.account.clone(),
        method: METHOD,
        key: command.command_id.clone(),
    };
    let content = Fingerprint::of(METHOD)
        .text(command.conversation_id.as_str())
        .parameters(&command.parameters);
    Once {
        scope,
        content,
        field: "command_id",
    }
}

#[derive(Debug)]
struct Update {
    command: UpdateParameters,
    key: ConversationKey,
    once: Once,
    agent: Arc<AgentSettings>,
    ready: bool,
    traceparent: String,
    desk: Desk,
}

#[async_trait]
impl Unit for Update {
    type Output = Accepted;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Accepted> {
        if let Some(known) = self.once.recall(tx).await? {
            return Ok(known);
        }
        let mut conversation = find(tx, &self.key).await?;
        // What waits in the lane before it may open a session, so that it finds one when its turn comes.
        let opening = tx.next_opening(&self.key, conversation.ended_order);
        let live = opening.await?.is_some() || conversation.session_is_live(tx.now());
        // A ticket has nothing on the agent's side that data could be set in, except with its next text.
        let kept = !live
            || conversation.owner != Owner::Agent
            || conversation.kind == ConversationKind::Ticket;
        let updated = EventBody::ParametersUpdated {
            parameters: self.command.parameters.clone(),
            command_id: self.command.command_id.to_string(),
            kept,
        };
        let sequence = record(tx, &mut conversation, &self.traceparent, updated).sequence;
        let delivery = if kept {
            conversation.keep_parameters(&self.command.parameters);
            None
        } else {
            conversation.forget_kept(&self.command.parameters);
            let subject = Subject::Command(self.command.command_id.to_string());
            let parcel = Parcel {
                kind: DeliveryKind::Parameters,
                subject,
                sequence,
                ready: self.ready,
                awaits_owner: false,
                is_taken_anyway: false,
            };
            Some(enqueue(tx, &mut conversation, &self.agent, parcel, &self.desk).await?)
        };
        tx.save_conversation(&conversation).await?;
        let accepted = Accepted {
            conversation,
            sequence,
            delivery,
            resumed: live,
        };
        self.once.remember(tx, &accepted).await?;
        Ok(accepted)
    }
}
