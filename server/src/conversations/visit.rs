//! What a source tells, committed: who it is about, who owns the conversation, and what was said.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    Account, AgentSettings, Conversation, ConversationKey, Delivery, DeliveryState, Fingerprint,
    Id, KnownContact, LaneKey, Result, Timestamp,
    hex::hex,
    ports::{Effect, Transaction, Unit},
    source::{Contact, SourceBody, SourceEvent, Taken},
};

use super::{
    desk::Desk,
    observe::{Weight, observe},
    open::open,
    visit_body,
};

/// Some events of one source, in order.
#[derive(Debug)]
pub struct Visit {
    pub tenant: Id,
    pub source: Id,
    pub account: Arc<Account>,
    pub agent: Arc<AgentSettings>,
    /// Whether a request to the agent may leave now.
    pub ready: bool,
    /// What came before then is not remembered any more: words from before may have been taken, and are not taken again.
    pub oldest: Timestamp,
    pub events: Vec<SourceEvent>,
    pub traceparent: String,
    pub desk: Desk,
}

#[async_trait]
impl Unit for Visit {
    type Output = Vec<Taken>;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<Vec<Taken>> {
        let mut taken = Vec::with_capacity(self.events.len());
        for event in &self.events {
            taken.push(self.take(tx, event).await?);
        }
        Ok(taken)
    }
}

impl Visit {
    async fn take(&self, tx: &mut dyn Transaction, event: &SourceEvent) -> Result<Taken> {
        let Some(contact) = &event.contact else {
            if self.is_first(tx, "", event).await? {
                visit_body::apart(self, tx, &event.body).await?;
                return Ok(Taken::Again);
            }
            return Ok(Taken::Duplicate);
        };
        let contact_id = self.contact_id(tx, contact);
        let known = tx.contact(&contact_id).await?;
        if known.is_none() && event.contact_must_exist {
            return Ok(Taken::NoContact);
        }
        if self.is_forgotten(event) {
            tracing::warn!(source = %self.source, occurred_at = ?event.occurred_at, "words from long ago are left out");
            return Ok(Taken::Duplicate);
        }
        if !self.is_first(tx, contact_id.as_str(), event).await? {
            return Ok(Taken::Duplicate);
        }
        let taken = if known.is_some() {
            Taken::Again
        } else {
            Taken::First
        };
        let mut visitor = self.meet(tx, contact_id, known, contact, event).await?;
        self.weigh(tx, &mut visitor.conversation, event).await?;
        visit_body::take(self, tx, &mut visitor, event, taken).await?;
        if let SourceBody::Message { .. } | SourceBody::Opened { .. } = event.body {
            wake_answers(tx, &visitor.conversation.key).await?;
        }
        tx.save_conversation(&visitor.conversation).await?;
        tx.save_contact(&visitor.contact).await?;
        Ok(taken)
    }

    /// A keyed hash: it stands in logs and outlives erasure, so there is no way back to a phone number.
    fn contact_id(&self, tx: &mut dyn Transaction, contact: &Contact) -> Id {
        let print = Fingerprint::of("contact")
            .text(self.source.as_str())
            .text(&contact.key);
        Id::trusted(hex(&tx.digest(&print)[..16]))
    }

    /// Words so old that it is not remembered any more whether they came before.
    fn is_forgotten(&self, event: &SourceEvent) -> bool {
        let says = matches!(
            event.body,
            SourceBody::Message { .. } | SourceBody::Human(_)
        );
        says && event.occurred_at.is_some_and(|at| at < self.oldest)
    }

    async fn is_first(
        &self,
        tx: &mut dyn Transaction,
        contact_id: &str,
        event: &SourceEvent,
    ) -> Result<bool> {
        let Some(event_id) = &event.event_id else {
            return Ok(true);
        };
        let print = Fingerprint::of("source event")
            .text(contact_id)
            .text(event_id);
        tx.first_seen(&self.source, &print).await
    }

    /// The visitor and the conversation, made where nobody has heard of them.
    async fn meet(
        &self,
        tx: &mut dyn Transaction,
        contact_id: Id,
        known: Option<KnownContact>,
        contact: &Contact,
        event: &SourceEvent,
    ) -> Result<Visitor> {
        let now = tx.now();
        let mut row = known.unwrap_or_else(|| KnownContact {
            key: ConversationKey {
                tenant: self.tenant.clone(),
                account: self.account.name.clone(),
                id: contact_id.clone(),
            },
            id: contact_id,
            source: self.source.clone(),
            address: contact.address.clone(),
            seen_at: now,
            spoke_at: Timestamp::default(),
            numbered: 0,
        });
        // The account may have been renamed since, with its source.
        row.key.account = self.account.name.clone();
        row.seen_at = now;
        if let SourceBody::Message { .. } | SourceBody::Opened { .. } = event.body {
            let spoke_at = event.occurred_at.unwrap_or(now).min(now);
            // The newest place to answer to: late news does not take it back.
            if spoke_at >= row.spoke_at {
                row.address.clone_from(&contact.address);
                row.spoke_at = spoke_at;
            }
        }
        let mut conversation = open(tx, &row.key, &self.account, &self.agent).await?;
        conversation.source = Some(self.source.clone());
        Ok(Visitor {
            contact: row,
            conversation,
        })
    }

    async fn weigh(
        &self,
        tx: &mut dyn Transaction,
        conversation: &mut Conversation,
        event: &SourceEvent,
    ) -> Result<()> {
        let Some(observed) = &event.owner else {
            return Ok(());
        };
        let weight = match event.body {
            SourceBody::Message { .. } => Weight::Hint,
            _ => Weight::Certain,
        };
        let at = (weight, event.occurred_at);
        observe(tx, conversation, observed, at, &self.desk).await
    }
}

/// The visitor is there: what waits for the source goes now, whatever pause it takes.
async fn wake_answers(tx: &mut dyn Transaction, key: &ConversationKey) -> Result<()> {
    let lane = LaneKey::to_source(key);
    let head = tx.lane_head(&lane).await?;
    let now = tx.now();
    let waits = |head: &Delivery| {
        head.state == DeliveryState::Queued
            && head.not_before > now
            && head.read_back_since.is_none()
    };
    if let Some(mut head) = head.filter(waits) {
        head.not_before = now;
        tx.save_delivery(&head).await?;
        tx.after_commit(Effect::RingLane(lane));
    }
    Ok(())
}

/// Whom an event is about.
#[derive(Debug)]
pub struct Visitor {
    pub contact: KnownContact,
    pub conversation: Conversation,
}
