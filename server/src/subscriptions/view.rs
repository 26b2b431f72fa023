//! What administrators see of subscriptions, and the acts that they ask for.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{Act, Creation, Parts, Place, Redrive, Subscriptions, op::Op};
use crate::domain::{
    Error, Id, Identity, Position, Result, Timestamp,
    administration::AuditRecord,
    ports::Unit,
    subscription::{Counts, Group, Parked, Policy, SubscriptionKey, SubscriptionRecord},
};

/// How a subscription stands.
#[derive(Debug, Clone)]
pub struct SubscriptionView {
    pub record: SubscriptionRecord,
    pub etag: String,
    pub done_through: Position,
    pub lag_events: u64,
    pub oldest_undone_age: Duration,
    pub counts: Counts,
    pub members: Vec<MemberView>,
}

#[derive(Debug, Clone)]
pub struct MemberView {
    pub id: Id,
    pub slots: usize,
    pub in_flight: usize,
    pub pulls: bool,
    pub until: Timestamp,
}

/// Changes with the policy.
pub(super) fn etag(record: &SubscriptionRecord) -> String {
    format!("{}", record.policy_revision)
}

impl Parts {
    pub(super) async fn group(&self, record: &SubscriptionRecord) -> Result<Group> {
        let unfinished = self.kept.unfinished(&record.key).await?;
        Ok(Group::new(
            record.policy,
            record.core.clone(),
            self.settings.max_pending,
            unfinished.entries,
            unfinished.held_back,
        ))
    }

    pub(super) async fn view(&self, record: SubscriptionRecord) -> Result<SubscriptionView> {
        let group = self.group(&record).await?;
        let done_through = group.done_through();
        let (_, head) = self.store.bounds().await?;
        let lag_events = head.0.saturating_sub(done_through.0);
        let oldest = match lag_events {
            0 => None,
            _ => self.kept.recorded_at(done_through.next()).await?,
        };
        let now = self.clock.now();
        let members = record.core.members.iter().map(|(id, member)| {
            let slots = record.core.slots.iter();
            MemberView {
                id: id.clone(),
                slots: slots
                    .filter(|slot| slot.holder.as_ref() == Some(id))
                    .count(),
                in_flight: group.in_flight_of(id),
                pulls: member.pulls,
                until: member.until,
            }
        });
        Ok(SubscriptionView {
            etag: etag(&record),
            done_through,
            lag_events,
            oldest_undone_age: oldest.map_or(Duration::ZERO, |oldest| now.since(oldest)),
            counts: group.counts(),
            members: members.collect(),
            record,
        })
    }
}

impl Subscriptions {
    /// Creates one that must not be there.
    ///
    /// # Errors
    ///
    /// `SubscriptionExists`; `Limit`; of its start `CursorUnknown` and `CursorExpired`.
    pub async fn create(
        self: &Arc<Self>,
        identity: &Identity,
        name: &Id,
        creation: Creation,
    ) -> Result<SubscriptionView> {
        let key = key(identity, name);
        let record = audit(identity, "CreateSubscription", name);
        let made = self.make(&key, creation, Some(record.clone()), true).await;
        let made = match made {
            Ok(made) => made,
            Err(error) => return Err(self.refused(record, error).await),
        };
        self.parts.view(made).await
    }

    /// # Errors
    ///
    /// `NotFound`.
    pub async fn get(&self, identity: &Identity, name: &Id) -> Result<SubscriptionView> {
        let record = self.record(identity, name).await?;
        self.parts.view(record).await
    }

    /// All of the tenant, by name.
    pub async fn list(&self, identity: &Identity) -> Result<Vec<SubscriptionRecord>> {
        self.parts.kept.subscriptions(Some(&identity.tenant)).await
    }

    pub async fn view(&self, record: SubscriptionRecord) -> Result<SubscriptionView> {
        self.parts.view(record).await
    }

    /// What is parked after a position, in order.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn parked(
        &self,
        identity: &Identity,
        name: &Id,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Parked>> {
        let record = self.record(identity, name).await?;
        Ok(self.parts.group(&record).await?.parked(after, limit))
    }

    /// # Errors
    ///
    /// `NotFound`; `EtagMismatch`.
    pub async fn change_policy(
        &self,
        identity: &Identity,
        name: &Id,
        policy: Policy,
        etag: String,
    ) -> Result<SubscriptionView> {
        self.act(identity, name, Act::ChangePolicy { policy, etag })
            .await?;
        self.get(identity, name).await
    }

    /// # Errors
    ///
    /// `NotFound`; `EtagMismatch`.
    pub async fn delete(&self, identity: &Identity, name: &Id, etag: String) -> Result<()> {
        self.act(identity, name, Act::Delete { etag }).await?;
        let (tenant, name) = (identity.tenant.as_str(), name.as_str());
        self.parts.metrics.subscriptions.gone(tenant, name);
        Ok(())
    }

    /// Answers how many parked events are handed out again, or would be.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub async fn redrive(&self, identity: &Identity, name: &Id, redrive: Redrive) -> Result<usize> {
        self.act(identity, name, Act::Redrive(redrive)).await
    }

    /// # Errors
    ///
    /// `NotFound`; `CursorUnknown`; `CursorExpired`.
    pub async fn move_to(
        &self,
        identity: &Identity,
        name: &Id,
        place: Place,
    ) -> Result<SubscriptionView> {
        let record = audit(identity, "MoveSubscription", name);
        let position = match self.place(place).await {
            Ok(position) => position,
            Err(error) => return Err(self.refused(record, error).await),
        };
        self.act(identity, name, Act::MoveTo(position)).await?;
        self.get(identity, name).await
    }

    async fn act(&self, identity: &Identity, name: &Id, act: Act) -> Result<usize> {
        let record = audit(identity, act.name(), name);
        if let Err(error) = self.record(identity, name).await {
            return Err(self.refused(record, error).await);
        }
        let is_preview = matches!(&act, Act::Redrive(redrive) if redrive.preview);
        let (reply, answer) = oneshot::channel();
        let op = Op::Act {
            act,
            // A look is no act.
            record: (!is_preview).then_some(record),
            reply,
        };
        self.send(&key(identity, name), op)?;
        answer.await.unwrap_or(Err(Error::Stopping))
    }

    async fn record(&self, identity: &Identity, name: &Id) -> Result<SubscriptionRecord> {
        let found = self.parts.kept.subscription(&key(identity, name)).await?;
        found.ok_or_else(|| Error::not_found("subscription", name))
    }

    /// Records why an act was refused.
    async fn refused(&self, record: AuditRecord, error: Error) -> Error {
        let refused = Some((self.parts.reason)(&error));
        let record = AuditRecord { refused, ..record };
        match self.parts.committer.submit(Record(record)).await {
            Ok(_) => error,
            Err(unrecorded) => unrecorded,
        }
    }
}

struct Record(AuditRecord);

#[async_trait::async_trait]
impl Unit for Record {
    type Output = ();

    async fn run(&self, tx: &mut dyn crate::domain::ports::Transaction) -> Result<()> {
        tx.administration()?.record_act(&self.0).await?;
        Ok(())
    }
}

fn key(identity: &Identity, name: &Id) -> SubscriptionKey {
    SubscriptionKey {
        tenant: identity.tenant.clone(),
        name: name.clone(),
    }
}

fn audit(identity: &Identity, action: &str, name: &Id) -> AuditRecord {
    AuditRecord {
        tenant: identity.tenant.clone(),
        caller: identity.caller.clone(),
        credential: identity.credential.clone(),
        action: action.to_owned(),
        target: format!("subscriptions/{name}"),
        detail: "{}".to_owned(),
        refused: None,
    }
}
