//! `ListConversations`.

use parloir_proto::v1;

use super::super::{
    checks::Checks,
    page::{Pages, Place},
    view,
};
use crate::{
    conversations::Caller,
    domain::{Conversation, ConversationQuery, Id, Position, Result, Timestamp},
    wire::enums::{read_owner, read_session_state},
};

/// A screenful.
const DEFAULT_PAGE: usize = 50;
/// The rows of one read; each is well below 2 KiB on the wire.
const MAX_PAGE: usize = 500;

/// What to read, and how to go on after it.
#[derive(Debug)]
pub(in crate::grpc) struct Listing {
    /// Asks for one more than the page holds, to know whether there is a next page.
    pub query: ConversationQuery,
    pages: Pages,
}

pub(in crate::grpc) fn query(
    request: v1::ListConversationsRequest,
    caller: &Caller,
    epoch: u64,
) -> Result<Listing> {
    let mut checks = Checks::default();
    let accounts = checks.ids("accounts", &request.accounts);
    let owners = checks.values("owners", &request.owners, read_owner);
    let states = checks.values(
        "session_states",
        &request.session_states,
        read_session_state,
    );
    let updated_from = checks.time("updated_from", request.updated_from.as_ref());
    let updated_before = checks.time("updated_before", request.updated_before.as_ref());
    let size = checks.page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE);
    let oldest_first = request.oldest_first;
    let token = request.page_token.clone();
    let pages = Pages::of("ListConversations", epoch, &without_page(request));
    let after = pages.place(&mut checks, &token, read_place);
    checks.finish(|| {
        let query = ConversationQuery {
            tenant: Some(caller.tenant.clone()),
            accounts: accounts?,
            owners: owners?,
            session_states: states?,
            updated_from,
            updated_before,
            oldest_first,
            after,
            limit: size? + 1,
        };
        Some(Listing { query, pages })
    })
}

impl Listing {
    pub fn response(
        &self,
        mut found: Vec<(Conversation, Position)>,
        epoch: u64,
    ) -> v1::ListConversationsResponse {
        let has_more = found.len() >= self.query.limit;
        found.truncate(self.query.limit - 1);
        let last = found.last().filter(|_| has_more);
        v1::ListConversationsResponse {
            next_page_token: last
                .map_or_else(String::new, |(last, _)| self.pages.token(place_of(last))),
            conversations: found
                .iter()
                .map(|(conversation, last)| view::listed(conversation, *last, epoch))
                .collect(),
        }
    }
}

/// What a page token belongs to: everything but the page itself.
fn without_page(request: v1::ListConversationsRequest) -> v1::ListConversationsRequest {
    v1::ListConversationsRequest {
        page_size: 0,
        page_token: String::new(),
        ..request
    }
}

fn place_of(conversation: &Conversation) -> Place {
    Place::default()
        .number(conversation.updated_at.0.cast_unsigned())
        .text(conversation.key.account.as_str())
        .text(conversation.key.id.as_str())
}

fn read_place(mut place: Place) -> Option<(Timestamp, Id, Id)> {
    let updated_at = Timestamp(place.read_number()?.cast_signed());
    let account = place.read_text()?;
    let id = place.read_text()?;
    Some((updated_at, Id::trusted(account), Id::trusted(id)))
}
