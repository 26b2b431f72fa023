//! Reading pages of the log for those whom the ring no longer serves.

use std::sync::Arc;

use super::{Hub, chunk::frame_run, pages::Page, wake};
use crate::domain::{Error, Position, Result, StoredEvent};

impl Hub {
    /// Reads the page after `start` in a task of its own, because database work is never cancelled, and wakes those
    /// who wait for it.
    pub(super) fn spawn_read(self: &Arc<Self>, start: Position) {
        let flight = Flight {
            hub: self.clone(),
            start,
            page: None,
            purges: self.lock().purges(),
        };
        tokio::spawn(async move {
            let page = flight.hub.read_page(start).await;
            flight.land(page);
        });
    }

    async fn read_page(&self, start: Position) -> Result<Page> {
        let _turn = self.reads.acquire().await.map_err(|_| Error::Stopping)?;
        let settings = &self.settings;
        let events = self
            .store
            .page(start, settings.page_events, settings.page_bytes)
            .await?;
        if follows(&events, start) {
            return Ok(self.page(start, start.next(), &events));
        }
        // Something is missing. Above the place that retention has reached that cannot be.
        let (floor, _) = self.store.bounds().await?;
        let kept = events.partition_point(|event| event.position < floor);
        let left = &events[kept..];
        let before = Position(floor.0.saturating_sub(1));
        let nothing_left = left.is_empty() && before > start;
        if before > start && (nothing_left || follows(left, before)) {
            return Ok(self.page(start, floor, left));
        }
        tracing::error!(
            after = start.0,
            floor = floor.0,
            "the log has a hole or lacks events that were published"
        );
        Err(Error::Internal)
    }

    fn page(&self, after: Position, floor: Position, events: &[StoredEvent]) -> Page {
        Page {
            after,
            floor,
            last: events
                .last()
                .map_or(Position(floor.0 - 1), |event| event.position),
            chunks: frame_run(events, self.log, self.settings.max_frame_bytes),
        }
    }
}

/// Whether these are the events after a position, none missing.
fn follows(events: &[StoredEvent], after: Position) -> bool {
    let expected = (after.0 + 1..).map(Position);
    !events.is_empty()
        && events
            .iter()
            .map(|event| event.position)
            .zip(expected)
            .all(|(a, b)| a == b)
}

/// A read under way: those who wait hear of its end even if it panics.
struct Flight {
    hub: Arc<Hub>,
    start: Position,
    page: Option<Result<Page>>,
    purges: u64,
}

impl Flight {
    fn land(mut self, page: Result<Page>) {
        self.page = Some(page);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let page = self.page.take().unwrap_or(Err(Error::Internal));
        let mut woken = Vec::new();
        let mut state = self.hub.lock();
        state.page_read(self.start, page, self.purges, &mut woken);
        drop(state);
        wake(woken);
    }
}
