//! What the log forgets, and what readers of it are told.

use std::time::Duration;

use parloir_client::v1::{
    DeliveryState, Gap, ListEventsRequest, OnExpiredCursor, SubscribeEventsRequest, event::Body,
    subscribe_events_request::Start, subscribe_events_response::Message,
};
use tonic::Code;
use tonic_types::StatusExt;

use super::{Calls, calls, earliest, follow, next, next_event};
use crate::support::{
    server::{ACCOUNT, TestServer, Wishes, state},
    webhook::says,
};

const SPAN: Duration = Duration::from_hours(31 * 24);

async fn sweeping() -> (TestServer, Calls) {
    let server = TestServer::start_with(Wishes {
        // A ring that soon lets go: what is still in memory is not lost to anybody.
        top: "log.sweep_interval = \"10ms\"\nstream.ring_events = 16",
        ..Wishes::default()
    })
    .await;
    let calls = calls(format!("http://{}", server.app.grpc())).await;
    (server, calls)
}

/// Waits until the conversation's first events are gone and it begins with this one or a later.
async fn begins_with(server: &TestServer, sequence: u64) -> u64 {
    let looking = async {
        loop {
            let request = ListEventsRequest {
                account: ACCOUNT.to_owned(),
                conversation_id: "C".to_owned(),
                ..ListEventsRequest::default()
            };
            let page = server.client.list_events(request).await.expect("a page");
            if page.first_available_sequence >= sequence {
                return page.first_available_sequence;
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), looking).await;
    found.expect("retention in time")
}

/// The cursor of the first of three events that have been forgotten since; others are there.
async fn expired(server: &TestServer, calls: &mut Calls) -> String {
    let mut stream = follow(calls, earliest()).await.expect("a stream");
    for text in ["one", "two", "three"] {
        server.taken(&says("C", text)).await;
    }
    let (_, cursor) = next_event(&mut stream).await;
    server.clock.advance(SPAN);
    for _ in 0..32 {
        server.taken(&says("C", "four")).await;
    }
    begins_with(server, 4).await;
    cursor
}

fn request(cursor: &str, on_expired: OnExpiredCursor) -> SubscribeEventsRequest {
    SubscribeEventsRequest {
        start: Some(Start::AfterCursor(cursor.to_owned())),
        on_expired_cursor: on_expired.into(),
        ..SubscribeEventsRequest::default()
    }
}

async fn gap(calls: &mut Calls, cursor: &str, on_expired: OnExpiredCursor) -> (Gap, super::Stream) {
    let stream = calls.subscribe_events(request(cursor, on_expired)).await;
    let mut stream = stream.expect("a stream").into_inner();
    assert!(matches!(next(&mut stream).await, Message::Started(_)));
    match next(&mut stream).await {
        Message::Gap(gap) => (gap, stream),
        other => panic!("no gap but {other:?}"),
    }
}

#[tokio::test]
async fn a_cursor_whose_events_are_gone_is_out_of_range_and_names_the_first_usable_one() {
    let (server, mut calls) = sweeping().await;
    let cursor = expired(&server, &mut calls).await;
    for policy in [OnExpiredCursor::Unspecified, OnExpiredCursor::Fail] {
        let status = calls.subscribe_events(request(&cursor, policy)).await;
        let status = status.expect_err("its events are gone");
        assert_eq!(status.code(), Code::OutOfRange);
        let info = status.get_details_error_info().expect("details");
        assert_eq!(info.reason, "CURSOR_EXPIRED");
        let usable = info.metadata["first_available_cursor"].clone();
        let resumed = follow(&mut calls, Start::AfterCursor(usable)).await;
        let (event, _) = next_event(&mut resumed.expect("a stream")).await;
        assert!(event.sequence >= 4, "{event:?}");
    }
}

#[tokio::test]
async fn a_reader_that_wants_the_earliest_is_told_of_the_gap_and_goes_on_behind_it() {
    let (server, mut calls) = sweeping().await;
    let cursor = expired(&server, &mut calls).await;
    let (gap, mut stream) = gap(&mut calls, &cursor, OnExpiredCursor::Earliest).await;
    assert_eq!(gap.asked_cursor, cursor);
    let (event, _) = next_event(&mut stream).await;
    let first = begins_with(&server, 4).await;
    assert_eq!(event.sequence, first);
}

#[tokio::test]
async fn a_reader_that_wants_the_latest_is_told_of_the_gap_and_gets_what_is_new() {
    let (server, mut calls) = sweeping().await;
    let cursor = expired(&server, &mut calls).await;
    let (gap, mut stream) = gap(&mut calls, &cursor, OnExpiredCursor::Latest).await;
    assert_eq!(gap.asked_cursor, cursor);
    server.taken(&says("C", "five")).await;
    let text = loop {
        if let Some(Body::AgentMessage(message)) = next_event(&mut stream).await.0.body {
            break message.text;
        }
    };
    assert_eq!(text, "five");
}

#[tokio::test]
async fn what_is_still_on_its_way_is_not_forgotten() {
    let (server, _) = sweeping().await;
    server.taken(&says("C", "hello")).await;
    server.platform.hold();
    let sending = async {
        server.platform.wait_for(1).await;
        server.clock.advance(SPAN);
        assert_eq!(
            begins_with(&server, 2).await,
            2,
            "the message under way is kept"
        );
        server.platform.release();
    };
    let (sent, ()) = tokio::join!(server.say("C", "1", "one"), sending);
    assert_eq!(state(&sent), DeliveryState::Delivered);
    assert!(begins_with(&server, 3).await >= 3, "now nothing needs it");
    let known = server.client.conversation(ACCOUNT, "C").await;
    assert!(
        known.expect("an answer").is_some(),
        "conversations outlive their events"
    );
}
