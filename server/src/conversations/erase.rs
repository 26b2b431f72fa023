//! Erasing what is personal: everything of a conversation becomes unreadable in one commit, and the platforms are asked
//! for the same afterwards.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    delivery::record_change,
    domain::{
        Conversation, ConversationKey, Delivery, DeliveryKind, DeliveryState, EndCause,
        ErasedConversation, Erasure, Error, EventBody, Fingerprint, Id, Identity, LaneKey, Reason,
        RequestOutcome, Result, SessionState, Timestamp, UpstreamErasure, UpstreamState,
        ports::{Effect, Transaction, Unit},
    },
};

use super::{
    Caller, Conversations, ErasePersonalData, ErasureSubject,
    close::close_all,
    desk::Desk,
    erase_act::{Act, Refused},
    open::find,
    read::detached,
    record::record,
};

impl Conversations {
    /// Erases, and answers the receipt once the erasure is committed: with the last copy gone where that took no time.
    /// It is an act of an administrator: recorded with it, or with the `reason` for which it is refused.
    pub async fn erase(
        &self,
        caller: &Caller,
        by: &Identity,
        command: ErasePersonalData,
        reason: fn(&Error) -> &'static str,
    ) -> Result<Erasure> {
        let act = Act::of(by, &command);
        let unit = Erase {
            tenant: caller.tenant.clone(),
            traceparent: caller.traceparent.clone(),
            command,
            act: act.clone(),
            desk: self.desk(),
        };
        let erasure = match self.committer.submit(unit).await {
            Ok(committed) => committed.output,
            Err(error) => {
                let refused = Refused(act.refused(reason(&error)));
                self.committer.submit(refused).await?;
                return Err(error);
            }
        };
        self.erasures.notify_one();
        if erasure.erased_at.is_some() {
            return Ok(erasure);
        }
        if let Err(error) = self.finish_erasure(&erasure.receipt_id).await {
            // It is committed; who looks after erasures does the rest.
            tracing::warn!(receipt = %erasure.receipt_id, %error, "an erasure is not finished yet");
        }
        self.erasure(caller, &erasure.receipt_id).await
    }

    /// The receipt as it stands now.
    pub async fn erasure(&self, caller: &Caller, receipt_id: &Id) -> Result<Erasure> {
        let store = Arc::clone(&self.store);
        let (tenant, receipt_id) = (caller.tenant.clone(), receipt_id.clone());
        detached(async move {
            let found = store.erasure(&tenant, &receipt_id).await?;
            found.ok_or_else(|| Error::not_found("erasure", &receipt_id))
        })
        .await
    }

    /// Removes the last copies on this server, in memory and in the files, and only then says so. What sources held in
    /// memory went with the commit of the erasure.
    pub async fn finish_erasure(&self, receipt_id: &Id) -> Result<()> {
        self.hub.purge();
        let store = Arc::clone(&self.store);
        detached(async move { store.purge().await }).await?;
        let done = MarkErased {
            receipt_id: receipt_id.clone(),
        };
        self.committer.submit(done).await?;
        Ok(())
    }
}

#[derive(Debug)]
struct Erase {
    tenant: Id,
    traceparent: String,
    command: ErasePersonalData,
    act: Act,
    desk: Desk,
}

#[async_trait]
impl Unit for Erase {
    type Output = Erasure;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Erasure> {
        let ErasePersonalData {
            account,
            command_id,
            ..
        } = &self.command;
        let content = tx.digest(&self.content());
        if let Some(before) = tx
            .erasure_of_command(&self.tenant, account, command_id)
            .await?
        {
            if before.content != content {
                return Err(Error::KeyReused {
                    field: "command_id",
                });
            }
            return Ok(before);
        }
        let mut erasure = Erasure {
            receipt_id: Id::generate(),
            tenant: self.tenant.clone(),
            account: account.clone(),
            command_id: command_id.clone(),
            content,
            conversations: Vec::new(),
            requested_at: tx.now(),
            erased_at: None,
            upstream: Vec::new(),
        };
        let key = self.conversation(tx).await?;
        self.erase(tx, &key, &mut erasure).await?;
        tx.add_erasure(&erasure).await?;
        let record = self.act.done(&erasure.receipt_id);
        tx.administration()?.record_act(&record).await?;
        Ok(erasure)
    }
}

impl Erase {
    fn content(&self) -> Fingerprint {
        let print = Fingerprint::of("ErasePersonalData");
        match &self.command.subject {
            ErasureSubject::Conversation(id) => print.text("conversation").text(id.as_str()),
            ErasureSubject::Contact(id) => print.text("contact").text(id.as_str()),
        }
    }

    async fn conversation(&self, tx: &mut dyn Transaction) -> Result<ConversationKey> {
        let account = &self.command.account;
        match &self.command.subject {
            ErasureSubject::Conversation(id) => Ok(ConversationKey {
                tenant: self.tenant.clone(),
                account: account.clone(),
                id: id.clone(),
            }),
            ErasureSubject::Contact(id) => {
                let contact = tx.contact(id).await?.filter(|contact| {
                    contact.key.tenant == self.tenant && contact.key.account == *account
                });
                let contact = contact.ok_or_else(|| Error::not_found("contact", id))?;
                Ok(contact.key)
            }
        }
    }

    async fn erase(
        &self,
        tx: &mut dyn Transaction,
        key: &ConversationKey,
        erasure: &mut Erasure,
    ) -> Result<()> {
        let mut conversation = find(tx, key).await?;
        // Asked first: how the visitor is reached is erased too.
        if let Some(contact) = tx.contact_of(key).await? {
            tx.after_commit(Effect::Forget {
                source: contact.source,
                address: contact.address,
            });
        }
        let through_sequence = conversation.sequence;
        // First, so that what this unit itself records stays: whoever waits for it reads it.
        tx.erase_words(key).await?;
        conversation.visitor = None;
        conversation.parameters.clear();
        conversation.kept.clear();
        let ended = RequestOutcome::ConversationEnded;
        close_all(tx, &mut conversation, ended, &self.desk).await?;
        give_up_deliveries(tx, &mut conversation).await?;
        self.end_session(tx, &mut conversation);
        let news = EventBody::Erased {
            receipt_id: erasure.receipt_id.to_string(),
            through_sequence,
        };
        record(tx, &mut conversation, &self.traceparent, news);
        tx.save_conversation(&conversation).await?;
        erasure.conversations.push(ErasedConversation {
            id: key.id.clone(),
            through_sequence,
        });
        let upstream = upstream(tx, &conversation, &erasure.receipt_id).await?;
        erasure.upstream.extend(upstream);
        for lane in [LaneKey::to_agent(key), LaneKey::to_source(key)] {
            tx.after_commit(Effect::RingLane(lane));
        }
        Ok(())
    }

    /// What the agent remembers of it is no basis for what is said next.
    fn end_session(&self, tx: &mut dyn Transaction, conversation: &mut Conversation) {
        if conversation.session.state == SessionState::Active {
            conversation.end_session();
            let ended = EventBody::ConversationEnded {
                cause: EndCause::Caller,
                command_id: self.command.command_id.to_string(),
            };
            record(tx, conversation, &self.traceparent, ended);
        }
    }
}

/// What has not been sent has no words any more. Of what is under way nobody can tell whether it arrives.
async fn give_up_deliveries(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
) -> Result<()> {
    for mut delivery in tx.unfinished_deliveries(&conversation.key).await? {
        delivery.state = if may_arrive(&delivery) {
            DeliveryState::Unknown
        } else {
            DeliveryState::Failed
        };
        delivery.reason = Some(Reason::Erased);
        delivery.detail.clear();
        delivery.remote_id.clear();
        tx.save_delivery(&delivery).await?;
        record_change(tx, conversation, &delivery);
    }
    Ok(())
}

fn may_arrive(delivery: &Delivery) -> bool {
    let says = matches!(
        delivery.kind,
        DeliveryKind::Message | DeliveryKind::Human | DeliveryKind::Reply
    );
    says && delivery.state == DeliveryState::Attempting
}

/// What the platforms are asked: one request for each id of theirs that was ever seen.
async fn upstream(
    tx: &mut dyn Transaction,
    conversation: &Conversation,
    receipt_id: &Id,
) -> Result<Vec<UpstreamErasure>> {
    let now = tx.now();
    let request = |agent: Id, internal_id: Option<String>| {
        let never_seen = internal_id.is_none();
        UpstreamErasure {
            id: Id::generate(),
            receipt_id: receipt_id.clone(),
            key: conversation.key.clone(),
            agent,
            internal_id,
            state: if never_seen {
                UpstreamState::IdNeverSeen
            } else {
                UpstreamState::Requested
            },
            reason: None,
            attempts: 0,
            requested_at: now,
            not_before: Timestamp::default(),
            ended_at: never_seen.then_some(now),
        }
    };
    let ids = tx.take_internal_ids(&conversation.key).await?;
    if ids.is_empty() {
        return Ok(vec![request(conversation.agent.clone(), None)]);
    }
    let each = ids.into_iter();
    Ok(each.map(|(agent, id)| request(agent, Some(id))).collect())
}

#[derive(Debug)]
struct MarkErased {
    receipt_id: Id,
}

#[async_trait]
impl Unit for MarkErased {
    type Output = ();

    async fn run(&self, tx: &mut dyn Transaction) -> Result<()> {
        tx.mark_erased(&self.receipt_id).await
    }
}
