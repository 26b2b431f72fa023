//! What is read back: one conversation, lists and transcripts.

use parloir_proto::v1;
use prost::Message;

use super::super::{events, get, list};
use super::wrong;
use crate::{
    conversations::{Caller, EventsPage},
    domain::{
        Conversation, ConversationKey, Cursor, EventKind, Id, Position, SessionState, StoredEvent,
        Timestamp,
    },
};

const EPOCH: u64 = 5;

fn caller() -> Caller {
    Caller {
        tenant: Id::trusted("default"),
        traceparent: String::new(),
    }
}

fn transcript(page_size: i32, page_token: &str) -> v1::ListEventsRequest {
    v1::ListEventsRequest {
        account: "acme".into(),
        conversation_id: "c-1".into(),
        page_size,
        page_token: page_token.into(),
        ..v1::ListEventsRequest::default()
    }
}

fn stored(sequence: u64, text_bytes: usize) -> (u64, StoredEvent) {
    let event = v1::Event {
        sequence,
        traceparent: "x".repeat(text_bytes),
        ..v1::Event::default()
    };
    let stored = StoredEvent {
        position: Position(100 + sequence),
        tenant: Id::trusted("default"),
        agent: Id::trusted("shop"),
        account: Some(Id::trusted("acme")),
        conversation_id: Some(Id::trusted("c-1")),
        kind: EventKind::AgentMessage,
        bytes: event.encode_to_vec().into(),
    };
    (sequence, stored)
}

fn conversation(id: &str, updated_at: i64) -> (Conversation, Position) {
    let key = ConversationKey {
        tenant: Id::trusted("default"),
        account: Id::trusted("acme"),
        id: Id::trusted(id),
    };
    let agent = Id::trusted("shop");
    let conversation = Conversation::new(key, agent, id.into(), Timestamp(updated_at));
    (conversation, Position(7))
}

#[test]
fn reading_needs_an_account_and_a_conversation() {
    let fields = wrong(get::query(&v1::GetConversationRequest::default()));
    assert_eq!(fields, ["account", "conversation_id"]);
    let request = v1::ListEventsRequest {
        kinds: vec![0, 5, 99],
        page_size: 1001,
        page_token: "nonsense".into(),
        ..v1::ListEventsRequest::default()
    };
    let expected = [
        "account",
        "conversation_id",
        "kinds[0]",
        "kinds[2]",
        "page_size",
        "page_token",
    ];
    assert_eq!(wrong(events::query(request, &caller(), EPOCH)), expected);
}

#[test]
fn a_list_refuses_what_would_widen_or_break_it() {
    let request = v1::ListConversationsRequest {
        accounts: vec!["acme".into(), String::new()],
        owners: vec![0],
        session_states: vec![2, 9],
        updated_from: Some(prost_types::Timestamp {
            seconds: 0,
            nanos: 1_000_000_000,
        }),
        page_size: -1,
        ..v1::ListConversationsRequest::default()
    };
    let expected = [
        "accounts[1]",
        "owners[0]",
        "session_states[1]",
        "updated_from",
        "page_size",
    ];
    assert_eq!(wrong(list::query(request, &caller(), EPOCH)), expected);
}

#[test]
fn a_list_asks_for_what_was_filtered_by() {
    let request = v1::ListConversationsRequest {
        accounts: vec!["acme".into()],
        session_states: vec![v1::SessionState::Ended.into()],
        ..v1::ListConversationsRequest::default()
    };
    let query = list::query(request, &caller(), EPOCH).expect("fine").query;
    assert_eq!(query.tenant, Some(Id::trusted("default")));
    assert_eq!(query.session_states, [SessionState::Ended]);
    assert_eq!(
        query.limit, 51,
        "one more tells whether there is a next page"
    );
}

#[test]
fn the_next_page_of_a_list_begins_after_the_last_shown() {
    let request = v1::ListConversationsRequest {
        page_size: 2,
        ..v1::ListConversationsRequest::default()
    };
    let listing = list::query(request.clone(), &caller(), EPOCH).expect("fine");
    let found = vec![
        conversation("c", 30),
        conversation("b", -20),
        conversation("a", 10),
    ];
    let page = listing.response(found, EPOCH);
    assert_eq!(page.conversations.len(), 2);
    let request = v1::ListConversationsRequest {
        page_token: page.next_page_token,
        page_size: 3,
        ..request
    };
    let listing = list::query(request, &caller(), EPOCH).expect("the size of a page may change");
    let after = listing.query.after.clone().expect("a place");
    assert_eq!(
        after,
        (Timestamp(-20), Id::trusted("acme"), Id::trusted("b"))
    );
    let last = listing.response(vec![conversation("a", 10)], EPOCH);
    assert_eq!(last.next_page_token, "");
}

#[test]
fn a_page_token_of_another_query_is_refused() {
    let query = events::query(transcript(1, ""), &caller(), EPOCH).expect("fine");
    let found = EventsPage {
        events: vec![stored(1, 0), stored(2, 0)],
        first_available_sequence: 1,
    };
    let token = query
        .response(&found, EPOCH)
        .expect("readable")
        .next_page_token;
    let next = events::query(transcript(1, &token), &caller(), EPOCH).expect("fine");
    assert_eq!(next.query.after, Some(1));
    let turned = v1::ListEventsRequest {
        newest_first: true,
        ..transcript(1, &token)
    };
    assert_eq!(
        wrong(events::query(turned, &caller(), EPOCH)),
        ["page_token"]
    );
    let other = v1::ListEventsRequest {
        conversation_id: "c-2".into(),
        ..transcript(1, &token)
    };
    assert_eq!(
        wrong(events::query(other, &caller(), EPOCH)),
        ["page_token"]
    );
    let elsewhere = events::query(transcript(1, &token), &caller(), EPOCH + 1);
    assert_eq!(wrong(elsewhere), ["page_token"], "of another database");
}

#[test]
fn a_transcript_shows_stored_events_with_their_cursors() {
    let query = events::query(transcript(0, ""), &caller(), EPOCH).expect("fine");
    let found = EventsPage {
        events: vec![stored(1, 0), stored(2, 0)],
        first_available_sequence: 1,
    };
    let page = query.response(&found, EPOCH).expect("readable");
    assert_eq!(page.next_page_token, "", "the last page");
    let shown: Vec<_> = page
        .events
        .iter()
        .map(|shown| {
            let cursor = Cursor::decode(&shown.cursor, EPOCH).expect("ours");
            (shown.event.as_ref().expect("set").sequence, cursor.position)
        })
        .collect();
    assert_eq!(shown, [(1, Position(101)), (2, Position(102))]);
}

#[test]
fn a_page_of_large_events_is_shorter_and_never_empty() {
    let query = events::query(transcript(100, ""), &caller(), EPOCH).expect("fine");
    let megabyte = 1024 * 1024;
    for (sizes, shown) in [
        (vec![megabyte / 2; 5], 1),
        (vec![megabyte / 3; 5], 2),
        (vec![5 * megabyte, 10], 1),
    ] {
        let events = (1..)
            .zip(&sizes)
            .map(|(at, size)| stored(at, *size))
            .collect();
        let found = EventsPage {
            events,
            first_available_sequence: 1,
        };
        let page = query.response(&found, EPOCH).expect("readable");
        assert_eq!(page.events.len(), shown, "{sizes:?}");
        let token = page.next_page_token;
        let next = events::query(transcript(100, &token), &caller(), EPOCH).expect("fine");
        assert_eq!(next.query.after, Some(shown as u64));
    }
}
