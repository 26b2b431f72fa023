//! `ListAccounts`, `ListContacts` and `LinkContact`.

use parloir_proto::v1;

use super::super::{
    checks::Checks,
    page::{Pages, Place},
};
use crate::{
    conversations::Caller,
    domain::{Directory, Id, KnownContact, Result, Timestamp, query::ContactQuery},
    wire::time::timestamp,
};

/// A screenful.
const DEFAULT_PAGE: usize = 50;
/// The rows of one read; each is well below 1 KiB on the wire.
const MAX_PAGE: usize = 500;

pub(in crate::grpc) fn accounts(
    directory: &Directory,
    caller: &Caller,
) -> v1::ListAccountsResponse {
    let accounts = directory.accounts(caller.tenant.as_str());
    let each = accounts.into_iter().map(|account| {
        let source = account.source.as_ref();
        let entry = source.and_then(|name| directory.source(name.as_str()));
        v1::Account {
            account: account.name.to_string(),
            agent: account.agent.to_string(),
            source: source.map(Id::to_string).unwrap_or_default(),
            system: entry.map_or("", |entry| entry.system).to_owned(),
            upstream_prefix: account.upstream_prefix.clone(),
            ..v1::Account::default()
        }
    });
    v1::ListAccountsResponse {
        accounts: each.collect(),
    }
}

/// What to read, and how to go on after it.
#[derive(Debug)]
pub(in crate::grpc) struct Listing {
    /// Asks for one more than the page holds, to know whether there is a next page.
    pub query: ContactQuery,
    pages: Pages,
}

pub(in crate::grpc) fn query(
    request: v1::ListContactsRequest,
    caller: &Caller,
    epoch: u64,
) -> Result<Listing> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.optional_id("conversation_id", &request.conversation_id);
    let size = checks.page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE);
    let token = request.page_token.clone();
    let without_page = v1::ListContactsRequest {
        page_size: 0,
        page_token: String::new(),
        ..request
    };
    let pages = Pages::of("ListContacts", epoch, &without_page);
    let after = pages.place(&mut checks, &token, read_place);
    checks.finish(|| {
        let query = ContactQuery {
            tenant: caller.tenant.clone(),
            account: account?,
            conversation_id,
            after,
            limit: size? + 1,
        };
        Some(Listing { query, pages })
    })
}

impl Listing {
    pub fn response(&self, mut found: Vec<KnownContact>) -> v1::ListContactsResponse {
        let has_more = found.len() >= self.query.limit;
        found.truncate(self.query.limit - 1);
        let last = found.last().filter(|_| has_more);
        let token = last.map(|last| {
            let seen_at = last.seen_at.0.cast_unsigned();
            let place = Place::default().number(seen_at).text(last.id.as_str());
            self.pages.token(place)
        });
        v1::ListContactsResponse {
            next_page_token: token.unwrap_or_default(),
            contacts: found.iter().map(contact).collect(),
        }
    }
}

/// Account, contact and conversation.
pub(in crate::grpc) fn link(request: &v1::LinkContactRequest) -> Result<(Id, Id, Id)> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let contact_id = checks.id("contact_id", &request.contact_id);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    checks.finish(|| Some((account?, contact_id?, conversation_id?)))
}

pub(in crate::grpc) fn contact(contact: &KnownContact) -> v1::Contact {
    v1::Contact {
        contact_id: contact.id.to_string(),
        source: contact.source.to_string(),
        conversation_id: contact.key.id.to_string(),
        seen_time: Some(timestamp(contact.seen_at)),
    }
}

fn read_place(mut place: Place) -> Option<(Timestamp, Id)> {
    let seen_at = Timestamp(place.read_number()?.cast_signed());
    Some((seen_at, Id::trusted(place.read_text()?)))
}
