//! What the agent knows of a session, and what waits for the next.

use std::time::Duration;

use parloir_client::v1::DeliveryState;
use serde_json::json;

use super::conversation;
use crate::support::server::{ACCOUNT, TestServer, Wishes, parameter, state};

fn tier(value: &str) -> Vec<parloir_client::v1::Parameter> {
    vec![parameter("tier", value, false)]
}

#[tokio::test]
async fn parameters_do_not_carry_over_into_the_next_session() {
    let server = TestServer::start().await;
    state(&server.say("C", "1", "one").await);
    let set = server.set("C", "u", tier("gold")).await.expect("an update");
    assert_eq!(
        set.delivery.expect("a delivery").state(),
        DeliveryState::Delivered
    );
    assert_eq!(conversation(&server).await.parameters, tier("gold"));
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    state(&server.say("C", "2", "two").await);
    assert_eq!(server.platform.last_request().json().get("metaData"), None);
    assert_eq!(conversation(&server).await.parameters, []);
}

#[tokio::test]
async fn parameters_set_between_sessions_ride_on_the_next_message_once() {
    let server = TestServer::start().await;
    state(&server.say("C", "1", "one").await);
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    let seen = server.platform.requests().len();
    for (command, value) in [("u-1", "silver"), ("u-2", "gold")] {
        let set = server
            .set("C", command, tier(value))
            .await
            .expect("an update");
        assert_eq!(set.delivery, None, "kept");
        assert!(!set.cursor.is_empty());
    }
    assert_eq!(server.platform.requests().len(), seen);
    state(&server.say("C", "2", "two").await);
    let sent = server.platform.last_request().json();
    assert_eq!(
        sent["metaData"],
        json!([{ "key": "tier", "value": "gold" }])
    );
    state(&server.say("C", "3", "three").await);
    assert_eq!(server.platform.last_request().json().get("metaData"), None);
    assert_eq!(conversation(&server).await.parameters, tier("gold"));
}

#[tokio::test]
async fn parameters_for_a_session_that_ran_out_are_kept_for_the_next() {
    let server = TestServer::start_with(Wishes {
        top: r#"log.sweep_interval = "1day""#,
        ..Wishes::default()
    })
    .await;
    state(&server.say("C", "1", "one").await);
    server.clock.advance(Duration::from_hours(3));
    let kept = server.set("C", "u", tier("gold")).await.expect("an update");
    assert_eq!(kept.delivery, None, "no session is alive");
    let started = server
        .client
        .start(ACCOUNT, "C", "s")
        .await
        .expect("a start");
    assert!(!started.resumed);
    let seen = server.platform.last_request().json();
    assert_eq!(seen["eventType"], "startSession");
    assert_eq!(
        seen["metaData"],
        json!([{ "key": "tier", "value": "gold" }])
    );
}

#[tokio::test]
async fn kept_parameters_wait_on_when_the_message_they_ride_on_is_refused() {
    let server = TestServer::start().await;
    state(&server.say("C", "1", "one").await);
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    server.set("C", "u", tier("gold")).await.expect("an update");
    let refusal = crate::support::platform::Behaviour::answer(400, "no");
    server.platform.next(refusal);
    server.say("C", "2", "two").await.expect_err("a refusal");
    state(&server.say("C", "3", "three").await);
    let sent = server.platform.last_request().json();
    assert_eq!(
        sent["metaData"],
        json!([{ "key": "tier", "value": "gold" }])
    );
}

#[tokio::test]
async fn what_a_message_says_itself_counts_more_than_what_was_kept() {
    let server = TestServer::start().await;
    state(&server.say("C", "1", "one").await);
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    server
        .set("C", "u", tier("silver"))
        .await
        .expect("an update");
    let request = parloir_client::v1::StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "s".to_owned(),
        parameters: tier("gold"),
        ..parloir_client::v1::StartConversationRequest::default()
    };
    server
        .client
        .start_conversation(request)
        .await
        .expect("a start");
    let sent = server.platform.last_request().json();
    assert_eq!(
        sent["metaData"],
        json!([{ "key": "tier", "value": "gold" }])
    );
}
