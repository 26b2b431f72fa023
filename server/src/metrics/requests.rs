//! Questions of agents that wait for an answer.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::family::{
    Counters, Gauges, Living, Times, labels, observe, registered, times_by, whose,
};

/// Questions of agents. `kind` is `action`, `escalation` or `availability`.
#[derive(Debug)]
pub struct RequestMetrics {
    open: Gauges<3>,
    closed: Counters<4>,
    time: Times<3>,
    fallbacks: Counters<3>,
}

impl RequestMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            open: registered(r, "requests_open", "Questions that wait", Gauges::default()),
            closed: registered(
                r,
                "requests_closed",
                "Questions that no longer wait, by how they ended",
                Counters::default(),
            ),
            time: registered(
                r,
                "request_seconds",
                "Time from a question's first byte to its answer",
                times_by(),
            ),
            fallbacks: registered(
                r,
                "fallbacks_sent",
                "Fallbacks sent in place of an answer",
                Counters::default(),
            ),
        }
    }

    /// Forgets what is gone, but not a question that waits still: it is counted down once it is closed.
    pub(super) fn keep(&self, living: &Living) {
        self.open.keep_living(living, |open| open.get() != 0);
        self.closed.keep_living(living, |_| false);
        self.time.keep_living(living, |_| false);
        self.fallbacks.keep_living(living, |_| false);
    }

    /// A question began to wait.
    pub fn opened(&self, agent: &str, kind: &'static str) {
        self.open
            .get_or_create(&labels([whose(agent), ("agent", agent), ("kind", kind)]))
            .inc();
    }

    /// A question that waited was closed.
    pub fn closed(&self, agent: &str, kind: &'static str, outcome: &'static str, took: Duration) {
        let both = labels([whose(agent), ("agent", agent), ("kind", kind)]);
        self.open.get_or_create(&both).dec();
        let all = labels([
            whose(agent),
            ("agent", agent),
            ("kind", kind),
            ("outcome", outcome),
        ]);
        self.closed.get_or_create(&all).inc();
        observe(&self.time, &both, took);
    }

    /// A fallback was sent.
    pub fn fell_back(&self, agent: &str, kind: &'static str) {
        self.fallbacks
            .get_or_create(&labels([whose(agent), ("agent", agent), ("kind", kind)]))
            .inc();
    }
}
