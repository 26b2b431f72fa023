//! Callers' calls.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::family::{Counters, Times, labels, observe, registered, times_by};

/// Callers' calls.
#[derive(Debug)]
pub struct RpcMetrics {
    ended: Counters<3>,
    time: Times<2>,
}

impl RpcMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        Self {
            ended: registered(
                r,
                "rpc",
                "Calls ended, by tenant, method and status code",
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

    /// A call ended. `tenant` is the caller's, empty where nobody was asked or known; `method` is one of the contract's,
    /// never what a caller wrote.
    pub fn ended(&self, tenant: &str, method: &str, code: &'static str, took: Duration) {
        let both = [("tenant", tenant), ("method", method)];
        let [whose, which] = both;
        self.ended
            .get_or_create(&labels([whose, which, ("code", code)]))
            .inc();
        observe(&self.time, &labels(both), took);
    }
}
