//! Figures told apart by labels, which can be forgotten together with what they were counted of.

use std::{
    collections::HashSet,
    fmt::{self, Debug},
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, family::Family},
};

/// `N` labels with their values.
pub(super) type Labels<const N: usize> = [(&'static str, String); N];

/// One figure for each set of labels that was ever counted.
#[derive(Debug, Clone)]
pub(super) struct Labelled<const N: usize, M> {
    family: Family<Labels<N>, M>,
    /// The library tells nobody which sets it has.
    seen: Arc<Mutex<HashSet<Labels<N>>>>,
}

/// The agents and sources that there are, by name.
#[derive(Debug, Default)]
pub struct Living {
    pub agents: HashSet<String>,
    pub sources: HashSet<String>,
}

impl<const N: usize, M> Labelled<N, M> {
    pub fn new(one: fn() -> M) -> Self {
        Self {
            family: Family::new_with_constructor(one),
            seen: Arc::default(),
        }
    }

    pub fn get_or_create(&self, labels: &Labels<N>) -> impl Deref<Target = M> + use<'_, N, M> {
        if let Some(known) = self.family.get(labels) {
            return known;
        }
        // Held until it is there, so that it is not forgotten in between and stays for ever.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(labels.clone());
        self.family.get_or_create(labels)
    }

    /// Keeps the figures of what lives, and those that `must_stay`.
    pub fn keep_living(&self, living: &Living, must_stay: impl Fn(&M) -> bool) {
        self.keep(|labels, figure| is_living(labels, living) || must_stay(figure));
    }

    pub fn keep(&self, stays: impl Fn(&Labels<N>, &M) -> bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|labels| {
            let figure = self.family.get(labels);
            let stays = figure.is_some_and(|figure| stays(labels, &figure));
            if !stays {
                self.family.remove(labels);
            }
            stays
        });
    }
}

fn is_living<const N: usize>(labels: &Labels<N>, living: &Living) -> bool {
    labels.iter().all(|(label, value)| match *label {
        "agent" => living.agents.contains(value),
        "source" => living.sources.contains(value),
        _ => true,
    })
}

impl<const N: usize, M: Default> Default for Labelled<N, M> {
    fn default() -> Self {
        Self::new(M::default)
    }
}

impl<const N: usize, M> EncodeMetric for Labelled<N, M>
where
    Family<Labels<N>, M>: EncodeMetric,
{
    fn encode(&self, encoder: MetricEncoder) -> fmt::Result {
        self.family.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.family.metric_type()
    }

    fn is_empty(&self) -> bool {
        self.family.is_empty()
    }
}
