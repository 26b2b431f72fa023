//! Sources: what they bring, and what goes out to them.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::{
    delivery::Breaker,
    family::{
        Counters, Gauges, Living, Times, labels, observe, registered, signed, times_by, whose,
    },
};

/// Sources.
#[derive(Debug)]
pub struct SourceMetrics {
    webhooks: Counters<3>,
    requests: Counters<3>,
    time: Times<2>,
    breaker: Gauges<2>,
    owner_unknown: Gauges<2>,
}

impl SourceMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            webhooks: registered(
                r,
                "source_webhooks",
                "Webhooks of sources, by what became of them",
                Counters::default(),
            ),
            requests: registered(
                r,
                "source_requests",
                "Requests to sources, by how they ended",
                Counters::default(),
            ),
            time: registered(
                r,
                "source_request_seconds",
                "Time that one request to a source took",
                times_by(),
            ),
            breaker: registered(
                r,
                "source_breaker_state",
                "Whether a source is called: 0 yes, 1 one request tries, 2 no",
                Gauges::default(),
            ),
            owner_unknown: registered(
                r,
                "source_owner_unknown",
                "Conversations whose owner is unknown, so that the agent is silent",
                Gauges::default(),
            ),
        }
    }

    /// Forgets what is gone.
    pub(super) fn keep(&self, living: &Living) {
        self.webhooks.keep_living(living, |_| false);
        self.requests.keep_living(living, |_| false);
        self.time.keep_living(living, |_| false);
        self.breaker.keep_living(living, |_| false);
        self.owner_unknown.keep_living(living, |_| false);
    }

    /// A source's webhook was answered.
    pub fn webhook(&self, source: &str, outcome: &'static str) {
        self.webhooks
            .get_or_create(&labels([
                whose(source),
                ("source", source),
                ("outcome", outcome),
            ]))
            .inc();
    }

    /// A request to a source ended.
    pub fn request(&self, source: &str, outcome: &'static str, took: Duration) {
        self.requests
            .get_or_create(&labels([
                whose(source),
                ("source", source),
                ("outcome", outcome),
            ]))
            .inc();
        observe(
            &self.time,
            &labels([whose(source), ("source", source)]),
            took,
        );
    }

    /// Whether a source is called.
    pub fn breaker(&self, source: &str, state: Breaker) {
        self.breaker
            .get_or_create(&labels([whose(source), ("source", source)]))
            .set(state.number());
    }

    /// How many conversations of a source have an unknown owner.
    pub fn owner_unknown(&self, source: &str, count: usize) {
        self.owner_unknown
            .get_or_create(&labels([whose(source), ("source", source)]))
            .set(signed(count));
    }
}
