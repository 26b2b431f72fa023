//! Event streams.

use std::collections::HashMap;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::family::{Counters, Gauges, labels, registered};
use crate::domain::Id;

/// Event streams.
#[derive(Debug)]
pub struct StreamMetrics {
    open: Gauges<1>,
    lag: Gauges<1>,
    fell_behind: Counter,
    refused: Counters<1>,
}

/// One stream's place in the count, given back on drop.
#[derive(Debug)]
pub struct OpenStream(Gauge);

impl StreamMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            open: registered(r, "streams", "Open event streams", Gauges::default()),
            lag: registered(
                r,
                "stream_lag_events",
                "Events that the stream furthest behind has still to send, by tenant",
                Gauges::default(),
            ),
            fell_behind: registered(
                r,
                "streams_fell_behind",
                "Times that a stream fell out of memory and read from the log instead",
                Counter::default(),
            ),
            refused: registered(
                r,
                "streams_refused",
                "Streams refused because there were too many",
                Counters::default(),
            ),
        }
    }

    /// A stream of this tenant was opened; it is counted until the guard is dropped.
    pub fn opened(&self, tenant: &str) -> OpenStream {
        let open = self
            .open
            .get_or_create(&labels([("tenant", tenant)]))
            .clone();
        open.inc();
        OpenStream(open)
    }

    /// How far behind the slowest stream of each tenant is; tenants without a stream have none.
    pub fn lag(&self, by_tenant: &HashMap<Id, u64>) {
        self.lag
            .keep(|[(_, tenant)], _| by_tenant.contains_key(tenant.as_str()));
        for (tenant, events) in by_tenant {
            let lag = self
                .lag
                .get_or_create(&labels([("tenant", tenant.as_str())]));
            lag.set(i64::try_from(*events).unwrap_or(i64::MAX));
        }
    }

    /// A stream fell out of memory and reads from the log.
    pub fn fell_behind(&self) {
        self.fell_behind.inc();
    }

    /// A stream was refused because there were too many.
    pub fn refused(&self, tenant: &str) {
        let refused = self.refused.get_or_create(&labels([("tenant", tenant)]));
        refused.inc();
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}
