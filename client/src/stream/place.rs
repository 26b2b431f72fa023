//! Where a subscription stands: what was handed out, what was confirmed, what was seen lately.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use parloir_proto::v1::{
    DeliveredEvent, Gap, SubscribeEventsRequest, subscribe_events_request::Start,
};

/// How many event ids are remembered. A stream resumes exactly behind what was handed out, so this only has to cover
/// what a server may send again around a reconnect: far less than one page of its log.
const REMEMBERED: usize = 256;

pub(super) struct Place {
    processed: Option<String>,
    handed_out: Option<String>,
    /// The server keeps the position, and an event that comes again is to be done again.
    kept_by_server: bool,
    seen: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Place {
    pub(super) fn of(request: &SubscribeEventsRequest) -> Self {
        let processed = match &request.start {
            Some(Start::AfterCursor(cursor)) => Some(cursor.clone()),
            _ => None,
        };
        Self {
            processed,
            handed_out: None,
            kept_by_server: !request.subscription.is_empty(),
            seen: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn processed(&self) -> Option<&str> {
        self.processed.as_deref()
    }

    /// The request that goes on from here: as it was first made until there is a cursor.
    pub(super) fn request(&self, first: &SubscribeEventsRequest) -> SubscribeEventsRequest {
        if self.kept_by_server {
            return first.clone();
        }
        let start = self.processed.clone().map(Start::AfterCursor);
        SubscribeEventsRequest {
            start: start.or_else(|| first.start.clone()),
            ..first.clone()
        }
    }

    /// The stream began at this cursor. It counts only for one that was not given a cursor: another one keeps its
    /// own, so that it is not carried over a gap that is yet to be announced.
    pub(super) fn begin(&mut self, cursor: &str) {
        if self.processed.is_none() {
            self.reach(cursor);
        }
    }

    /// Whether the event is new, and is now the one in hand.
    pub(super) fn hand_out(&mut self, delivered: &DeliveredEvent) -> bool {
        if self.kept_by_server {
            return true;
        }
        let id = delivered
            .event
            .as_ref()
            .map(|event| event.event_id.as_str())
            .unwrap_or_default();
        if !id.is_empty() && !self.remember(id) {
            return false;
        }
        self.handed_out = Some(delivered.cursor.clone());
        true
    }

    pub(super) fn hand_out_gap(&mut self, gap: &Gap) {
        self.handed_out = Some(gap.resumed_cursor.clone());
    }

    /// What was handed out has been processed.
    pub(super) fn confirm(&mut self) {
        if let Some(cursor) = self.handed_out.take() {
            self.reach(&cursor);
        }
    }

    /// Everything up to this cursor is done. Whether that is another place than before.
    pub(super) fn reach(&mut self, cursor: &str) -> bool {
        let moved = !cursor.is_empty() && self.processed.as_deref() != Some(cursor);
        if moved {
            self.processed = Some(cursor.to_owned());
        }
        moved
    }

    fn remember(&mut self, id: &str) -> bool {
        if self.seen.contains(id) {
            return false;
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        let id: Arc<str> = id.into();
        self.order.push_back(Arc::clone(&id));
        self.seen.insert(id)
    }
}

#[cfg(test)]
mod tests {
    use parloir_proto::v1::Event;

    use super::*;

    fn event(id: &str, cursor: &str) -> DeliveredEvent {
        let event = Event {
            event_id: id.into(),
            ..Event::default()
        };
        DeliveredEvent {
            event: Some(event),
            cursor: cursor.into(),
            ..DeliveredEvent::default()
        }
    }

    fn place_after(cursor: &str) -> Place {
        Place::of(&SubscribeEventsRequest {
            start: Some(Start::AfterCursor(cursor.into())),
            ..SubscribeEventsRequest::default()
        })
    }

    #[test]
    fn an_event_counts_only_once_it_is_confirmed() {
        let mut place = place_after("c0");
        assert!(place.hand_out(&event("e1", "c1")));
        assert_eq!(place.processed(), Some("c0"));
        place.confirm();
        assert_eq!(place.processed(), Some("c1"));
    }

    #[test]
    fn an_event_that_comes_again_is_dropped() {
        let mut place = place_after("c0");
        assert!(place.hand_out(&event("e1", "c1")));
        assert!(!place.hand_out(&event("e1", "c1")));
    }

    #[test]
    fn memory_of_events_is_bounded() {
        let mut place = place_after("c0");
        for number in 0..10 * REMEMBERED {
            assert!(place.hand_out(&event(&format!("e{number}"), "c")));
        }
        assert_eq!(
            (place.seen.len(), place.order.len()),
            (REMEMBERED, REMEMBERED)
        );
    }

    #[test]
    fn on_a_named_subscription_the_server_keeps_the_place() {
        let request = SubscribeEventsRequest {
            subscription: "crm".into(),
            ..SubscribeEventsRequest::default()
        };
        let mut place = Place::of(&request);
        assert!(place.hand_out(&event("e1", "c1")));
        assert!(place.hand_out(&event("e1", "c1")), "it is to be done again");
        place.reach("c1");
        assert_eq!(place.request(&request), request);
    }

    #[test]
    fn a_started_cursor_does_not_replace_the_readers_own() {
        let mut place = place_after("c1");
        place.begin("c9");
        assert_eq!(place.processed(), Some("c1"));
    }
}
