//! Whether a team is online: from published presence, from a subscriber, or from nobody.

use std::time::Duration;

use parloir_client::{
    Code,
    v1::{
        Availability, AvailabilityRequested, SetAvailabilityRequest,
        set_availability_request::Scope,
    },
};

use crate::support::{
    questions::{ask, availability_requested, publish, reply},
    server::{ACCOUNT, TestServer, Wishes},
    webhook::is_team_online,
};

const ONLINE: &str = r#"{"isOnline":true}"#;
const OFFLINE: &str = r#"{"isOnline":false}"#;

/// Longer than any test takes: what is answered was not answered by running out of time.
fn patient() -> Wishes {
    Wishes {
        agent: r#"availability_time_limit = "8900ms""#,
        ..Wishes::default()
    }
}

#[tokio::test]
async fn a_team_is_online_while_any_publisher_says_so() {
    let server = TestServer::start().await;
    let said = [
        ("desk-1", true, true),
        ("desk-2", false, true),
        ("desk-1", false, false),
        ("desk-2", true, true),
    ];
    for (publisher, online, together) in said {
        assert_eq!(
            publish(&server, publisher, online).await,
            together,
            "{publisher}"
        );
        let told = server.webhook(&is_team_online("billing")).await;
        assert_eq!(told.body, if together { ONLINE } else { OFFLINE });
    }
    let other = server.webhook(&is_team_online("sales")).await;
    assert_eq!(other.body, OFFLINE, "nobody speaks for another team");
}

#[tokio::test]
async fn published_presence_answers_at_once_and_the_check_is_recorded() {
    let server = TestServer::start_with(patient()).await;
    let mut events = server.events();
    publish(&server, "desk", true).await;
    let told = server.webhook(&is_team_online("billing")).await;
    assert_eq!(told.body, ONLINE);
    let expected = AvailabilityRequested {
        team: "billing".to_owned(),
        answered_online: Some(true),
        ..AvailabilityRequested::default()
    };
    assert_eq!(availability_requested(&mut events).await, expected);
}

#[tokio::test]
async fn presence_that_expired_counts_for_nothing() {
    let server = TestServer::start_with(patient()).await;
    publish(&server, "desk-1", true).await;
    server.clock.advance(Duration::from_secs(40));
    publish(&server, "desk-2", false).await;
    let told = server.webhook(&is_team_online("billing")).await;
    assert_eq!(told.body, ONLINE, "desk-1 still holds");
    server.clock.advance(Duration::from_secs(30));
    let told = server.webhook(&is_team_online("billing")).await;
    assert_eq!(told.body, OFFLINE, "only desk-2 holds");
    server.clock.advance(Duration::from_mins(1));
    // Nobody has published any more, so a subscriber is asked.
    let mut events = server.events();
    events.item().await;
    let asked = ask(&server, &is_team_online("billing"));
    let request = loop {
        let request = availability_requested(&mut events).await;
        if request.answered_online.is_none() {
            break request.request_id;
        }
    };
    let answered = server.client.answer_availability(&request, true).await;
    answered.expect("an answer");
    assert_eq!(reply(asked).await.body, ONLINE);
}

#[tokio::test]
async fn without_presence_and_without_a_subscriber_a_team_is_offline_at_once() {
    let server = TestServer::start_with(patient()).await;
    let begun = std::time::Instant::now();
    let told = server.webhook(&is_team_online("billing")).await;
    assert_eq!(told.body, OFFLINE);
    assert!(begun.elapsed() < Duration::from_secs(8));
    let recorded = availability_requested(&mut server.events()).await;
    assert_eq!(
        (recorded.answered_online, recorded.request_id.as_str()),
        (Some(false), "")
    );
}

#[tokio::test]
async fn presence_of_an_account_counts_for_its_agent() {
    let server = TestServer::start().await;
    let request = |account: &str| SetAvailabilityRequest {
        scope: Some(Scope::Account(account.to_owned())),
        publisher: "desk".to_owned(),
        availability: Some(Availability {
            team: String::new(),
            online: true,
            time_to_live: Some(prost_types::Duration {
                seconds: 1,
                nanos: 0,
            }),
        }),
    };
    let published = server.client.set_availability(request(ACCOUNT)).await;
    assert!(published.expect("a word").online);
    let told = server.webhook(&is_team_online("")).await;
    assert_eq!(
        told.body, ONLINE,
        "a check without a team is a team of its own"
    );
    let unknown = server.client.set_availability(request("nobody")).await;
    assert_eq!(unknown.expect_err("no such account").code(), Code::NotFound);
}
