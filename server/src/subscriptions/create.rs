//! A subscription comes into being, by its first use or by an administrator.

use async_trait::async_trait;

use super::Subscriptions;
use crate::domain::{
    Error, Position, Result, Timestamp,
    administration::AuditRecord,
    ports::{Transaction, Unit},
    subscription::{Choice, Core, Policy, SubscriptionKey, SubscriptionRecord},
};

/// A place in the log as a caller names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    After(Position),
    At(Timestamp),
    Earliest,
    Latest,
}

/// What a subscription is to be.
#[derive(Debug, Clone)]
pub struct Creation {
    /// Absent: everything, and whatever it is where there is one already.
    pub choice: Option<Choice>,
    pub policy: Policy,
    pub start: Place,
}

impl Subscriptions {
    /// The subscription, created if there is none.
    pub(super) async fn ensure(
        &self,
        key: &SubscriptionKey,
        creation: Creation,
    ) -> Result<SubscriptionRecord> {
        let known = self.parts.kept.subscription(key).await?;
        let record = match known {
            Some(record) => record,
            None => self.make(key, creation.clone(), None, false).await?,
        };
        let differs = creation
            .choice
            .is_some_and(|choice| choice != record.choice);
        if differs {
            let name = key.name.clone();
            return Err(Error::SubscriptionDiffers { name });
        }
        Ok(record)
    }

    /// Creates it; one that is there is refused if it must be new, and answered otherwise.
    pub(super) async fn make(
        &self,
        key: &SubscriptionKey,
        creation: Creation,
        record: Option<AuditRecord>,
        must_be_new: bool,
    ) -> Result<SubscriptionRecord> {
        let make = Make {
            start: self.place(creation.start).await?,
            key: key.clone(),
            choice: creation.choice.unwrap_or_default(),
            policy: creation.policy,
            limit: self.parts.settings.max_subscriptions,
            must_be_new,
            record,
        };
        Ok(self.parts.committer.submit(make).await?.output)
    }

    /// The position after which a place begins.
    pub(super) async fn place(&self, place: Place) -> Result<Position> {
        let store = &self.parts.store;
        let (floor, newest) = store.bounds().await?;
        let earliest = Position(floor.0.saturating_sub(1));
        match place {
            Place::Earliest => Ok(earliest),
            Place::Latest => Ok(newest),
            Place::At(time) => Ok(store.position_before(time).await?.max(earliest)),
            Place::After(position) if position > newest => Err(Error::CursorUnknown),
            Place::After(position) if position < earliest => Err(Error::CursorExpired {
                first_available: floor,
            }),
            Place::After(position) => Ok(position),
        }
    }
}

struct Make {
    key: SubscriptionKey,
    choice: Choice,
    policy: Policy,
    start: Position,
    limit: usize,
    must_be_new: bool,
    record: Option<AuditRecord>,
}

#[async_trait]
impl Unit for Make {
    type Output = SubscriptionRecord;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<SubscriptionRecord> {
        let now = tx.now();
        let subscriptions = tx.subscriptions()?;
        if let Some(known) = subscriptions.subscription(&self.key).await? {
            if self.must_be_new {
                let name = self.key.name.clone();
                return Err(Error::SubscriptionExists { name });
            }
            return Ok(known);
        }
        if subscriptions.count_subscriptions(&self.key.tenant).await? >= self.limit {
            return Err(Error::Limit {
                setting: "subscriptions.max_subscriptions",
                limit: self.limit,
            });
        }
        let record = SubscriptionRecord {
            key: self.key.clone(),
            choice: self.choice.clone(),
            policy: self.policy,
            start: self.start,
            revision: 1,
            policy_revision: 1,
            created_at: now,
            updated_at: now,
            core: Core::begin(self.start),
        };
        subscriptions.save_subscription(&record).await?;
        if let Some(record) = &self.record {
            tx.administration()?.record_act(record).await?;
        }
        Ok(record)
    }
}
