//! Reading the log: from memory where it reaches back far enough, from the database otherwise.

use super::dispatcher::{Dispatcher, Read};
use crate::domain::{Error, Position, StoredEvent};

/// A stretch of the log.
pub(super) struct Page {
    pub events: Vec<StoredEvent>,
    /// The end of the stretch; its beginning where there is nothing.
    pub last: Position,
    /// Retention removed its beginning: this is the first position that is left.
    pub floor: Option<Position>,
    /// Memory did not reach back so far.
    pub is_old: bool,
}

impl Page {
    /// Not more than up to here.
    pub fn through(mut self, last: Position) -> Self {
        self.events.retain(|event| event.position <= last);
        self.last = self.last.min(last);
        self
    }
}

impl Dispatcher {
    pub(super) async fn read(&self, after: Position) -> Read<Page> {
        let settings = self.parts.hub.settings();
        if let Some(events) = self.parts.hub.peek(after, settings.page_events) {
            return Ok(page(after, events));
        }
        let store = &self.parts.store;
        let events = store
            .page(after, settings.page_events, settings.page_bytes)
            .await?;
        let is_next = events.first().map(|first| first.position) == Some(after.next());
        let whole = events
            .windows(2)
            .all(|pair| pair[1].position == pair[0].position.next());
        if is_next && whole {
            return Ok(Page {
                is_old: true,
                ..page(after, events)
            });
        }
        let (floor, newest) = store.bounds().await?;
        if floor > after.next() {
            return Ok(Page {
                floor: Some(floor),
                ..page(after, Vec::new())
            });
        }
        if newest <= after {
            return Ok(page(after, Vec::new()));
        }
        tracing::error!(after = after.0, "the log has a hole");
        Err(Error::Internal)
    }
}

fn page(after: Position, events: Vec<StoredEvent>) -> Page {
    Page {
        last: events.last().map_or(after, |last| last.position),
        events,
        floor: None,
        is_old: false,
    }
}
