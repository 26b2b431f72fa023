//! A platform that refuses, is busy, fails or says nothing, and what callers are told of it.

use std::time::{Duration, Instant};

use parloir_client::{
    Code,
    v1::{DeliveryState, event::Body},
};

use crate::support::{
    platform::{Behaviour, FakeServer},
    server::{KEY, TestServer, Wishes, state},
};

/// A server whose requests to the agent end soon, so that a silent one is found out in a moment.
fn impatient() -> Wishes {
    Wishes {
        agent: r#"send_timeout = "400ms""#,
        ..Wishes::default()
    }
}

async fn sent_to(behaviour: Behaviour) -> (crate::support::server::Sent, TestServer) {
    let server = TestServer::start_with(impatient()).await;
    server.platform.next(behaviour);
    let sent = server.say("C", "m", "hello").await;
    (sent, server)
}

#[tokio::test]
async fn check_20_21_a_200_is_delivered_whatever_its_body() {
    for body in ["", r#"{"x":1}"#, "thank you", "{broken"] {
        let (sent, server) = sent_to(Behaviour::answer(200, body)).await;
        assert_eq!(state(&sent), DeliveryState::Delivered, "{body}");
        assert_eq!(server.platform.requests().len(), 1);
    }
}

#[tokio::test]
async fn check_22_23_24_a_refusal_is_a_failed_precondition_after_one_request() {
    for (status, reason) in [
        (400, "AGENT_REJECTED"),
        (401, "AGENT_CREDENTIALS_REJECTED"),
        (403, "AGENT_CREDENTIALS_REJECTED"),
        (404, "AGENT_NOT_FOUND_UPSTREAM"),
        (422, "AGENT_REJECTED"),
    ] {
        let answer = Behaviour::answer(status, &format!("{KEY} may not say hello"));
        let (sent, server) = sent_to(answer).await;
        let error = sent.expect_err("a refusal");
        assert_eq!(error.code(), Code::FailedPrecondition, "{status}");
        assert_eq!(error.reason(), Some(reason), "{status}");
        assert!(!error.message().contains(KEY), "{error}");
        assert_eq!(
            error.message().contains("may not say"),
            reason == "AGENT_REJECTED",
            "{error}"
        );
        let again = server
            .say("C", "m", "hello")
            .await
            .expect_err("the same outcome");
        assert_eq!(again.reason(), Some(reason));
        assert_eq!(server.platform.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn check_24_an_unknown_bot_is_told_with_the_agents_name() {
    let (sent, _server) = sent_to(Behaviour::answer(404, "")).await;
    let error = sent.expect_err("a refusal");
    assert!(error.message().contains("shop"), "{error}");
}

#[tokio::test]
async fn check_25_a_busy_platform_is_asked_again_after_the_time_it_names() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let busy = Behaviour::answer(429, "").with_header("retry-after", "1");
    server.platform.next(busy);
    // Answered as soon as it is clear that the agent is not to be asked now, or once it was asked again.
    let sent = server.say("C", "m", "hello").await;
    assert!(
        [DeliveryState::Queued, DeliveryState::Delivered].contains(&state(&sent)),
        "{sent:?}"
    );
    while events.delivery_changed().await.state() != DeliveryState::Delivered {}
    let requests = server.platform.requests();
    assert_eq!(requests.len(), 2);
    let apart = requests[1].at - requests[0].at;
    // The platform's clock and the second it names are whole; ours is not.
    assert!(apart >= Duration::from_millis(990), "{apart:?}");
}

#[tokio::test]
async fn check_26_a_platform_that_is_always_busy_is_asked_a_few_times_and_the_message_waits() {
    let server = TestServer::start_with(Wishes {
        top: "grpc.answer_within = \"1s\"\ndelivery.retry_base = \"100ms\"",
        agent: r#"max_queue_age = "2s""#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    for _ in 0..100 {
        server.platform.next(Behaviour::answer(503, ""));
    }
    let begun = Instant::now();
    let sent = server.say("C", "m", "hello").await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(state(&sent), DeliveryState::Queued);
    let last = loop {
        let changed = events.delivery_changed().await;
        if changed.state() == DeliveryState::Failed {
            break changed;
        }
    };
    assert_eq!(last.reason, "QUEUED_TOO_LONG");
    let tries = server.platform.requests().len();
    assert!((1..=20).contains(&tries), "{tries} tries in two seconds");
}

#[tokio::test]
async fn check_27_a_message_that_is_never_answered_is_unknown_and_sent_once() {
    let (sent, server) = sent_to(Behaviour::Silent).await;
    assert_eq!(state(&sent), DeliveryState::Unknown);
    let again = server.say("C", "m", "hello").await;
    assert_eq!(
        state(&again),
        DeliveryState::Unknown,
        "the same call gets the same outcome"
    );
    let next = server.say("C", "m-2", "still there?").await;
    assert_eq!(state(&next), DeliveryState::Delivered, "the lane goes on");
    let texts: Vec<_> = server.platform.requests();
    let texts: Vec<_> = texts
        .iter()
        .map(|request| request.json()["text"].clone())
        .collect();
    assert_eq!(texts, ["hello", "still there?"]);
}

#[tokio::test]
async fn a_message_whose_outcome_is_unknown_is_sent_again_only_when_asked_for() {
    let (sent, server) = sent_to(Behaviour::ResetBeforeAnswer).await;
    assert_eq!(state(&sent), DeliveryState::Unknown);
    let request = parloir_client::v1::SendMessageRequest {
        content: Some(parloir_client::v1::send_message_request::Content::Text(
            "hello".to_owned(),
        )),
        resend: true,
        ..crate::support::server::message("C", "m")
    };
    let again = server.client.send_message(request).await;
    assert_eq!(state(&again), DeliveryState::Delivered);
    assert_eq!(server.platform.requests().len(), 2);
}

#[tokio::test]
async fn check_28_messages_of_one_conversation_go_one_after_the_other() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let both = async { tokio::join!(server.say("C", "m-1", "one"), server.say("C", "m-2", "two")) };
    let watching = async {
        for _ in 0..2 {
            events
                .find(|body, _| matches!(body, Body::VisitorMessage(_)).then_some(()))
                .await;
        }
        server.platform.wait_for(1).await;
        // Both are recorded, and the first has not got its answer.
        assert_eq!(server.platform.requests().len(), 1);
        server.platform.release();
    };
    let ((one, two), ()) = tokio::join!(both, watching);
    assert_eq!(
        (state(&one), state(&two)),
        (DeliveryState::Delivered, DeliveryState::Delivered)
    );
    assert_eq!(server.platform.requests().len(), 2);
}

#[tokio::test]
async fn check_29_messages_of_two_conversations_may_overlap() {
    let server = TestServer::start().await;
    server.platform.hold();
    let overlap = async {
        server.platform.wait_for(2).await;
        server.platform.release();
    };
    let (one, two, ()) = tokio::join!(
        server.say("C1", "m-1", "one"),
        server.say("C2", "m-2", "two"),
        overlap
    );
    assert_eq!(
        (state(&one), state(&two)),
        (DeliveryState::Delivered, DeliveryState::Delivered)
    );
}

#[tokio::test]
async fn check_30_a_redirect_is_not_followed() {
    let elsewhere = FakeServer::start().await;
    let redirect = Behaviour::answer(302, "").with_header("location", &elsewhere.url());
    let (sent, server) = sent_to(redirect).await;
    assert_eq!(state(&sent), DeliveryState::Unknown);
    assert_eq!(server.platform.requests().len(), 1);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn every_status_and_fault_of_the_platform_has_its_outcome() {
    let delivered = [
        Behaviour::answer(202, ""),
        Behaviour::answer(204, ""),
        Behaviour::ResetAfterHeaders(200),
        Behaviour::Truncated(200),
        Behaviour::Endless(200),
    ];
    let unknown = [
        Behaviour::answer(408, ""),
        Behaviour::answer(500, ""),
        Behaviour::answer(502, ""),
        Behaviour::answer(504, ""),
        Behaviour::answer(301, ""),
        Behaviour::CloseBeforeAnswer,
        Behaviour::ResetBeforeAnswer,
        Behaviour::ResetWithinHeaders,
        Behaviour::Malformed,
    ];
    let with = |state| move |behaviour| (behaviour, state);
    let cases = delivered
        .into_iter()
        .map(with(DeliveryState::Delivered))
        .chain(unknown.into_iter().map(with(DeliveryState::Unknown)));
    let server = TestServer::start_with(Wishes {
        // So many failures in a row would otherwise have the agent left alone for a while.
        top: "delivery.breaker_failures = 100",
        ..impatient()
    })
    .await;
    for (number, (behaviour, expected)) in cases.enumerate() {
        let name = format!("{behaviour:?}");
        server.platform.next(behaviour);
        let sent = server
            .say(&format!("C{number}"), &format!("m-{number}"), "hello")
            .await;
        assert_eq!(state(&sent), expected, "{name}");
        assert_eq!(
            server.platform.requests().len(),
            number + 1,
            "{name}: one try"
        );
    }
}

#[tokio::test]
async fn a_platform_that_cannot_be_reached_lets_the_message_wait() {
    let server = TestServer::start_with(Wishes {
        top: r#"grpc.answer_within = "500ms""#,
        ..Wishes::default()
    })
    .await;
    server.platform.stop().await;
    let sent = server.say("C", "m", "hello").await;
    assert_eq!(state(&sent), DeliveryState::Queued);
    assert!(server.platform.requests().is_empty());
}
