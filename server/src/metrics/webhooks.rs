//! Platforms' webhooks.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::family::{Counters, Living, Times, labels, observe, registered, times_by, whose};

/// Platforms' webhooks.
#[derive(Debug)]
pub struct WebhookMetrics {
    answered: Counters<3>,
    refused: Counters<2>,
    lag: Times<2>,
}

impl WebhookMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            answered: registered(
                r,
                "webhooks",
                "Webhooks of configured agents, by what became of them",
                Counters::default(),
            ),
            refused: registered(
                r,
                "webhooks_refused",
                "Webhooks refused before they were known to be genuine, by reason",
                Counters::default(),
            ),
            lag: registered(
                r,
                "webhook_lag_seconds",
                "Time from a webhook's first byte to its commit",
                times_by(),
            ),
        }
    }

    /// Forgets what is gone.
    pub(super) fn keep(&self, living: &Living) {
        self.answered.keep_living(living, |_| false);
        self.lag.keep_living(living, |_| false);
    }

    /// A webhook of a configured agent was answered.
    pub fn answered(&self, agent: &str, outcome: &'static str) {
        self.answered
            .get_or_create(&labels([
                whose(agent),
                ("agent", agent),
                ("outcome", outcome),
            ]))
            .inc();
    }

    /// A webhook was refused: not verified, no such agent, too large, too slow. `tenant` is empty where it names nobody
    /// who is configured: what a stranger wrote into a path is no label.
    pub fn refused(&self, tenant: &str, reason: &'static str) {
        self.refused
            .get_or_create(&labels([("tenant", tenant), ("reason", reason)]))
            .inc();
    }

    /// How long it took from the first byte to the commit.
    pub fn lag(&self, agent: &str, lag: Duration) {
        observe(&self.lag, &labels([whose(agent), ("agent", agent)]), lag);
    }
}
