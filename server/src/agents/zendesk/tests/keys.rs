//! Two keys while one takes the other's place.

use super::fixture::Fixture;
use crate::{
    agents::conformance::{KEY, message},
    domain::{
        outbound::{Refusal, Sent},
        ports::Agent,
    },
    tests::fake_server::{Behaviour, FakeServer},
};

const OTHER: &str = "9b1c2d3e4f5a6b7c8d9e";

/// A platform that knows this key alone, by the file that holds it.
async fn knowing(key: &'static str, status: u16) -> FakeServer {
    FakeServer::answering(move |request| {
        let known = request.header("authorization") == key;
        Behaviour::answer(if known { 200 } else { status }, "")
    })
    .await
}

fn with_both(server: &FakeServer) -> Fixture {
    Fixture::new(&server.url(), |_, platform, secrets| {
        platform.previous_api_key = Some(secrets.put("other", OTHER));
    })
}

fn shown(server: &FakeServer) -> Vec<String> {
    let requests = server.requests();
    requests
        .iter()
        .map(|request| request.header("authorization").to_owned())
        .collect()
}

#[tokio::test]
async fn a_refused_key_lets_the_other_be_tried_once_and_what_works_is_remembered() {
    for status in [401, 403] {
        let server = knowing(OTHER, status).await;
        let fixture = with_both(&server);
        for _ in 0..3 {
            assert_eq!(fixture.agent.send(&message("hi")).await, Sent::Acknowledged);
        }
        // Three messages were taken, each once.
        assert_eq!(shown(&server), [KEY, OTHER, OTHER, OTHER]);
    }
}

#[tokio::test]
async fn the_change_at_the_platform_may_come_at_any_time() {
    use std::sync::{Arc, Mutex};
    let known = Arc::new(Mutex::new(KEY));
    let taken = Arc::clone(&known);
    let server = FakeServer::answering(move |request| {
        let is_known = request.header("authorization") == *taken.lock().expect("whole");
        Behaviour::answer(if is_known { 200 } else { 401 }, "")
    })
    .await;
    let fixture = with_both(&server);
    for key in [KEY, OTHER, KEY] {
        *known.lock().expect("whole") = key;
        for _ in 0..2 {
            assert_eq!(fixture.agent.send(&message("hi")).await, Sent::Acknowledged);
        }
    }
    assert_eq!(
        shown(&server),
        [KEY, KEY, KEY, OTHER, OTHER, OTHER, KEY, KEY]
    );
}

#[tokio::test]
async fn two_refused_keys_are_a_refusal_after_two_requests() {
    let server = knowing("a third one", 401).await;
    let fixture = with_both(&server);
    let sent = fixture.agent.send(&message("hi")).await;
    assert!(
        matches!(
            sent,
            Sent::Refused {
                refusal: Refusal::Credentials,
                ..
            }
        ),
        "{sent:?}"
    );
    assert_eq!(shown(&server), [KEY, OTHER]);
}

/// What may have been taken is never shown again under the other key.
#[tokio::test]
async fn nothing_but_a_refused_key_lets_the_other_be_tried() {
    for behaviour in [
        Behaviour::answer(200, ""),
        Behaviour::answer(400, ""),
        Behaviour::answer(404, ""),
        Behaviour::answer(408, ""),
        Behaviour::answer(429, ""),
        Behaviour::answer(500, ""),
        Behaviour::answer(302, ""),
        Behaviour::CloseBeforeAnswer,
        Behaviour::ResetBeforeAnswer,
        Behaviour::ResetWithinHeaders,
        Behaviour::Malformed,
    ] {
        let server = FakeServer::start().await;
        server.next(behaviour.clone());
        let fixture = with_both(&server);
        fixture.agent.send(&message("hi")).await;
        assert_eq!(shown(&server), [KEY], "{behaviour:?}");
    }
}

#[tokio::test]
async fn both_keys_are_read_anew_and_one_that_is_gone_or_the_same_is_not_tried() {
    let server = knowing("a third one", 401).await;
    let fixture = with_both(&server);
    fixture.replace("other", KEY);
    fixture.agent.send(&message("hi")).await;
    assert_eq!(shown(&server), [KEY]);
    fixture.replace("other", "");
    fixture.agent.send(&message("hi")).await;
    assert_eq!(shown(&server), [KEY, KEY]);
    fixture.replace("other", "a third one");
    assert_eq!(fixture.agent.send(&message("hi")).await, Sent::Acknowledged);
    assert_eq!(shown(&server)[2..], [KEY, "a third one"]);
}
