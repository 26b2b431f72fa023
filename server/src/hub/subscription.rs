//! A stream's hold on the hub.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::{Hub, slots::Key, state::Polled, subscriber::Notice};
use crate::{
    domain::{Error, Position},
    metrics::OpenStream,
};

/// What is in force on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Nothing at or before this position will come.
    pub after: Position,
    /// The longest silence.
    pub heartbeat: Duration,
    /// When the stream is ended.
    pub lifetime: Duration,
}

/// An open stream. Dropping it closes it.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    key: Key,
    terms: Terms,
    _counted: OpenStream,
}

impl Subscription {
    pub(super) fn new(hub: Arc<Hub>, key: Key, terms: Terms, counted: OpenStream) -> Self {
        Self {
            hub,
            key,
            terms,
            _counted: counted,
        }
    }

    pub fn terms(&self) -> Terms {
        self.terms
    }

    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What to tell the reader next. Costs nothing while there is nothing to tell: the waker is kept and woken.
    /// After `GoingAway` or `Failed` the stream is over, and polling it further is of no use.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Notice> {
        let max_bytes = self.hub.settings.max_frame_bytes;
        let polled = self.hub.lock().poll(self.key, max_bytes, context.waker());
        match polled {
            Some(Polled::Notice(notice)) => {
                if matches!(notice, Notice::FellBehind(_)) {
                    self.hub.metrics.streams.fell_behind();
                }
                Poll::Ready(notice)
            }
            Some(Polled::Waiting) => Poll::Pending,
            Some(Polled::Read(start)) => {
                self.hub.spawn_read(start);
                Poll::Pending
            }
            Some(Polled::Turn) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            // Its place is given back on drop only.
            None => Poll::Ready(Notice::Failed(Error::Internal)),
        }
    }

    /// As `poll_next`.
    pub async fn next(&mut self) -> Notice {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Dropped after the lock is released: with its waker may go the last of a task that holds another stream.
        let left = self.hub.lock().leave(self.key);
        drop(left);
    }
}
