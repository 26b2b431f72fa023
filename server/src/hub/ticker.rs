//! The clock of all streams: one task, outside of what is polled, because a stalled socket is not polled.

use std::{sync::Weak, time::Duration};

use tokio::time::MissedTickBehavior;

use super::{Hub, wake};

/// A quarter of the shortest heartbeat.
const TICK: Duration = Duration::from_millis(250);

/// How many ticks a span has, rounded down.
pub fn ticks(span: Duration) -> u32 {
    u32::try_from(span.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX)
}

/// Runs until the hub is gone.
pub async fn run(hub: Weak<Hub>) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        let mut woken = Vec::new();
        // Counted from the time and not from the turns, which come late under load.
        let tick = ticks(hub.started.elapsed());
        let lag = hub.lock().advance(tick, &mut woken);
        hub.metrics.streams.lag(&lag);
        wake(woken);
    }
}

impl Hub {
    /// Tells every reader where it stands, for example before retention removes what lies behind.
    pub fn checkpoint_all(&self) {
        let mut woken = Vec::new();
        self.lock().checkpoint_all(&mut woken);
        wake(woken);
    }
}
