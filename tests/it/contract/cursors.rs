//! What `SubscribeEvents` refuses before it begins.

use parloir::domain::{Cursor, Position};
use parloir_client::v1::{
    EventFilter, Started, SubscribeEventsRequest, subscribe_events_request::Start,
    subscribe_events_response::Message,
};
use tonic::{Code, Status};

use super::{Calls, calls, fields, refusal, start};
use crate::support::server::TestServer;

/// The first message of a stream, or why there is none.
async fn begun(calls: &mut Calls, request: SubscribeEventsRequest) -> Result<Started, Status> {
    let mut stream = calls.subscribe_events(request).await?.into_inner();
    match stream.message().await?.and_then(|first| first.message) {
        Some(Message::Started(started)) => Ok(started),
        other => panic!("not Started: {other:?}"),
    }
}

fn after(cursor: &str) -> SubscribeEventsRequest {
    SubscribeEventsRequest {
        start: Some(Start::AfterCursor(cursor.to_owned())),
        ..SubscribeEventsRequest::default()
    }
}

#[tokio::test]
async fn a_stream_resumes_after_the_cursor_of_a_reply() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let answer = calls.start_conversation(start("C", "s")).await.expect("OK");
    let cursor = answer.into_inner().cursor;
    let started = begun(&mut calls, after(&cursor)).await.expect("a stream");
    assert_eq!(started.cursor, cursor);
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused_by_its_field() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    for bad in ["", "nonsense", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = begun(&mut calls, after(bad)).await;
        assert_eq!(fields(answer), ["after_cursor"], "{bad}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_database_is_refused_and_not_misread() {
    let server = TestServer::start().await;
    let foreign = Cursor {
        epoch: 1,
        log_id: 0,
        position: Position(1),
    };
    let answer = begun(&mut calls(&server).await, after(&foreign.encode())).await;
    let expected = (Code::FailedPrecondition, "CURSOR_UNKNOWN".to_owned());
    assert_eq!(refusal(answer), expected);
}

#[tokio::test]
async fn a_filter_or_a_heartbeat_that_makes_no_sense_is_refused_by_its_fields() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let filter = EventFilter {
        accounts: vec!["demo".to_owned(), String::new()],
        conversation_ids: vec!["a\0b".to_owned()],
        kinds: vec![0],
    };
    let request = SubscribeEventsRequest {
        filter: Some(filter),
        ..SubscribeEventsRequest::default()
    };
    let expected = [
        "filter.accounts[1]",
        "filter.conversation_ids[0]",
        "filter.kinds[0]",
    ];
    assert_eq!(fields(begun(&mut calls, request).await), expected);
    let request = SubscribeEventsRequest {
        start: Some(Start::Position(0)),
        ..SubscribeEventsRequest::default()
    };
    assert_eq!(fields(begun(&mut calls, request).await), ["position"]);
}

#[tokio::test]
async fn a_named_subscription_names_a_member_and_no_cursor_every_fault_at_once() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    let request = SubscribeEventsRequest {
        subscription: "CRM!".to_owned(),
        start: Some(Start::AfterCursor("c".to_owned())),
        max_in_flight: 1_000_000,
        ..SubscribeEventsRequest::default()
    };
    let expected = ["subscription", "member_id", "after_cursor", "max_in_flight"];
    assert_eq!(fields(begun(&mut calls, request).await), expected);
}
