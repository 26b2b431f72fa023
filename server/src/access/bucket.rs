//! A token bucket in one atomic number: the moment at which it would be full again.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// So many a second, and so many at once.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds that one takes to come back; 0 is without a limit.
    each: u64,
    /// Nanoseconds that all of them take.
    all: u64,
    began: OnceLock<Instant>,
    /// Nanoseconds after `began`.
    full_at: AtomicU64,
}

impl Bucket {
    /// A full bucket. A rate of 0 is none; a burst of 0 is what a second brings.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let each = 1_000_000_000_u64
            .checked_div(per_second.into())
            .unwrap_or_default();
        let burst = if burst == 0 { per_second } else { burst };
        Self {
            each,
            all: each * u64::from(burst),
            began: OnceLock::new(),
            full_at: AtomicU64::new(0),
        }
    }

    /// Takes one, or tells after which time there will be one.
    pub fn take(&self) -> Result<(), Duration> {
        if self.each == 0 {
            return Ok(());
        }
        let began = self.began.get_or_init(Instant::now);
        let now = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            let after = full_at.max(now) + self.each;
            let missing = (after - now).saturating_sub(self.all);
            if missing > 0 {
                return Err(Duration::from_nanos(missing));
            }
            let (right, wrong) = (Ordering::Relaxed, Ordering::Relaxed);
            match self
                .full_at
                .compare_exchange_weak(full_at, after, right, wrong)
            {
                Ok(_) => return Ok(()),
                Err(moved) => full_at = moved,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_then_the_rate_counts() {
        let bucket = Bucket::new(10, 3);
        assert!((0..3).all(|_| bucket.take().is_ok()));
        let wait = bucket.take().expect_err("empty");
        assert_eq!(wait, Duration::from_millis(100));
        tokio::time::advance(Duration::from_millis(99)).await;
        assert_eq!(bucket.take(), Err(Duration::from_millis(1)));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(bucket.take().is_ok() && bucket.take().is_err());
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!((0..3).all(|_| bucket.take().is_ok()) && bucket.take().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn no_rate_is_no_limit_and_no_burst_is_a_seconds_worth() {
        let free = Bucket::new(0, 0);
        assert!((0..10_000).all(|_| free.take().is_ok()));
        let second = Bucket::new(5, 0);
        assert_eq!((0..9).filter(|_| second.take().is_ok()).count(), 5);
    }
}
