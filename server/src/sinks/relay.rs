//! From the log to the sink, a page at a time, in order.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    Sink,
    target::{Message, Trouble},
};
use crate::domain::{Event, Position, Result, StoredEvent, sink::SinkState};

/// Between two tries when the log cannot be read.
const PAUSE: Duration = Duration::from_millis(200);

type Page = Vec<(StoredEvent, Arc<Event>)>;

impl Sink {
    /// Goes on for as long as anything can be given from here. Answers whether the lease is still ours.
    pub(super) async fn relay(&self, lease: &SinkState, reached: &watch::Sender<Position>) -> bool {
        let mut heads = self.parts.heads.clone();
        let mut after: Option<String> = None;
        let mut told: Option<Trouble> = None;
        let mut pause = self.first_pause();
        loop {
            let position = *reached.borrow();
            if *heads.borrow_and_update() <= position {
                if heads.changed().await.is_err() {
                    return true;
                }
                continue;
            }
            let page = match self.page(position).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(sink = self.name(), %error, "the log could not be read for a sink");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (begin, page) = page;
            let (end, trouble) = self.give(begin, &page, &mut after).await;
            reached.send_replace(end);
            let Some(trouble) = trouble else {
                if told.take().is_some() {
                    tracing::info!(sink = self.name(), "the sink takes events again");
                }
                pause = self.first_pause();
                continue;
            };
            self.parts.metrics.sinks.failed(self.name());
            if told.as_ref() != Some(&trouble) {
                tracing::warn!(sink = self.name(), position = end.0, %trouble,
                    "the sink did not take what comes after this position; it is given again");
                told = Some(trouble.clone());
            }
            match trouble {
                // Another replica may reach it.
                Trouble::Disconnected => return true,
                // By somebody who has taken over, perhaps.
                Trouble::Displaced => {
                    after = None;
                    match self.save(lease, end, Some(self.settings.lease)).await {
                        Ok(true) => {}
                        Ok(false) => return false,
                        Err(_) => tokio::time::sleep(PAUSE).await,
                    }
                }
                Trouble::Unanswered | Trouble::Refused(_) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.settings.retry_max);
                }
            }
        }
    }

    fn first_pause(&self) -> Duration {
        self.settings.retry_max / 100
    }

    /// What follows a position. Where retention was faster, it follows what is gone, and that is told.
    async fn page(&self, position: Position) -> Result<(Position, Page)> {
        let (store, settings) = (&self.parts.store, &self.settings);
        let read = |after| store.tail(after, settings.max_in_flight, settings.max_in_flight_bytes);
        let page = read(position).await?;
        if page.first().map(|(event, _)| event.position) == Some(position.next()) {
            return Ok((position, page));
        }
        let (floor, _) = store.bounds().await?;
        let begin = Position(floor.0.saturating_sub(1)).max(position);
        let lost = begin.0 - position.0;
        if lost > 0 {
            self.parts.metrics.sinks.overtaken(self.name(), lost);
            tracing::error!(
                sink = self.name(),
                events = lost,
                "retention has removed events that the sink did not have; it goes on with the oldest that are left"
            );
        }
        Ok((begin, read(begin).await?))
    }

    /// Answers up to where everything is given, and why no further. `after`: the newest message that is certainly stored.
    async fn give(
        &self,
        begin: Position,
        page: &Page,
        after: &mut Option<String>,
    ) -> (Position, Option<Trouble>) {
        let end = page.last().map_or(begin, |(event, _)| event.position);
        let epoch = self.parts.store.epoch();
        let wanted = page.iter().filter(|(stored, _)| self.wants(stored));
        let messages: Vec<_> = wanted
            .map(|(stored, event)| Message::new(epoch, stored, event))
            .collect();
        if messages.is_empty() {
            return (end, None);
        }
        let given = self.target.give(&messages, after.as_deref()).await;
        let metrics = &self.parts.metrics.sinks;
        metrics.acknowledged(self.name(), given.stored);
        if let Some(last) = messages.iter().take(given.stored).last() {
            *after = Some(last.id.clone());
        }
        let end = match messages.get(given.stored) {
            None => end,
            Some(next) => Position(next.position.0 - 1),
        };
        (end, given.trouble)
    }

    fn wants(&self, event: &StoredEvent) -> bool {
        self.settings.tenants.is_empty() || self.settings.tenants.contains(&event.tenant)
    }
}
