//! What a subscription hands out.

use std::time::Duration;

use parloir_proto::v1::{CaughtUp, Checkpoint, DeliveredEvent, FellBehind, Gap, Started};

use crate::Error;

/// One thing that an [`EventStream`](crate::EventStream) has to say. Skip what you do not need.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Item {
    /// The stream began, or began again after an interruption; what is in force. From here on nothing is missed.
    Started(Box<Started>),
    /// An event.
    Event(Box<DeliveredEvent>),
    /// The place moved on without an event for this subscription. Worth storing: a place that never moves grows
    /// older than what the log keeps.
    Checkpoint(Checkpoint),
    /// All that was in the log has been handed out; what follows is new.
    CaughtUp(CaughtUp),
    /// This reader is slower than the events come. Nothing is lost.
    FellBehind(FellBehind),
    /// Events between the two cursors were removed by retention and are lost to this reader: whatever was built from
    /// the events must be read anew.
    Gap(Gap),
    /// The connection broke. The stream is opened again by itself after `retry_in`.
    Interrupted {
        /// Why.
        error: Error,
        /// The pause before the next try.
        retry_in: Duration,
    },
}

impl Item {
    /// The event, if it is one.
    pub fn event(&self) -> Option<&DeliveredEvent> {
        match self {
            Self::Event(delivered) => Some(delivered),
            _ => None,
        }
    }

    /// The event, if it is one.
    pub fn into_event(self) -> Option<DeliveredEvent> {
        match self {
            Self::Event(delivered) => Some(*delivered),
            _ => None,
        }
    }
}
