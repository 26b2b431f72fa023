//! Connections of the three listeners.

use prometheus_client::registry::Registry;

use super::family::{Counters, Gauges, labels, registered, signed};

/// Which listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Where callers connect.
    Grpc,
    /// Where platforms call back.
    Webhooks,
    /// Where operators look.
    Ops,
}

/// Connections of the three listeners.
#[derive(Debug)]
pub struct ConnectionMetrics {
    open: Gauges<1>,
    refused: Counters<1>,
}

impl ConnectionMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            open: registered(r, "connections", "Open connections", Gauges::default()),
            refused: registered(
                r,
                "connections_refused",
                "Connections closed because there were too many",
                Counters::default(),
            ),
        }
    }

    /// How many connections a listener has now.
    pub fn open(&self, listener: Listener, count: usize) {
        let labels = labels([("listener", listener.name())]);
        self.open.get_or_create(&labels).set(signed(count));
    }

    /// A connection was closed because there were too many.
    pub fn refused(&self, listener: Listener) {
        let labels = labels([("listener", listener.name())]);
        self.refused.get_or_create(&labels).inc();
    }
}

impl Listener {
    fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Webhooks => "webhooks",
            Self::Ops => "ops",
        }
    }
}
