//! What to follow and from where.

use std::time::{Duration, SystemTime};

use parloir_proto::v1::{
    EventFilter, EventKind, OnExpiredCursor, StartPosition, SubscribeEventsRequest,
    subscribe_events_request::Start,
};

/// Which events to follow and where to begin; for [`Client::subscribe`](crate::Client::subscribe).
///
/// As it is made it follows everything that happens from now on. Filters of one sort widen each other, filters of
/// different sorts must all match.
///
/// ```
/// use parloir_client::{Subscription, v1::EventKind};
///
/// let answers = Subscription::new().accounts(["demo"]).kinds([EventKind::AgentMessage]).from_earliest();
/// # drop(answers);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Subscription {
    request: SubscribeEventsRequest,
}

impl Subscription {
    /// Everything, from now on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only what belongs to these accounts.
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.filter()
            .accounts
            .extend(accounts.into_iter().map(Into::into));
        self
    }

    /// Only these conversations; name their account too, as ids are unique within one only. Availability checks
    /// belong to no conversation and are left out by this.
    pub fn conversations(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.filter()
            .conversation_ids
            .extend(ids.into_iter().map(Into::into));
        self
    }

    /// Only these kinds of event.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.filter().kinds.extend(kinds.into_iter().map(i32::from));
        self
    }

    /// Begin after the event with this cursor: one that [`EventStream::cursor`](crate::EventStream::cursor) gave, or
    /// that came with the answer to a call.
    pub fn after(self, cursor: impl Into<String>) -> Self {
        self.start(Start::AfterCursor(cursor.into()))
    }

    /// Begin with the first event recorded at or after this time.
    pub fn from_time(self, time: SystemTime) -> Self {
        self.start(Start::AtTime(time.into()))
    }

    /// Begin with the first event that is still in the log.
    pub fn from_earliest(self) -> Self {
        self.start(Start::Position(StartPosition::Earliest.into()))
    }

    /// Begin with the first event after now.
    pub fn from_latest(self) -> Self {
        self.start(Start::Position(StartPosition::Latest.into()))
    }

    /// A named, durable subscription, and which of its members this is: the server keeps the position, and each event
    /// waits for its acknowledgement. Give it to [`Client::consume`](crate::Client::consume). Filters and the start count
    /// when the subscription is created; later leave the filters out, or give the same.
    pub fn named(mut self, name: impl Into<String>, member_id: impl Into<String>) -> Self {
        self.request.subscription = name.into();
        self.request.member_id = member_id.into();
        self
    }

    /// How many events this member of a named subscription may have and not have acknowledged; 64 unless set.
    pub fn max_in_flight(mut self, events: u32) -> Self {
        self.request.max_in_flight = events;
        self
    }

    /// What to do when the log no longer holds what comes after the cursor. Unless set the stream ends with
    /// `OUT_OF_RANGE`, reason `CURSOR_EXPIRED`; otherwise it goes on after an [`Item::Gap`](crate::Item::Gap).
    pub fn on_expired_cursor(mut self, policy: OnExpiredCursor) -> Self {
        self.request.on_expired_cursor = policy.into();
        self
    }

    /// The wished interval between signs of life: 1 to 60 seconds, 15 unless set. A stream that is silent for twice
    /// the interval that the server announces is opened anew.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        // What the contract's type cannot hold is cut to a day, which the server refuses by the name of the field.
        self.request.heartbeat = interval.min(Duration::from_hours(24)).try_into().ok();
        self
    }

    pub(crate) fn into_request(mut self) -> SubscribeEventsRequest {
        // A filter by nothing is none: on a named subscription one must be absent or the same.
        self.request
            .filter
            .take_if(|filter| *filter == EventFilter::default());
        self.request
    }

    fn start(mut self, start: Start) -> Self {
        self.request.start = Some(start);
        self
    }

    fn filter(&mut self) -> &mut EventFilter {
        self.request.filter.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_filter_by_nothing_is_no_filter() {
        let none: [&str; 0] = [];
        let request = Subscription::new().accounts(none).kinds([]).into_request();
        assert_eq!(request.filter, None);
        let request = Subscription::new().accounts(["demo"]).into_request();
        assert!(request.filter.is_some());
    }
}
