//! Named subscriptions. Their names are few and of a plain form, whoever gave them.

use prometheus_client::registry::Registry;

use super::family::{Counters, Gauges, labels, registered};

/// Named subscriptions.
#[derive(Debug)]
pub struct SubscriptionMetrics {
    handed_out: Counters<2>,
    redelivered: Counters<2>,
    acknowledged: Counters<3>,
    members: Gauges<2>,
    lag_events: Gauges<2>,
    lag_seconds: Gauges<2>,
    in_flight: Gauges<2>,
    waiting: Gauges<2>,
    parked: Gauges<2>,
    held_back: Gauges<2>,
    at_risk: Gauges<2>,
    lost: Counters<2>,
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscriptionFigures {
    pub members: u64,
    /// Events of the log after what is done.
    pub lag_events: u64,
    /// Age of the oldest event that is not done.
    pub lag_seconds: u64,
    pub in_flight: u64,
    pub waiting: u64,
    pub parked: u64,
    pub held_back: u64,
    /// Retention is about to remove something that is not done, or has removed it and nobody was told yet.
    pub at_risk: bool,
}

impl SubscriptionMetrics {
    pub(super) fn new(r: &mut Registry) -> Self {
        let mut gauge = |name, help| registered(r, name, help, Gauges::default());
        Self {
            members: gauge("subscription_members", "Members that live"),
            lag_events: gauge(
                "subscription_lag_events",
                "Events of the log after what a subscription has done",
            ),
            lag_seconds: gauge(
                "subscription_lag_seconds",
                "Age of the oldest event that a subscription has not done",
            ),
            in_flight: gauge(
                "subscription_in_flight",
                "Events that members have and did not acknowledge",
            ),
            waiting: gauge(
                "subscription_waiting",
                "Events that wait to be handed out again",
            ),
            parked: gauge("subscription_parked", "Events that are set aside"),
            held_back: gauge(
                "subscription_held_back",
                "Conversations that wait behind what is not done",
            ),
            at_risk: gauge(
                "subscription_at_risk",
                "Whether retention is about to remove what a subscription has not done: 1 yes",
            ),
            handed_out: registered(
                r,
                "subscription_handed_out",
                "Events handed out, repeats included",
                Counters::default(),
            ),
            redelivered: registered(
                r,
                "subscription_redelivered",
                "Events handed out more than once, each time after the first",
                Counters::default(),
            ),
            acknowledged: registered(
                r,
                "subscription_acks",
                "Acknowledgements, by what became of them",
                Counters::default(),
            ),
            lost: registered(
                r,
                "subscription_gaps",
                "Times that retention removed what a subscription had not done",
                Counters::default(),
            ),
        }
    }

    /// An event was handed out for the n-th time.
    pub fn handed_out(&self, tenant: &str, name: &str, attempt: u32) {
        let labels = named(tenant, name);
        self.handed_out.get_or_create(&labels).inc();
        if attempt > 1 {
            self.redelivered.get_or_create(&labels).inc();
        }
    }

    /// A member said something of an event.
    pub fn acknowledged(&self, tenant: &str, name: &str, result: &'static str) {
        let labels = labels([
            ("tenant", tenant),
            ("subscription", name),
            ("result", result),
        ]);
        self.acknowledged.get_or_create(&labels).inc();
    }

    /// Retention was faster.
    pub fn gap(&self, tenant: &str, name: &str) {
        self.lost.get_or_create(&named(tenant, name)).inc();
    }

    /// How it stands now.
    pub fn stands(&self, tenant: &str, name: &str, figures: SubscriptionFigures) {
        let labels = named(tenant, name);
        for (gauge, figure) in [
            (&self.members, figures.members),
            (&self.lag_events, figures.lag_events),
            (&self.lag_seconds, figures.lag_seconds),
            (&self.in_flight, figures.in_flight),
            (&self.waiting, figures.waiting),
            (&self.parked, figures.parked),
            (&self.held_back, figures.held_back),
            (&self.at_risk, u64::from(figures.at_risk)),
        ] {
            let figure = i64::try_from(figure).unwrap_or(i64::MAX);
            gauge.get_or_create(&labels).set(figure);
        }
    }

    /// There is no such subscription any more.
    pub fn gone(&self, tenant: &str, name: &str) {
        let gone = named(tenant, name);
        for gauge in [
            &self.members,
            &self.lag_events,
            &self.lag_seconds,
            &self.in_flight,
            &self.waiting,
            &self.parked,
            &self.held_back,
            &self.at_risk,
        ] {
            gauge.keep(|known, _| *known != gone);
        }
    }
}

fn named(tenant: &str, name: &str) -> super::family::Labels<2> {
    labels([("tenant", tenant), ("subscription", name)])
}
