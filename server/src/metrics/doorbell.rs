//! The doorbell between replicas.

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

use super::family::registered;

/// The doorbell between replicas.
#[derive(Debug)]
pub struct DoorbellMetrics {
    connected: Gauge,
}

impl DoorbellMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            connected: registered(
                r,
                "doorbell_connected",
                "Whether rings of other replicas are heard: 1 yes, 0 no, and on a database that no other replica uses",
                Gauge::default(),
            ),
        }
    }

    /// Whether rings are heard from now on.
    pub fn connected(&self, is_connected: bool) {
        self.connected.set(is_connected.into());
    }
}
