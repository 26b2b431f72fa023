//! How subscriptions stand, in figures; and what retention has removed is not waited for.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{SubscriptionView, Subscriptions, op::Op};
use crate::{
    domain::{Position, Result, subscription::SubscriptionRecord},
    metrics::SubscriptionFigures,
};

impl Subscriptions {
    /// Measures until `stop`.
    pub async fn keep_measured(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.parts.settings.measure_interval);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.measure().await {
                tracing::warn!(%error, "subscriptions could not be measured");
            }
        }
    }

    async fn measure(&self) -> Result<()> {
        let (floor, _) = self.parts.store.bounds().await?;
        for record in self.parts.kept.subscriptions(None).await? {
            let key = record.key.clone();
            // One that cannot be read hides none of the others.
            if let Err(error) = self.measure_one(record, floor).await {
                let (tenant, name) = (key.tenant.as_str(), key.name.as_str());
                tracing::warn!(tenant, subscription = name, %error, "a subscription could not be measured");
            }
        }
        Ok(())
    }

    async fn measure_one(&self, record: SubscriptionRecord, floor: Position) -> Result<()> {
        let key = record.key.clone();
        let group = self.parts.group(&record).await?;
        let parked = group.parked(Position(0), 1);
        let needs_old = group.done_through().next() < floor
            || parked.iter().any(|parked| parked.position < floor);
        // Whoever comes first is told of the gap; until then the alarm stands.
        if needs_old && !record.core.members.is_empty() {
            self.send(&key, Op::Forget { floor })?;
        }
        let view = self.parts.view(record).await?;
        let oldest_parked = match parked.first() {
            Some(parked) => self.parts.kept.recorded_at(parked.position).await?,
            None => None,
        };
        let now = self.parts.clock.now();
        let age = oldest_parked.map_or(view.oldest_undone_age, |parked| {
            view.oldest_undone_age.max(now.since(parked))
        });
        let mut figures = self.figures(&view, age);
        figures.at_risk |= needs_old;
        let (tenant, name) = (key.tenant.as_str(), key.name.as_str());
        self.parts
            .metrics
            .subscriptions
            .stands(tenant, name, figures);
        if figures.at_risk {
            tracing::warn!(
                tenant,
                subscription = name,
                "retention is about to remove what the subscription has not done: let its members catch up, redrive \
                 what is parked, or raise log.retention_age"
            );
        }
        Ok(())
    }

    fn figures(&self, view: &SubscriptionView, age: std::time::Duration) -> SubscriptionFigures {
        let settings = &self.parts.settings;
        let tenant = settings.tenant_ages.get(&view.record.key.tenant);
        let retention = tenant.copied().unwrap_or(settings.retention_age);
        let alarm = settings.retention_alarm.min(retention / 2);
        let counts = view.counts;
        SubscriptionFigures {
            members: counts.members as u64,
            lag_events: view.lag_events,
            lag_seconds: view.oldest_undone_age.as_secs(),
            in_flight: counts.in_flight as u64,
            waiting: counts.waiting as u64,
            parked: counts.parked as u64,
            held_back: counts.held_back as u64,
            at_risk: age + alarm >= retention,
        }
    }
}
