//! Callers' calls.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::family::{Counters, Times, labels, observe, registered, times_by};

/// Callers' calls.
#[derive(Debug)]
pub struct RpcMetrics {
    ended: Counters<2>,
    time: Times<1>,
}

impl RpcMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            ended: registered(
                r,
                "rpc",
                "Calls ended, by method and status code",
                Counters::default(),
            ),
            time: registered(
                r,
                "rpc_seconds",
                "Time from a call's headers to its end",
                times_by(),
            ),
        }
    }

    /// A call ended. `method` is one of the contract's, never what a caller wrote.
    pub fn ended(&self, method: &str, code: &'static str, took: Duration) {
        self.ended
            .get_or_create(&labels([("method", method), ("code", code)]))
            .inc();
        observe(&self.time, &labels([("method", method)]), took);
    }
}
