//! How far a sink is behind. Told by every server, whoever relays: the alarm must not fall silent with the one that did.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::Sink;
use crate::domain::{Position, Result};

/// Whether it was told that a sink is far behind.
#[derive(Debug, Default)]
pub(super) struct Alarm(AtomicBool);

impl Sink {
    pub(super) async fn measure(&self, position: Position) -> Result<()> {
        let store = &self.parts.store;
        let (_, head) = store.bounds().await?;
        let events = head.0.saturating_sub(position.0);
        let age = match store.tail(position, 1, 1).await?.first() {
            Some((_, oldest)) if events > 0 => self.parts.clock.now().since(oldest.recorded_at),
            _ => Duration::ZERO,
        };
        self.parts.metrics.sinks.lag(self.name(), events, age);
        let is_late = age >= self.settings.retention_age / 2;
        if is_late && !self.alarm.0.swap(true, Ordering::Relaxed) {
            tracing::error!(
                sink = self.name(),
                events,
                age_seconds = age.as_secs(),
                "the sink is behind by half of log.retention_age or more: after all of it, events are removed unread"
            );
        } else if !is_late {
            self.alarm.0.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}
