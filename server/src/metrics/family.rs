//! Figures told apart by a few labels, and the buckets that times are sorted into.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry},
};

use super::labelled::Labelled;
pub(super) use super::labelled::{Labels, Living};
use crate::domain::tenant_of;

pub(super) type Counters<const N: usize> = Labelled<N, Counter>;
pub(super) type Gauges<const N: usize> = Labelled<N, Gauge>;
pub(super) type Times<const N: usize> = Labelled<N, Histogram>;

pub(super) fn labels<const N: usize>(pairs: [(&'static str, &str); N]) -> Labels<N> {
    pairs.map(|(name, value)| (name, value.to_owned()))
}

/// The label of the tenant that an agent or a source belongs to.
pub(super) fn whose(name: &str) -> (&'static str, &str) {
    ("tenant", tenant_of(name))
}

/// Registers a figure and hands it back.
pub(super) fn registered<M: Metric + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    metric: M,
) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// From 0.5 ms, below a flush to disk, to half a minute, above every limit of a call.
pub(super) fn times() -> Histogram {
    const SECONDS: [f64; 15] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ];
    Histogram::new(SECONDS)
}

pub(super) fn times_by<const N: usize>() -> Times<N> {
    Labelled::new(times)
}

pub(super) fn observe<const N: usize>(times: &Times<N>, labels: &Labels<N>, time: Duration) {
    times.get_or_create(labels).observe(time.as_secs_f64());
}

/// Gauges are signed; no count of ours comes near their end.
pub(super) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
