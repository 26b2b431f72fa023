//! How long to wait before trying again: longer each time, and never the same for two clients.

use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    floor: Duration,
    ceiling: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(floor: Duration, ceiling: Duration) -> Self {
        Self {
            floor,
            ceiling,
            failures: 0,
        }
    }

    /// Between the floor and a limit that doubles with every call until it reaches the ceiling. The spread keeps
    /// clients that lost the same server from coming back in the same instant.
    pub(crate) fn next_delay(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        // 2^16 times any floor worth having is beyond any ceiling.
        let limit = self
            .floor
            .saturating_mul(1 << self.failures.min(16))
            .min(self.ceiling);
        self.floor + limit.saturating_sub(self.floor).mul_f64(fastrand::f64())
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Duration = Duration::from_millis(200);
    const CEILING: Duration = Duration::from_secs(10);

    #[test]
    fn delays_stay_between_floor_and_ceiling() {
        let mut backoff = Backoff::new(FLOOR, CEILING);
        for _ in 0..1_000 {
            let delay = backoff.next_delay();
            assert!((FLOOR..=CEILING).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn the_first_delay_is_short_and_a_reset_makes_it_short_again() {
        let mut backoff = Backoff::new(FLOOR, CEILING);
        assert!(backoff.next_delay() <= 2 * FLOOR);
        for _ in 0..20 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= 2 * FLOOR);
    }

    #[test]
    fn two_clients_do_not_come_back_in_step() {
        let delays = |seed| {
            fastrand::seed(seed);
            let mut backoff = Backoff::new(FLOOR, CEILING);
            (0..8).map(|_| backoff.next_delay()).collect::<Vec<_>>()
        };
        assert_ne!(delays(1), delays(2));
    }
}
