//! How long to wait before the next try.

use std::time::Duration;

/// Exponential back-off with full jitter: after an outage the waiting lanes come back spread, not as a wave.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait of all.
    pub max: Duration,
}

impl Backoff {
    /// The wait after `attempt` requests (from 1); at least what the platform asked for.
    pub fn after(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let ceiling = self
            .base
            .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
            .min(self.max);
        let jittered = ceiling.mul_f64(fastrand::f64());
        asked.map_or(jittered, |asked| asked + jittered.min(self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_stays_within_its_ceiling_and_never_undercuts_what_the_platform_asked() {
        let backoff = Backoff {
            base: Duration::from_millis(100),
            max: Duration::from_secs(5),
        };
        for attempt in 1..40 {
            for _ in 0..50 {
                let ceiling =
                    Duration::from_millis(100).saturating_mul(2_u32.saturating_pow(attempt - 1));
                assert!(backoff.after(attempt, None) <= ceiling.min(Duration::from_secs(5)));
                assert!(
                    backoff.after(attempt, Some(Duration::from_secs(1))) >= Duration::from_secs(1)
                );
            }
        }
    }
}
