//! `ListEvents`: the transcript is the log.

use parloir_client::v1::{DeliveredEvent, EventKind, ListEventsRequest};
use tonic::Code;

use super::{Calls, calls, fields, refusal, start};
use crate::support::server::{ACCOUNT, TestServer};

fn query() -> ListEventsRequest {
    ListEventsRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        ..ListEventsRequest::default()
    }
}

/// A server with a conversation of several events.
async fn talked() -> (TestServer, Calls) {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    calls.start_conversation(start("C", "s")).await.expect("OK");
    for number in 1..=3 {
        let sent = server.say("C", &format!("m-{number}"), "hi").await;
        sent.expect("OK");
    }
    (server, calls)
}

/// All events of a query, read in pages of this size.
async fn all(calls: &mut Calls, query: &ListEventsRequest, size: i32) -> Vec<DeliveredEvent> {
    let mut events = Vec::new();
    let mut token = String::new();
    loop {
        let request = ListEventsRequest {
            page_size: size,
            page_token: token,
            ..query.clone()
        };
        let page = calls.list_events(request).await.expect("OK").into_inner();
        assert!(page.events.len() <= usize::try_from(size).expect("positive"));
        assert_eq!(page.first_available_sequence, 1);
        events.extend(page.events);
        token = page.next_page_token;
        if token.is_empty() {
            return events;
        }
    }
}

fn sequences(events: &[DeliveredEvent]) -> Vec<u64> {
    let event = |delivered: &DeliveredEvent| delivered.event.as_ref().expect("an event").sequence;
    events.iter().map(event).collect()
}

#[tokio::test]
async fn a_transcript_has_no_holes_and_reads_alike_in_pages_of_any_size() {
    let (_server, mut calls) = talked().await;
    let whole = all(&mut calls, &query(), 1000).await;
    let expected: Vec<_> = (1..=whole.len() as u64).collect();
    assert_eq!(sequences(&whole), expected);
    assert!(
        whole.len() >= 8,
        "a start, three messages, and what became of them"
    );
    assert_eq!(all(&mut calls, &query(), 1).await, whole);
    assert_eq!(all(&mut calls, &query(), 3).await, whole);
}

#[tokio::test]
async fn newest_first_is_the_same_transcript_backwards() {
    let (_server, mut calls) = talked().await;
    let mut whole = all(&mut calls, &query(), 1000).await;
    whole.reverse();
    let newest = ListEventsRequest {
        newest_first: true,
        ..query()
    };
    assert_eq!(all(&mut calls, &newest, 2).await, whole);
}

#[tokio::test]
async fn a_transcript_can_be_read_by_kind() {
    let (_server, mut calls) = talked().await;
    let messages = ListEventsRequest {
        kinds: vec![EventKind::VisitorMessage.into()],
        ..query()
    };
    assert_eq!(all(&mut calls, &messages, 2).await.len(), 3);
}

#[tokio::test]
async fn an_event_of_a_transcript_carries_the_cursor_that_a_stream_resumes_after() {
    let (server, mut calls) = talked().await;
    let listed = all(&mut calls, &query(), 1000).await;
    let mut stream = server.events();
    for expected in &listed {
        assert_eq!(&stream.next().await, expected);
    }
}

#[tokio::test]
async fn a_page_token_of_another_transcript_is_refused() {
    let (_server, mut calls) = talked().await;
    calls
        .start_conversation(start("D", "s-2"))
        .await
        .expect("OK");
    let first = ListEventsRequest {
        page_size: 1,
        ..query()
    };
    let page = calls
        .list_events(first.clone())
        .await
        .expect("OK")
        .into_inner();
    let token = page.next_page_token;
    let others = [
        ListEventsRequest {
            conversation_id: "D".to_owned(),
            ..first.clone()
        },
        ListEventsRequest {
            newest_first: true,
            ..first.clone()
        },
        ListEventsRequest {
            kinds: vec![3],
            ..first.clone()
        },
    ];
    for other in others {
        let request = ListEventsRequest {
            page_token: token.clone(),
            ..other
        };
        assert_eq!(fields(calls.list_events(request).await), ["page_token"]);
    }
    let damaged = ListEventsRequest {
        page_token: format!("{token}A"),
        ..first
    };
    assert_eq!(fields(calls.list_events(damaged).await), ["page_token"]);
}

#[tokio::test]
async fn an_unknown_conversation_has_no_transcript() {
    let server = TestServer::start().await;
    let answer = calls(&server).await.list_events(query()).await;
    let expected = (Code::NotFound, "CONVERSATION_NOT_FOUND".to_owned());
    assert_eq!(refusal(answer), expected);
}
