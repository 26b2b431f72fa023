//! What the platform sees.

use parloir_client::v1::{Choice, DeliveryState, StartConversationRequest};
use serde_json::{Value, json};

use crate::support::{
    server::{ACCOUNT, BOT, KEY, TestServer, Wishes, parameter, state},
    webhook::{chat, says},
};

fn start(parameters: Vec<parloir_client::v1::Parameter>) -> StartConversationRequest {
    StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "start".to_owned(),
        parameters,
        ..StartConversationRequest::default()
    }
}

fn choice(label: &str, card_index: Option<i32>) -> Choice {
    Choice {
        label: label.to_owned(),
        card_index,
        event_id: String::new(),
    }
}

#[tokio::test]
async fn check_01_02_a_start_is_one_post_of_the_id_with_the_bare_key_and_the_bot_id() {
    let server = TestServer::start().await;
    let started = server.client.start_conversation(start(vec![])).await;
    let delivery = started.expect("a start").delivery.expect("a delivery");
    assert_eq!(delivery.state(), DeliveryState::Delivered);
    let requests = server.platform.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/converse/chat")
    );
    let expected = json!({ "platformConversationId": "C", "eventType": "startSession" });
    assert_eq!(request.json(), expected);
    assert_eq!(request.headers["authorization"].as_bytes(), KEY.as_bytes());
    assert_eq!(request.header("botid"), BOT);
    assert_eq!(request.header("content-type"), "application/json");
}

#[tokio::test]
async fn check_03_04_the_path_of_the_base_url_is_kept() {
    for (base_path, path) in [
        ("", "/converse/chat"),
        ("/ai-agents/api", "/ai-agents/api/converse/chat"),
        ("/ai-agents/api/", "/ai-agents/api/converse/chat"),
    ] {
        let server = TestServer::start_with(Wishes {
            base_path,
            ..Wishes::default()
        })
        .await;
        server.say("C", "m", "hi").await.expect("a message");
        assert_eq!(server.platform.last_request().path, path);
    }
}

#[tokio::test]
async fn check_05_07_words_and_a_pressed_button_are_messages_with_that_text() {
    let server = TestServer::start().await;
    server.say("C", "m-1", "hi").await.expect("a message");
    let expected = json!({ "platformConversationId": "C", "eventType": "message", "text": "hi" });
    assert_eq!(server.platform.last_request().json(), expected);
    let pressed = server.choose("C", "m-2", choice("Track it", None)).await;
    assert_eq!(state(&pressed), DeliveryState::Delivered);
    let body = server.platform.last_request().json();
    assert_eq!(
        (&body["text"], body.get("cardIndex")),
        (&json!("Track it"), None)
    );
}

#[tokio::test]
async fn check_08_09_a_button_on_a_card_carries_the_cards_index_from_zero() {
    let server = TestServer::start().await;
    for index in [0, 1] {
        let id = format!("m-{index}");
        let pressed = server.choose("C", &id, choice("Choose", Some(index))).await;
        assert_eq!(state(&pressed), DeliveryState::Delivered);
        let body = server.platform.last_request().json();
        assert_eq!(
            (&body["text"], &body["cardIndex"]),
            (&json!("Choose"), &json!(index))
        );
    }
}

#[tokio::test]
async fn a_button_that_the_agent_offered_can_be_pressed_by_naming_its_message() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let fields =
        r#""eventType":"sendMessage","text":"?","buttons":[{"type":"button","text":"Yes"}]"#;
    server.taken(&chat("C", fields)).await;
    let (_, event) = events.agent_message().await;
    let pressed = Choice {
        event_id: event.event_id,
        ..choice("Yes", None)
    };
    let pressed = server.choose("C", "m", pressed).await;
    assert_eq!(state(&pressed), DeliveryState::Delivered);
    assert_eq!(server.platform.last_request().json()["text"], "Yes");
}

#[tokio::test]
async fn check_11_12_parameters_are_a_list_of_keys_and_text_values() {
    let server = TestServer::start().await;
    server.say("C", "m", "hi").await.expect("a message");
    let parameters = vec![
        parameter("count", "5", false),
        parameter("vip", "true", false),
    ];
    server.set("C", "u", parameters).await.expect("an update");
    let expected = json!({
        "platformConversationId": "C", "eventType": "metadata",
        "metaData": [{ "key": "count", "value": "5" }, { "key": "vip", "value": "true" }],
    });
    assert_eq!(server.platform.last_request().json(), expected);
}

#[tokio::test]
async fn check_14_only_a_personal_parameter_is_marked() {
    let server = TestServer::start().await;
    let parameters = vec![
        parameter("email", "ana@example.org", true),
        parameter("tier", "gold", false),
    ];
    let started = server.client.start_conversation(start(parameters)).await;
    started.expect("a start");
    let expected = json!([
        { "key": "email", "value": "ana@example.org", "sanitize": true },
        { "key": "tier", "value": "gold" },
    ]);
    assert_eq!(server.platform.last_request().json()["metaData"], expected);
}

#[tokio::test]
async fn check_15_17_an_end_is_the_id_and_its_event_type_whatever_parameters_were_set() {
    let server = TestServer::start().await;
    server.say("C", "m", "hi").await.expect("a message");
    let parameters = vec![parameter("tier", "gold", false)];
    server.set("C", "u", parameters).await.expect("an update");
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    let expected = json!({ "platformConversationId": "C", "eventType": "endSession" });
    assert_eq!(server.platform.last_request().json(), expected);
    let seen = server.platform.requests().len();
    server
        .client
        .end(ACCOUNT, "C", "e-2")
        .await
        .expect("an end");
    assert_eq!(
        server.platform.requests().len(),
        seen,
        "there was nothing to end"
    );
}

#[tokio::test]
async fn check_31_a_replaced_key_is_used_without_a_restart() {
    let server = TestServer::start().await;
    server.say("C", "m-1", "hi").await.expect("a message");
    std::fs::write(server.path("api-key"), "another-key").expect("a writable file");
    server.say("C", "m-2", "hi").await.expect("a message");
    let keys: Vec<_> = server.platform.requests();
    let keys: Vec<_> = keys
        .iter()
        .map(|request| request.header("authorization"))
        .collect();
    assert_eq!(keys, [KEY, "another-key"]);
}

#[tokio::test]
async fn check_32_each_bot_is_named_with_its_own_key() {
    let other = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(other.path(), "other-key").expect("a writable file");
    let elsewhere = crate::support::platform::FakeServer::start().await;
    let end = format!(
        r#"
        [[agents]]
        name = "other"
        [agents.platform.zendesk]
        bot_id = "other-bot"
        base_url = "{}"
        api_key = {{ file = "{}" }}

        [[accounts]]
        name = "other"
        agent = "other"
        "#,
        elsewhere.url(),
        other.path().display()
    );
    let server = TestServer::start_with(Wishes {
        end,
        ..Wishes::default()
    })
    .await;
    server.say("C", "m", "hi").await.expect("a message");
    let there = server.client.say("other", "C", "m", "hi").await;
    assert_eq!(state(&there), DeliveryState::Delivered);
    for (platform, bot, key) in [
        (&server.platform, BOT, KEY),
        (&elsewhere, "other-bot", "other-key"),
    ] {
        let requests = platform.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].header("botid"), bot);
        assert_eq!(requests[0].header("authorization"), key);
    }
}

#[tokio::test]
async fn after_the_agent_spoke_the_visitors_words_go_into_the_same_conversation() {
    let server = TestServer::start().await;
    server.taken(&says("C", "Welcome")).await;
    server.say("C", "m", "hi").await.expect("a message");
    let id = &server.platform.last_request().json()["platformConversationId"];
    assert_eq!(id, &Value::from("C"));
}
