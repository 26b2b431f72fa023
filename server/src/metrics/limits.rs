//! What was turned away because somebody asked for too much.

use prometheus_client::registry::Registry;

use super::family::{Counters, labels, registered};

/// What was turned away because somebody asked for too much.
#[derive(Debug)]
pub struct LimitMetrics {
    limited: Counters<2>,
}

impl LimitMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            limited: registered(
                r,
                "limited",
                "Calls and webhooks turned away, by tenant and by the limit's setting",
                Counters::default(),
            ),
        }
    }

    /// One was turned away. `limit` is the setting's name.
    pub fn limited(&self, tenant: &str, limit: &str) {
        let labels = labels([("tenant", tenant), ("limit", limit)]);
        self.limited.get_or_create(&labels).inc();
    }
}
