//! What goes out to agents.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::family::{
    Counters, Gauges, Living, Times, labels, observe, registered, signed, times_by, whose,
};

/// What goes out to agents.
#[derive(Debug)]
pub struct DeliveryMetrics {
    attempts: Counters<3>,
    time: Times<2>,
    waiting: Gauges<2>,
    breaker: Gauges<2>,
}

/// Whether an agent is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// It is.
    Closed,
    /// One request tries.
    HalfOpen,
    /// It is left alone.
    Open,
}

impl DeliveryMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            attempts: registered(
                r,
                "delivery_attempts",
                "Requests to agents, by how they ended",
                Counters::default(),
            ),
            time: registered(
                r,
                "delivery_seconds",
                "Time that one request to an agent took",
                times_by(),
            ),
            waiting: registered(
                r,
                "deliveries_waiting",
                "Deliveries that are not final",
                Gauges::default(),
            ),
            breaker: registered(
                r,
                "breaker_state",
                "Whether an agent is called: 0 yes, 1 one request tries, 2 no",
                Gauges::default(),
            ),
        }
    }

    /// Forgets what is gone.
    pub(super) fn keep(&self, living: &Living) {
        self.attempts.keep_living(living, |_| false);
        self.time.keep_living(living, |_| false);
        self.waiting.keep_living(living, |_| false);
        self.breaker.keep_living(living, |_| false);
    }

    /// A request to an agent ended.
    pub fn attempt(&self, agent: &str, outcome: &'static str, took: Duration) {
        self.attempts
            .get_or_create(&labels([
                whose(agent),
                ("agent", agent),
                ("outcome", outcome),
            ]))
            .inc();
        observe(&self.time, &labels([whose(agent), ("agent", agent)]), took);
    }

    /// How many deliveries of an agent are not final.
    pub fn waiting(&self, agent: &str, count: usize) {
        self.waiting
            .get_or_create(&labels([whose(agent), ("agent", agent)]))
            .set(signed(count));
    }

    /// Whether an agent is called.
    pub fn breaker(&self, agent: &str, state: Breaker) {
        self.breaker
            .get_or_create(&labels([whose(agent), ("agent", agent)]))
            .set(state.number());
    }
}

impl Breaker {
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}
