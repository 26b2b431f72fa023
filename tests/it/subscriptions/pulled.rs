//! Events without a stream.

use parloir_client::v1::{
    AckEventsRequest, AckResult, EventAck, PullEventsRequest, PullEventsResponse, StartPosition,
    WhenParked, pull_events_request::Start,
};

use super::stage::{NAME, create, policy, say, text};
use crate::support::server::TestServer;

async fn pull(server: &TestServer, request: PullEventsRequest) -> PullEventsResponse {
    let pulled = server.client.pull_events(request).await;
    pulled.expect("an answer")
}

#[tokio::test]
async fn without_a_name_the_caller_keeps_the_cursor() {
    let server = TestServer::start().await;
    say(&server, "C", &["one", "two"]).await;
    let mut request = PullEventsRequest {
        start: Some(Start::Position(StartPosition::Earliest.into())),
        max_events: 1,
        ..PullEventsRequest::default()
    };
    let mut sequences = Vec::new();
    while sequences.len() < 2 {
        let pulled = pull(&server, request.clone()).await;
        for delivered in pulled.events {
            assert!(delivered.ack_id.is_empty());
            sequences.push(delivered.event.expect("an event").sequence);
        }
        request.start = Some(Start::AfterCursor(pulled.next_cursor));
    }
    assert!(sequences.is_sorted(), "{sequences:?}");
    // Nothing new: an empty answer, and where to go on.
    let latest = PullEventsRequest {
        start: None,
        wait: Some(prost_types::Duration::default()),
        ..request
    };
    let nothing = pull(&server, latest.clone()).await;
    assert!(nothing.events.is_empty() && !nothing.next_cursor.is_empty());
    // One that waits is answered when something comes.
    let waiting = PullEventsRequest {
        start: Some(Start::AfterCursor(nothing.next_cursor)),
        wait: None,
        ..latest
    };
    let (pulled, ()) = tokio::join!(pull(&server, waiting), say(&server, "C", &["three"]));
    assert_eq!(text(&pulled.events[0]), "three");
}

#[tokio::test]
async fn a_member_that_pulls_keeps_its_leases_from_call_to_call() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    say(&server, "C", &["one", "two"]).await;
    let request = PullEventsRequest {
        subscription: NAME.to_owned(),
        member_id: "puller".to_owned(),
        max_events: 1,
        ..PullEventsRequest::default()
    };
    let first = pull(&server, request.clone()).await.events;
    assert_eq!((first.len(), first[0].attempt), (1, 1));
    let at_once = PullEventsRequest {
        wait: Some(prost_types::Duration::default()),
        ..request.clone()
    };
    let nothing = pull(&server, at_once).await.events;
    assert!(nothing.is_empty(), "the first one may not have arrived");
    acknowledge(&server, &first[0].ack_id).await;
    let second = pull(&server, request).await.events;
    assert_eq!((text(&second[0]).as_str(), second[0].attempt), ("two", 1));
    acknowledge(&server, &second[0].ack_id).await;
}

async fn acknowledge(server: &TestServer, ack_id: &str) {
    let request = AckEventsRequest {
        subscription: NAME.to_owned(),
        acks: vec![EventAck {
            ack_id: ack_id.to_owned(),
            outcome: None,
        }],
    };
    let acked = server.client.ack_events(request).await.expect("results");
    assert!(
        acked.results().all(|result| result == AckResult::Ok),
        "{acked:?}"
    );
}

#[tokio::test]
async fn what_is_too_large_for_one_answer_comes_with_the_next_in_order() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    // Two that do not go into one answer of a mebibyte, and one that is larger than that by itself.
    let sizes = [600_000, 600_000, 1_200_000];
    for size in sizes {
        say(&server, "C", &["x".repeat(size).as_str()]).await;
    }
    let request = PullEventsRequest {
        subscription: NAME.to_owned(),
        member_id: "puller".to_owned(),
        ..PullEventsRequest::default()
    };
    for size in sizes {
        let events = pull(&server, request.clone()).await.events;
        let found: Vec<_> = events.iter().map(|event| text(event).len()).collect();
        assert_eq!(found, [size]);
        assert_eq!(events[0].attempt, 1);
    }
}
