//! An agent that is down: nothing is lost, nothing overtakes, and nothing waits for ever.

use std::time::Duration;

use parloir_client::{Code, v1::DeliveryState};

use super::{back, changed, texts};
use crate::support::{
    platform::Behaviour,
    server::{TestServer, Wishes, state},
};

/// Tries again soon, so that a test need not wait long for an agent that is back.
const EAGER: &str = r#"
    delivery.retry_base = "5ms"
    delivery.retry_max = "20ms"
    delivery.breaker_open_for = "20ms"
    grpc.answer_within = "300ms"
"#;

fn eager(agent: &'static str) -> Wishes {
    Wishes {
        top: EAGER,
        agent,
        ..Wishes::default()
    }
}

#[tokio::test]
async fn what_waited_for_an_agent_that_was_down_is_delivered_in_order_when_it_is_back() {
    let server = TestServer::start_with(eager("")).await;
    let mut events = server.events();
    server.platform.stop().await;
    let words = ["one", "two", "three"];
    for word in words {
        let sent = server.say("C", word, word).await;
        assert_eq!(state(&sent), DeliveryState::Queued, "{word}");
        assert!(!sent.expect("a message").cursor.is_empty());
    }
    let platform = back(&server).await;
    for word in words {
        while changed(&mut events, word).await.state() != DeliveryState::Delivered {}
    }
    assert_eq!(texts(&platform), words);
    let again = server.say("C", "one", "one").await;
    assert_eq!(
        state(&again),
        DeliveryState::Delivered,
        "the key finds the outcome"
    );
    assert_eq!(platform.requests().len(), 3);
}

#[tokio::test]
async fn a_message_whose_session_is_not_decided_says_nothing_of_it() {
    let server = TestServer::start_with(eager("")).await;
    server.platform.hold();
    let (first, second) = tokio::join!(server.say("C", "1", "one"), server.say("C", "2", "two"));
    let first = first.expect("a message");
    assert_eq!(
        first.delivery.expect("a delivery").state(),
        DeliveryState::Attempting
    );
    assert_eq!(first.new_session, Some(true));
    let second = second.expect("a message");
    assert_eq!(
        second.delivery.expect("a delivery").state(),
        DeliveryState::Queued
    );
    assert_eq!(second.new_session, None);
}

#[tokio::test]
async fn what_waited_longer_than_max_queue_age_has_failed() {
    let server = TestServer::start_with(eager(r#"max_queue_age = "5m""#)).await;
    let mut events = server.events();
    server.platform.stop().await;
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Queued
    );
    server.clock.advance(Duration::from_secs(301));
    let failed = loop {
        let change = changed(&mut events, "1").await;
        if change.state() != DeliveryState::Queued && change.state() != DeliveryState::Attempting {
            break change;
        }
    };
    assert_eq!(
        (failed.state(), failed.reason.as_str()),
        (DeliveryState::Failed, "QUEUED_TOO_LONG")
    );
    let again = server
        .say("C", "1", "one")
        .await
        .expect_err("a stored failure");
    assert_eq!(
        (again.code(), again.reason()),
        (Code::FailedPrecondition, Some("QUEUED_TOO_LONG"))
    );
    let platform = back(&server).await;
    server.say("C", "2", "two").await.expect("a message");
    while changed(&mut events, "2").await.state() != DeliveryState::Delivered {}
    assert_eq!(texts(&platform), ["two"], "the lane goes on without it");
}

#[tokio::test]
async fn above_max_queued_a_message_is_refused_and_leaves_no_trace() {
    let server = TestServer::start_with(eager("max_queued = 3")).await;
    server.platform.hold();
    // The first is under way and counts: it may have to wait yet.
    for word in ["1", "2", "3"] {
        server.say("C", word, word).await.expect("a message");
    }
    let error = server
        .say("C", "4", "4")
        .await
        .expect_err("the queue is full");
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Unavailable, Some("QUEUE_FULL"))
    );
    assert!(
        error
            .retry_after()
            .is_some_and(|after| after > Duration::ZERO)
    );
    let known = super::conversation(&server).await;
    assert_eq!(known.last_sequence, 3);
    // A lane that is idle needs no place in the queue.
    assert_eq!(
        state(&server.say("D", "5", "elsewhere").await),
        DeliveryState::Attempting
    );
    let mut events = server.events();
    server.platform.release();
    while changed(&mut events, "3").await.state() != DeliveryState::Delivered {}
    let repeated = server.say("C", "4", "4").await;
    assert_eq!(
        state(&repeated),
        DeliveryState::Delivered,
        "the same key, once there is room"
    );
    let of_c = texts(&server.platform);
    let of_c: Vec<_> = of_c.iter().filter(|text| *text != "elsewhere").collect();
    assert_eq!(of_c, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn after_failures_in_a_row_an_agent_is_left_alone_for_a_while() {
    let server = TestServer::start_with(Wishes {
        top: r#"
            delivery.retry_base = "1ms"
            delivery.retry_max = "1ms"
            delivery.breaker_failures = 3
            delivery.breaker_open_for = "1h"
            grpc.answer_within = "20s"
        "#,
        agent: r#"max_queue_age = "1day""#,
        ..Wishes::default()
    })
    .await;
    for _ in 0..3 {
        server.platform.next(Behaviour::answer(503, ""));
    }
    // It answers as soon as the breaker is open, long before `answer_within`.
    let begun = std::time::Instant::now();
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Queued
    );
    let other = server.say("D", "2", "elsewhere").await;
    assert_eq!(state(&other), DeliveryState::Queued, "known to be down");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(server.platform.requests().len(), 3);
    server.clock.advance(Duration::from_hours(1));
    let mut events = server.events();
    server.say("C", "3", "three").await.expect("a message");
    for id in ["1", "3"] {
        while changed(&mut events, id).await.state() != DeliveryState::Delivered {}
    }
    let seen = texts(&server.platform);
    let of_c: Vec<_> = seen.iter().filter(|text| *text != "elsewhere").collect();
    assert_eq!(of_c, ["one", "one", "one", "one", "three"]);
}

#[tokio::test]
async fn lanes_that_wait_go_on_when_another_finds_the_agent_back() {
    let server = TestServer::start_with(Wishes {
        top: r#"
            delivery.retry_base = "1ms"
            delivery.retry_max = "1ms"
            delivery.breaker_failures = 3
            delivery.breaker_open_for = "1h"
            grpc.answer_within = "20s"
        "#,
        agent: r#"max_queue_age = "1day""#,
        ..Wishes::default()
    })
    .await;
    for _ in 0..3 {
        server.platform.next(Behaviour::answer(503, ""));
    }
    let waits = server.say("C", "1", "one").await;
    assert_eq!(state(&waits), DeliveryState::Queued);
    server.clock.advance(Duration::from_hours(1));
    let mut events = server.events();
    // Nothing stirs in C: only D can find out.
    server.say("D", "2", "elsewhere").await.expect("a message");
    while changed(&mut events, "1").await.state() != DeliveryState::Delivered {}
}
