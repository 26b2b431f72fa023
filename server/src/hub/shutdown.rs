//! Ending every stream in good order.

use std::time::Duration;

use super::{Hub, wake};

/// How finely the goodbyes are spread.
const STEP: Duration = Duration::from_millis(20);

impl Hub {
    /// Refuses new streams and ends all others, evenly spread over a time, so that their readers do not come back
    /// all at once. Returns when every one has been told; a stalled one may still be open.
    pub async fn shut_down(&self, spread: Duration) {
        let streams = self.lock().stop();
        let steps = u32::try_from(spread.as_millis() / STEP.as_millis()).unwrap_or(u32::MAX);
        let per_step = streams.div_ceil(steps.max(1) as usize).max(1);
        let mut told = 0;
        while told < streams {
            let mut woken = Vec::new();
            self.lock()
                .dismiss(per_step, || spread.mul_f64(fastrand::f64()), &mut woken);
            wake(woken);
            told += per_step;
            if told < streams {
                tokio::time::sleep(STEP).await;
            }
        }
    }

    /// How many streams are open.
    pub fn streams(&self) -> usize {
        self.lock().streams()
    }
}
