//! One breaker per agent and per source: while it fails, lanes wait instead of each finding out for itself.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    domain::{LaneKey, Recipient, Sent, Timestamp},
    metrics::Breaker,
};

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy)]
pub struct BreakerSettings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open before one request may try.
    pub open_for: Duration,
}

/// The breakers of all agents and sources.
#[derive(Debug)]
pub struct Breakers {
    settings: BreakerSettings,
    states: Mutex<HashMap<Recipient, State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    failures: u32,
    /// No request before this time, once enough have failed.
    closed_at: Timestamp,
    /// Whose lane may send one all the same, to find out.
    probe: Option<LaneKey>,
}

impl Breakers {
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            states: Mutex::default(),
        }
    }

    /// Whether a request of this lane may leave now. If the time of an open breaker is over, the lane that asks first is
    /// its probe, however often it asks, and the others wait another turn. `Err` says until when to wait.
    pub fn permit(
        &self,
        recipient: &Recipient,
        lane: &LaneKey,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let mut states = self.lock();
        let state = states.entry(recipient.clone()).or_default();
        if state.failures < self.settings.failures || state.probe.as_ref() == Some(lane) {
            return Ok(());
        }
        if now < state.closed_at {
            return Err(state.closed_at);
        }
        state.closed_at = now + self.settings.open_for;
        state.probe = Some(lane.clone());
        Ok(())
    }

    /// Whether requests wait because the recipient fails.
    pub fn is_open(&self, recipient: &Recipient) -> bool {
        self.lock()
            .get(recipient)
            .is_some_and(|state| state.failures >= self.settings.failures)
    }

    /// The breaker as operators see it.
    pub fn state(&self, recipient: &Recipient) -> Breaker {
        if self.is_open(recipient) {
            Breaker::Open
        } else {
            Breaker::Closed
        }
    }

    /// Learns from how a request ended. True: the recipient is back, and whoever waits for it may go on.
    pub fn record(&self, recipient: &Recipient, sent: &Sent, now: Timestamp) -> bool {
        let mut states = self.lock();
        let state = states.entry(recipient.clone()).or_default();
        match sent {
            // A refusal is an answer: the platform works.
            Sent::Acknowledged | Sent::AcknowledgedAs { .. } | Sent::Refused { .. } => {
                std::mem::take(state).failures >= self.settings.failures
            }
            Sent::NotNow { .. } => {
                // It says nothing of the platform; whoever was to find out leaves that to another.
                state.probe = None;
                false
            }
            Sent::NotSent | Sent::Busy { .. } | Sent::Unclear => {
                state.failures = state.failures.saturating_add(1);
                state.closed_at = now + self.settings.open_for;
                state.probe = None;
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Recipient, State>> {
        // A panic elsewhere leaves a map that is still whole.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConversationKey, Id};

    fn lane(id: &str) -> LaneKey {
        LaneKey::to_agent(&ConversationKey {
            tenant: Id::trusted("t"),
            account: Id::trusted("a"),
            id: Id::trusted(id),
        })
    }

    #[test]
    fn a_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let settings = BreakerSettings {
            failures: 2,
            open_for: Duration::from_secs(5),
        };
        let breakers = Breakers::new(settings);
        let agent = Recipient::Agent(Id::trusted("a"));
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        breakers.record(&agent, &Sent::NotSent, at(0));
        assert!(!breakers.record(&agent, &Sent::Acknowledged, at(0)));
        breakers.record(&agent, &Sent::Unclear, at(0));
        assert_eq!(
            breakers.permit(&agent, &lane("a"), at(0)),
            Ok(()),
            "not in a row"
        );
        breakers.record(&agent, &Sent::NotSent, at(1));
        assert!(breakers.is_open(&agent));
        assert_eq!(breakers.permit(&agent, &lane("a"), at(2)), Err(at(6)));
        assert_eq!(
            breakers.permit(&agent, &lane("a"), at(6)),
            Ok(()),
            "the probe"
        );
        assert_eq!(
            breakers.permit(&agent, &lane("b"), at(6)),
            Err(at(11)),
            "one probe only"
        );
        assert_eq!(
            breakers.permit(&agent, &lane("a"), at(6)),
            Ok(()),
            "its step may be run again"
        );
        assert!(breakers.record(&agent, &Sent::Acknowledged, at(7)), "back");
        assert_eq!(breakers.permit(&agent, &lane("a"), at(7)), Ok(()));
        assert_eq!(
            breakers.permit(&Recipient::Source(Id::trusted("a")), &lane("a"), at(2)),
            Ok(()),
            "a source of that name is not concerned"
        );
    }
}
