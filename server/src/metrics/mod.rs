//! What is counted and measured, in Prometheus' text form. Labels hold configured names and fixed words only, never
//! what a caller or a platform sent.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{encoding::text::encode, registry::Registry};

mod connections;
mod delivery;
mod doorbell;
mod encryption;
mod family;
mod labelled;
mod limits;
mod log;
mod requests;
mod rpc;
mod sinks;
mod sources;
mod streams;
mod subscriptions;
mod webhooks;

pub use self::{
    connections::{ConnectionMetrics, Listener},
    delivery::{Breaker, DeliveryMetrics},
    doorbell::DoorbellMetrics,
    encryption::EncryptionMetrics,
    labelled::Living,
    limits::LimitMetrics,
    log::LogMetrics,
    requests::RequestMetrics,
    rpc::RpcMetrics,
    sinks::SinkMetrics,
    sources::SourceMetrics,
    streams::{OpenStream, StreamMetrics},
    subscriptions::{SubscriptionFigures, SubscriptionMetrics},
    webhooks::WebhookMetrics,
};

/// All figures of one server.
#[derive(Debug)]
pub struct Metrics {
    /// Connections of the three listeners.
    pub connections: ConnectionMetrics,
    /// Callers' calls.
    pub rpc: RpcMetrics,
    /// Platforms' webhooks.
    pub webhooks: WebhookMetrics,
    /// The log and its commits.
    pub log: LogMetrics,
    /// Event streams.
    pub streams: StreamMetrics,
    /// Named subscriptions.
    pub subscriptions: SubscriptionMetrics,
    /// What goes out to agents.
    pub delivery: DeliveryMetrics,
    /// What sources bring, and what goes out to them.
    pub sources: SourceMetrics,
    /// What was turned away because somebody asked for too much.
    pub limits: LimitMetrics,
    /// Questions of agents.
    pub requests: RequestMetrics,
    /// Keys.
    pub encryption: EncryptionMetrics,
    /// The doorbell between replicas.
    pub doorbell: DoorbellMetrics,
    /// What is relayed elsewhere.
    pub sinks: SinkMetrics,
    /// Absent until it is told: then nothing is forgotten.
    living: Mutex<Option<Living>>,
    registry: Registry,
}

impl Metrics {
    /// Figures that begin at 0.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("parloir");
        let r = &mut registry;
        Arc::new(Self {
            connections: ConnectionMetrics::new(r),
            rpc: RpcMetrics::new(r),
            webhooks: WebhookMetrics::new(r),
            log: LogMetrics::new(r),
            streams: StreamMetrics::new(r),
            subscriptions: SubscriptionMetrics::new(r),
            delivery: DeliveryMetrics::new(r),
            sources: SourceMetrics::new(r),
            limits: LimitMetrics::new(r),
            requests: RequestMetrics::new(r),
            encryption: EncryptionMetrics::new(r),
            doorbell: DoorbellMetrics::new(r),
            sinks: SinkMetrics::new(r),
            living: Mutex::default(),
            registry,
        })
    }

    /// These agents and sources there are from now on. Figures of others are shown no longer.
    pub fn living(&self, living: Living) {
        *self.living.lock().unwrap_or_else(PoisonError::into_inner) = Some(living);
    }

    /// Looked at when figures are shown: what was under way when an agent was deleted is counted after that, too.
    fn forget_what_is_gone(&self) {
        let living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(living) = living.as_ref() {
            self.webhooks.keep(living);
            self.delivery.keep(living);
            self.sources.keep(living);
            self.requests.keep(living);
        }
    }

    /// Everything in `OpenMetrics`' text form, of type `application/openmetrics-text; version=1.0.0`.
    pub fn render(&self) -> String {
        self.forget_what_is_gone();
        let mut text = String::new();
        // Writing to a String cannot fail; what is there so far is still worth showing.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_counted_is_shown_under_its_name_and_labels() {
        let metrics = Metrics::new();
        metrics.connections.refused(Listener::Webhooks);
        metrics.webhooks.answered("bot", "recorded");
        metrics.webhooks.lag("bot", Duration::from_millis(3));
        metrics.log.committed(12, Duration::from_millis(2));
        metrics.delivery.breaker("bot", Breaker::Open);
        metrics.requests.opened("bot", "action");
        let text = metrics.render();
        for line in [
            "parloir_connections_refused_total{listener=\"webhooks\"} 1",
            "parloir_webhooks_total{tenant=\"default\",agent=\"bot\",outcome=\"recorded\"} 1",
            "parloir_webhook_lag_seconds_sum{tenant=\"default\",agent=\"bot\"} 0.003",
            "parloir_commit_batch_size_sum 12.0",
            "parloir_breaker_state{tenant=\"default\",agent=\"bot\"} 2",
            "parloir_requests_open{tenant=\"default\",agent=\"bot\",kind=\"action\"} 1",
        ] {
            assert!(
                text.lines().any(|shown| shown == line),
                "no {line} in\n{text}"
            );
        }
    }

    #[test]
    fn a_stream_is_counted_for_as_long_as_its_guard_lives() {
        let metrics = Metrics::new();
        let guard = metrics.streams.opened("acme");
        assert!(
            metrics
                .render()
                .contains("parloir_streams{tenant=\"acme\"} 1\n")
        );
        drop(guard);
        assert!(
            metrics
                .render()
                .contains("parloir_streams{tenant=\"acme\"} 0\n")
        );
    }

    #[test]
    fn what_is_gone_is_forgotten_unless_somebody_still_waits() {
        let metrics = Metrics::new();
        let has = |what: &str| metrics.render().contains(what);
        for agent in ["bot", "gone"] {
            metrics.webhooks.answered(agent, "recorded");
            metrics.requests.opened(agent, "action");
        }
        metrics.living(Living {
            agents: ["bot".to_owned()].into(),
            ..Living::default()
        });
        assert!(has(
            "parloir_webhooks_total{tenant=\"default\",agent=\"bot\""
        ));
        assert!(!has(
            "parloir_webhooks_total{tenant=\"default\",agent=\"gone\""
        ));
        let waits = "parloir_requests_open{tenant=\"default\",agent=\"gone\",kind=\"action\"} 1";
        assert!(has(waits));
        let took = Duration::from_millis(1);
        metrics.requests.closed("gone", "action", "answered", took);
        assert!(!has("gone"));
        assert!(has(
            "parloir_requests_open{tenant=\"default\",agent=\"bot\""
        ));
    }

    #[test]
    fn how_far_streams_are_behind_is_told_of_each_tenant_that_has_one() {
        let metrics = Metrics::new();
        let lag = |tenant: &str, events| (crate::domain::Id::trusted(tenant), events);
        metrics
            .streams
            .lag(&[lag("acme", 3), lag("bolt", 0)].into());
        let text = metrics.render();
        assert!(text.contains("parloir_stream_lag_events{tenant=\"acme\"} 3\n"));
        assert!(text.contains("parloir_stream_lag_events{tenant=\"bolt\"} 0\n"));
        metrics.streams.lag(&[lag("bolt", 1)].into());
        let text = metrics.render();
        assert!(text.contains("parloir_stream_lag_events{tenant=\"bolt\"} 1\n"));
        assert!(!text.contains("acme"), "{text}");
    }
}
