//! How far a sink has come, and which of several servers relays to it.

use std::time::Duration;

use super::{event::Position, id::Id, time::Timestamp};

/// What is kept of a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkState {
    pub name: Id,
    /// Everything up to here it has, or does not want.
    pub position: Position,
    /// Grows whenever another server takes over: what was done under an older one counts no longer.
    pub token: u64,
    pub leased_until: Timestamp,
}

impl SinkState {
    /// A sink of which nothing is known, which begins after `position`.
    pub fn new(name: Id, position: Position) -> Self {
        Self {
            name,
            position,
            token: 0,
            leased_until: Timestamp(0),
        }
    }

    /// Somebody relays to it.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.leased_until > now
    }

    /// Whoever asks relays to it from now on, and whoever did before does no longer.
    pub fn take(&mut self, now: Timestamp, lease: Duration) {
        self.token += 1;
        self.leased_until = now + lease;
    }

    /// Goes on to `position`, under the lease with this token. False: it is another's by now.
    pub fn keep(&mut self, token: u64, position: Position, until: Timestamp) -> bool {
        if self.token != token {
            return false;
        }
        self.position = self.position.max(position);
        self.leased_until = until;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(3);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn whoever_lost_the_lease_changes_nothing() {
        let mut state = SinkState::new(Id::trusted("crm"), Position(7));
        assert!(!state.is_leased(at(0)));
        state.take(at(0), LEASE);
        let first = state.token;
        assert!(state.is_leased(at(2)));
        assert!(state.keep(first, Position(9), at(5)));
        assert_eq!(state.position, Position(9));
        assert!(!state.is_leased(at(5)));

        state.take(at(5), LEASE);
        let before = state.clone();
        assert!(!state.keep(first, Position(20), at(60)));
        assert_eq!(state, before);
    }

    #[test]
    fn a_position_never_goes_back() {
        let mut state = SinkState::new(Id::trusted("crm"), Position(7));
        state.take(at(0), LEASE);
        assert!(state.keep(state.token, Position(3), at(3)));
        assert_eq!(state.position, Position(7));
    }
}
