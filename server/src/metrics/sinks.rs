//! Sinks: what they were given, and how far they are behind.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::family::{Counters, Gauges, labels, registered};

/// Sinks.
#[derive(Debug)]
pub struct SinkMetrics {
    events: Counters<1>,
    failures: Counters<1>,
    overtaken: Counters<1>,
    lag_events: Gauges<1>,
    lag_seconds: Gauges<1>,
    relaying: Gauges<1>,
}

impl SinkMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            events: registered(
                r,
                "sink_events",
                "Events that a sink has acknowledged to this server",
                Counters::default(),
            ),
            failures: registered(
                r,
                "sink_failures",
                "Times that a sink did not take what it was given",
                Counters::default(),
            ),
            overtaken: registered(
                r,
                "sink_events_overtaken",
                "Events that retention removed before a sink had them",
                Counters::default(),
            ),
            lag_events: registered(
                r,
                "sink_lag_events",
                "Events in the log that a sink has not acknowledged",
                Gauges::default(),
            ),
            lag_seconds: registered(
                r,
                "sink_lag_seconds",
                "Age of the oldest event that a sink has not acknowledged",
                Gauges::default(),
            ),
            relaying: registered(
                r,
                "sink_relaying",
                "Whether this server relays to a sink: one of the replicas does",
                Gauges::default(),
            ),
        }
    }

    /// A sink has these.
    pub fn acknowledged(&self, sink: &str, events: usize) {
        let labels = labels([("sink", sink)]);
        self.events.get_or_create(&labels).inc_by(events as u64);
    }

    /// A sink did not take what it was given.
    pub fn failed(&self, sink: &str) {
        self.failures.get_or_create(&labels([("sink", sink)])).inc();
    }

    /// So many events were removed before a sink had them.
    pub fn overtaken(&self, sink: &str, events: u64) {
        let labels = labels([("sink", sink)]);
        self.overtaken.get_or_create(&labels).inc_by(events);
    }

    /// How far a sink is behind.
    pub fn lag(&self, sink: &str, events: u64, age: Duration) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let labels = labels([("sink", sink)]);
        self.lag_events.get_or_create(&labels).set(signed(events));
        self.lag_seconds
            .get_or_create(&labels)
            .set(signed(age.as_secs()));
    }

    /// Whether this server relays to a sink from now on.
    pub fn relaying(&self, sink: &str, relays: bool) {
        let labels = labels([("sink", sink)]);
        self.relaying.get_or_create(&labels).set(relays.into());
    }
}
