//! Checks 33 to 41, 46 and 47: what is answered to a request.

use serde_json::{Value, json};

use super::support::{BOT, KEY, OTHER_BOT, OTHER_KEY, Stage, texts};

fn start(conversation: &str) -> Value {
    json!({"platformConversationId": conversation, "eventType": "startSession"})
}

async fn status(stage: &Stage, headers: &[(&str, &str)], body: &Value) -> u16 {
    let answer = stage.request(headers, body).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn check_33_a_request_without_the_key_or_with_a_wrong_one_is_refused() {
    let stage = Stage::shop().await;
    assert_eq!(status(&stage, &[("botid", BOT)], &start("c")).await, 401);
    for key in ["wrong", "Bearer 2f7c0d7be0a94d5f8a6f", ""] {
        let headers = [("Authorization", key), ("botid", BOT)];
        assert_eq!(status(&stage, &headers, &start("c")).await, 401, "{key}");
    }
    let without_bot = [("Authorization", KEY)];
    assert_eq!(status(&stage, &without_bot, &start("c")).await, 401);
    assert_eq!(stage.simulator.conversation(BOT, "c"), None);
}

#[tokio::test]
async fn check_34_the_key_of_one_bot_does_not_open_another() {
    let stage = Stage::shop().await;
    let crossed = [("Authorization", KEY), ("botid", OTHER_BOT)];
    assert_eq!(status(&stage, &crossed, &start("c")).await, 401);
    let right = [("Authorization", OTHER_KEY), ("botid", OTHER_BOT)];
    assert_eq!(status(&stage, &right, &start("c")).await, 200);
}

#[tokio::test]
async fn check_35_an_unknown_bot_is_not_found_or_unauthorized_by_switch() {
    let unknown = [
        ("Authorization", KEY),
        ("botid", "65f0c1a2b3d4e5f607182999"),
    ];
    let stage = Stage::shop().await;
    assert_eq!(status(&stage, &unknown, &start("c")).await, 404);
    let stage = Stage::set(|settings| settings.unknown_bot_is_unauthorized = true).await;
    assert_eq!(status(&stage, &unknown, &start("c")).await, 401);
}

#[tokio::test]
async fn check_36_an_event_type_that_does_not_exist_is_refused() {
    let stage = Stage::shop().await;
    for event in [
        json!("typing"),
        json!("STARTSESSION"),
        json!(7),
        Value::Null,
    ] {
        let body = json!({"platformConversationId": "c", "eventType": event});
        assert_eq!(stage.post(body).await, 400, "{event}");
    }
}

#[tokio::test]
async fn check_37_a_request_without_a_conversation_is_refused() {
    let stage = Stage::shop().await;
    for id in [Value::Null, json!(""), json!(5)] {
        let body = json!({"platformConversationId": id, "eventType": "startSession"});
        assert_eq!(stage.post(body).await, 400, "{id}");
    }
    assert_eq!(stage.post(json!({"eventType": "startSession"})).await, 400);
    assert_eq!(stage.post(json!([1])).await, 400);
}

#[tokio::test]
async fn check_38_a_message_without_text_is_refused_or_ignored_by_switch() {
    let message = json!({"platformConversationId": "c", "eventType": "message"});
    let blank = json!({"platformConversationId": "c", "eventType": "message", "text": "  "});
    let stage = Stage::shop().await;
    assert_eq!(stage.post(message.clone()).await, 400);
    assert_eq!(stage.post(blank).await, 400);
    let stage = Stage::set(|settings| settings.ignore_blank_messages = true).await;
    assert_eq!(stage.post(message).await, 200);
    assert_eq!(stage.simulator.conversation(BOT, "c"), None);
}

#[tokio::test]
async fn check_39_a_start_is_acknowledged_empty_and_welcomed_by_one_webhook() {
    let stage = Stage::shop().await;
    let headers = [("Authorization", KEY), ("botid", BOT)];
    let answer = stage.request(&headers, &start("c")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "");
    stage.simulator.settle(BOT, "c").await;
    let received = stage.receiver.received();
    assert_eq!(received.len(), 1);
    let payload = received[0].json();
    assert_eq!(payload["botId"], BOT);
    assert_eq!(payload["channel"], "chat");
    let data = &payload["data"];
    assert_eq!(data["eventType"], "sendMessage");
    assert_eq!(data["platformConversationId"], "c");
    assert_eq!(data["type"], "text");
    assert_eq!(
        data["text"],
        "Welcome to the mug shop! What can I do for you?"
    );
    assert_eq!(
        (&data["buttons"], &data["carouselCards"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(data["messageId"].as_str().unwrap().len(), 24);
    assert_eq!(data["replyId"].as_str().unwrap().len(), 24);
    assert!(data["confidence"].is_number());
}

#[tokio::test]
async fn check_40_a_second_start_resumes_the_conversation() {
    let stage = Stage::shop().await;
    let welcome = stage.send("c", "startSession", json!({})).await;
    assert_eq!(welcome.len(), 1);
    let first = stage.view("c");
    assert_eq!(stage.send("c", "startSession", json!({})).await.len(), 0);
    assert_eq!(stage.view("c"), first);
    assert_eq!(first.sessions, 1);
}

#[tokio::test]
async fn check_41_a_message_without_a_start_opens_the_session_and_is_answered() {
    let stage = Stage::shop().await;
    let said = stage.say("c", "hello").await;
    let expected = ["I can look up your parcel, or show you what we sell."];
    assert_eq!(texts(&said), expected);
    assert_eq!(stage.receiver.texts(), expected);
    assert_eq!(stage.view("c").sessions, 1);
}

#[tokio::test]
async fn check_46_every_name_and_shape_of_parameters_is_stored_and_counted() {
    let stage = Stage::shop().await;
    stage.say("c", "hello").await;
    let mut number = 0;
    for name in ["metaData", "metadata", "meta_data"] {
        for shape in ["array", "object", "map"] {
            number += 1;
            let (key, value) = (format!("k{number}"), format!("v{number}"));
            let parameters = match shape {
                "array" => json!([{"key": key, "value": value, "sanitize": true}]),
                "object" => json!({"key": key, "value": value}),
                _ => json!({key: value}),
            };
            stage.send("c", "metadata", json!({name: parameters})).await;
        }
    }
    let parameters = stage.view("c").parameters;
    for number in 1..=9 {
        assert_eq!(parameters[&format!("k{number}")], format!("v{number}"));
    }
    let variants = stage.simulator.metadata_variants();
    assert_eq!(variants.len(), 9);
    assert!(variants.values().all(|count| *count == 1));
    assert!(variants.contains_key("meta_data/map"));
}

#[tokio::test]
async fn parameters_that_the_platform_would_refuse_are_refused() {
    let stage = Stage::shop().await;
    let wrong = [
        json!([{"key": "k", "value": 5}]),
        json!([{"key": "", "value": "v"}]),
        json!([{"key": "chatTranscript", "value": "v"}]),
        json!(["k"]),
        json!("k"),
    ];
    for parameters in wrong {
        let mut body = start("c");
        body["metaData"] = parameters;
        assert_eq!(stage.post(body.clone()).await, 400, "{body}");
    }
}

#[tokio::test]
async fn check_47_text_that_comes_with_a_start_is_ignored() {
    let stage = Stage::shop().await;
    let said = stage
        .send("c", "startSession", json!({"text": "hello"}))
        .await;
    assert_eq!(
        texts(&said),
        ["Welcome to the mug shop! What can I do for you?"]
    );
}
