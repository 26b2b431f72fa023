//! `ListEvents`.

use parloir_proto::v1;
use prost::Message;

use super::super::{
    checks::Checks,
    page::{Pages, Place},
    view,
};
use crate::{
    conversations::{Caller, EventsPage},
    domain::{ConversationKey, Error, EventQuery, Result, StoredEvent},
    wire::enums::read_event_kind,
};

/// A long conversation in two or three pages.
const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1000;

/// A page takes no further event beyond this size: clients refuse messages above 4 MiB unless told otherwise.
const PAGE_BYTES: usize = 1024 * 1024;

/// What to read, and how to go on after it.
#[derive(Debug)]
pub(in crate::grpc) struct Transcript {
    /// Asks for one more than the page holds, to know whether there is a next page.
    pub query: EventQuery,
    pages: Pages,
}

pub(in crate::grpc) fn query(
    request: v1::ListEventsRequest,
    caller: &Caller,
    epoch: u64,
) -> Result<Transcript> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let id = checks.id("conversation_id", &request.conversation_id);
    let kinds = checks.values("kinds", &request.kinds, read_event_kind);
    let size = checks.page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE);
    let newest_first = request.newest_first;
    let token = request.page_token.clone();
    let pages = Pages::of("ListEvents", epoch, &without_page(request));
    let after = pages.place(&mut checks, &token, |mut place| place.read_number());
    checks.finish(|| {
        let key = ConversationKey {
            tenant: caller.tenant.clone(),
            account: account?,
            id: id?,
        };
        let query = EventQuery {
            key,
            kinds: kinds?,
            newest_first,
            after,
            limit: size? + 1,
            max_bytes: PAGE_BYTES,
        };
        Some(Transcript { query, pages })
    })
}

impl Transcript {
    pub fn response(&self, found: &EventsPage, epoch: u64) -> Result<v1::ListEventsResponse> {
        let fitting = fitting(&found.events).min(self.query.limit - 1);
        let shown = &found.events[..fitting];
        let last = shown.last().filter(|_| fitting < found.events.len());
        let events: Result<_> = shown
            .iter()
            .map(|(_, stored)| delivered(stored, epoch))
            .collect();
        Ok(v1::ListEventsResponse {
            events: events?,
            next_page_token: last.map_or_else(String::new, |(sequence, _)| {
                self.pages.token(Place::default().number(*sequence))
            }),
            first_available_sequence: found.first_available_sequence,
        })
    }
}

/// What a page token belongs to: everything but the page itself.
fn without_page(request: v1::ListEventsRequest) -> v1::ListEventsRequest {
    v1::ListEventsRequest {
        page_size: 0,
        page_token: String::new(),
        ..request
    }
}

/// How many events stand below the size of a page; at least one, so that a large one is no wall.
fn fitting(events: &[(u64, StoredEvent)]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&(u64, StoredEvent)| {
        let is_first = bytes == 0;
        bytes += event.1.bytes.len();
        is_first || bytes <= PAGE_BYTES
    };
    events.iter().take_while(fits).count()
}

fn delivered(stored: &StoredEvent, epoch: u64) -> Result<v1::DeliveredEvent> {
    let event = v1::Event::decode(stored.bytes.clone()).map_err(|error| {
        tracing::error!(position = stored.position.0, %error, "a stored event cannot be read");
        Error::Internal
    })?;
    Ok(v1::DeliveredEvent {
        event: Some(event),
        cursor: view::cursor(stored.position, epoch),
        ..v1::DeliveredEvent::default()
    })
}
