//! What a call brings beside its message: a trace context, a deadline, a compressed body.

use std::time::{Duration, Instant};

use parloir_client::v1::{
    DeliveryState, ListEventsRequest, SendMessageRequest, send_message_request::Content,
};
use tonic::{Code, Request, codec::CompressionEncoding};

use super::{calls, channel, start};
use crate::support::server::{ACCOUNT, TestServer, message};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_valid_trace_context_stands_on_the_event_and_another_does_not() {
    let server = TestServer::start().await;
    let mut calls = calls(&server).await;
    for (command, trace) in [("one", TRACE), ("two", "00-not-a-trace-01")] {
        let mut request = Request::new(start("C", command));
        let value = trace.parse().expect("ascii");
        request.metadata_mut().insert("traceparent", value);
        calls.start_conversation(request).await.expect("OK");
    }
    let list = ListEventsRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        kinds: vec![1],
        ..ListEventsRequest::default()
    };
    let page = calls.list_events(list).await.expect("OK").into_inner();
    let traces: Vec<_> = page
        .events
        .into_iter()
        .map(|delivered| delivered.event.expect("an event").traceparent)
        .collect();
    assert_eq!(traces, [TRACE, ""]);
}

#[tokio::test]
async fn a_callers_deadline_is_answered_with_the_state_reached_so_far() {
    let server = TestServer::start().await;
    server.platform.hold();
    let mut request = Request::new(start("C", "s"));
    request.set_timeout(Duration::from_secs(1));
    let begun = Instant::now();
    let answer = calls(&server).await.start_conversation(request).await;
    let answer = answer.expect("OK before the deadline").into_inner();
    assert!(begun.elapsed() < Duration::from_secs(1));
    let delivery = answer.delivery.expect("a delivery");
    assert_eq!(delivery.state(), DeliveryState::Attempting);
    server.platform.release();
}

#[tokio::test]
async fn the_outcome_of_a_call_that_was_given_up_is_there_for_its_repetition() {
    let server = TestServer::start().await;
    server.platform.hold();
    let mut calls = calls(&server).await;
    let mut given_up = Request::new(start("C", "s"));
    given_up.set_timeout(Duration::from_millis(1));
    let answer = calls.start_conversation(given_up).await;
    if let Err(status) = answer {
        // It depends on the machine whether it was accepted at all; the repetition must not mind.
        assert!(
            [Code::Cancelled, Code::DeadlineExceeded].contains(&status.code()),
            "{status:?}"
        );
    }
    server.platform.release();
    let answer = calls.start_conversation(start("C", "s")).await.expect("OK");
    let delivery = answer.into_inner().delivery.expect("a delivery");
    assert_eq!(delivery.state(), DeliveryState::Delivered);
    assert_eq!(server.platform.requests().len(), 1, "sent once");
}

#[tokio::test]
async fn a_compressed_request_is_understood_and_measured_uncompressed() {
    let server = TestServer::start().await;
    let mut calls =
        super::Calls::new(channel(&server).await).send_compressed(CompressionEncoding::Gzip);
    let text = |text: String| SendMessageRequest {
        content: Some(Content::Text(text)),
        ..message("C", "m")
    };
    calls
        .send_message(text("hello".to_owned()))
        .await
        .expect("OK");
    let bomb = text("x".repeat(1024 * 1024));
    let status = calls.send_message(bomb).await.expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
}
