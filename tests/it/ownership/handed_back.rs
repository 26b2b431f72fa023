//! From a human back to the agent.

use parloir_client::v1::{DeliveryState, Owner};
use serde_json::json;

use super::{conversation, escalated, hand_over, heard, pairs};
use crate::support::{
    server::{TestServer, Wishes, parameter, state},
    webhook::{says, says_as},
};

#[tokio::test]
async fn after_a_handback_the_agent_gets_a_new_id_a_new_session_and_the_note_once() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    escalated(&server, &mut events).await;
    assert_eq!(
        state(&server.say("C", "m-2", "thank you").await),
        DeliveryState::Held
    );
    let epoch = hand_over(&server, "t", Owner::Agent, "wants a refund").await;
    let sent = server.say("C", "m-3", "and now?").await;
    assert_eq!(state(&sent), DeliveryState::Delivered);
    let sent = sent.expect("a message");
    assert_eq!(sent.new_session, Some(true));
    assert_eq!(sent.delivery.expect("a delivery").session, 2);
    let seen = server.platform.last_request().json();
    let expected = json!({
        "platformConversationId": format!("C.e{epoch}"), "eventType": "message", "text": "and now?",
        "metaData": [{ "key": "handback_note", "value": "wants a refund", "sanitize": true }],
    });
    assert_eq!(seen, expected);
    state(&server.say("C", "m-4", "hello?").await);
    let seen = server.platform.last_request().json();
    assert_eq!(
        (&seen["text"], seen.get("metaData")),
        (&json!("hello?"), None)
    );
    // What was held is not among them.
    let under = format!("C.e{epoch}");
    let expected = [("C", "hello"), (&under, "and now?"), (&under, "hello?")];
    assert_eq!(pairs(&heard(&server)), expected);
}

#[tokio::test]
async fn the_note_goes_under_the_configured_parameter() {
    let server = TestServer::start_with(Wishes {
        agent: r#"handback_parameter = "from_desk""#,
        ..Wishes::default()
    })
    .await;
    state(&server.say("C", "m-1", "hello").await);
    hand_over(&server, "t-1", Owner::Human, "").await;
    hand_over(&server, "t-2", Owner::Agent, "refunded").await;
    state(&server.say("C", "m-2", "and now?").await);
    let seen = server.platform.last_request().json();
    assert_eq!(seen["metaData"][0]["key"], "from_desk");
}

#[tokio::test]
async fn what_comes_under_an_id_of_the_time_before_is_superseded_and_keeps_its_epoch() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    let first = conversation(&server).await.owner_epoch;
    escalated(&server, &mut events).await;
    let second = hand_over(&server, "t-1", Owner::Agent, "").await;
    hand_over(&server, "t-2", Owner::Human, "").await;
    let third = hand_over(&server, "t-3", Owner::Agent, "").await;
    state(&server.say("C", "m-2", "and now?").await);
    let ids = [
        ("C".to_owned(), first, true),
        (format!("C.e{second}"), second, true),
        (format!("C.e{third}"), third, false),
    ];
    for (id, epoch, superseded) in ids {
        server.taken(&says(&id, &id)).await;
        let (message, event) = events.agent_message().await;
        assert_eq!(
            (message.text.as_str(), event.conversation_id.as_str()),
            (id.as_str(), "C")
        );
        assert_eq!(
            (event.owner_epoch, event.superseded),
            (epoch, superseded),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_late_message_neither_begins_nor_extends_a_session() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    escalated(&server, &mut events).await;
    hand_over(&server, "t-1", Owner::Agent, "").await;
    state(&server.say("C", "m-2", "and now?").await);
    let before = conversation(&server).await;
    server.clock.advance(std::time::Duration::from_mins(1));
    server.taken(&says_as("C", "late", "as I was saying")).await;
    let after = conversation(&server).await;
    assert_eq!(
        (after.session, after.session_state()),
        (2, before.session_state())
    );
    assert_eq!(after.session_expires_at, before.session_expires_at);
}

#[tokio::test]
async fn without_fencing_the_id_stays_the_same() {
    let server = TestServer::start_with(Wishes {
        agent: "fence_by_id = false",
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    escalated(&server, &mut events).await;
    hand_over(&server, "t-1", Owner::Agent, "").await;
    state(&server.say("C", "m-2", "and now?").await);
    assert_eq!(pairs(&heard(&server)), [("C", "hello"), ("C", "and now?")]);
    server.taken(&says("C", "hello again")).await;
    assert!(!events.agent_message().await.1.superseded);
}

#[tokio::test]
async fn parameters_set_while_a_human_owns_ride_on_the_first_message_after_the_handback() {
    let server = TestServer::start().await;
    state(&server.say("C", "m-1", "hello").await);
    hand_over(&server, "t-1", Owner::Human, "").await;
    let kept = server
        .set("C", "u", vec![parameter("tier", "gold", false)])
        .await;
    assert_eq!(kept.expect("an update").delivery, None);
    hand_over(&server, "t-2", Owner::Agent, "").await;
    state(&server.say("C", "m-2", "and now?").await);
    let seen = server.platform.last_request().json();
    assert_eq!(
        seen["metaData"],
        json!([{ "key": "tier", "value": "gold" }])
    );
}
