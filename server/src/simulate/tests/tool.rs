//! What tests and people use: bases, keys, records, the shop's conversation, webhooks that fail.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::support::{BOT, KEY, OTHER_BOT, OTHER_KEY, Stage, texts};
use crate::simulate::{Bot, Fault, Settings, Simulator, StartError, WebhookAnswer};

fn hello(conversation: &str) -> Value {
    json!({"platformConversationId": conversation, "eventType": "message", "text": "hello"})
}

#[tokio::test]
async fn both_bases_are_served_and_other_paths_are_not() {
    let stage = Stage::shop().await;
    let expected = [
        ("/converse/chat", 200),
        ("/ai-agents/api/converse/chat", 200),
        ("/chat/converse", 404),
    ];
    for (path, status) in expected {
        let url = format!("{}{path}", stage.simulator.base_url());
        let request = stage.client.post(url).body(hello("c").to_string());
        let request = request.header("Authorization", KEY).header("botid", BOT);
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
    let paths = stage.simulator.requests();
    let paths: Vec<_> = paths.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, expected.map(|(path, _)| path));
}

#[tokio::test]
async fn a_replaced_key_is_void_at_once() {
    let stage = Stage::shop().await;
    stage.simulator.set_key(BOT, "new-key");
    assert_eq!(stage.post(hello("c")).await, 401);
    let new = [("Authorization", "new-key"), ("botid", BOT)];
    let answer = stage.request(&new, &hello("c")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn two_bots_hold_conversations_of_one_id_apart() {
    let stage = Stage::shop().await;
    let other = [("Authorization", OTHER_KEY), ("botid", OTHER_BOT)];
    assert_eq!(stage.post(hello("c")).await, 200);
    stage.request(&other, &hello("c")).send().await.unwrap();
    stage.simulator.settle(BOT, "c").await;
    stage.simulator.settle(OTHER_BOT, "c").await;
    let of = |bot| stage.simulator.conversation(bot, "c").unwrap().internal_id;
    assert_ne!(of(BOT), of(OTHER_BOT));
    let mut bots: Vec<_> = stage.simulator.webhooks();
    bots.sort_by(|a, b| a.bot_id.cmp(&b.bot_id));
    let bots: Vec<_> = bots.iter().map(|webhook| webhook.bot_id.as_str()).collect();
    assert_eq!(bots, [BOT, OTHER_BOT]);
}

#[tokio::test]
async fn the_record_tells_requests_that_overlap_from_those_that_do_not() {
    let stage = Stage::shop().await;
    let hour = Duration::from_hours(1);
    stage.simulator.faults().set(Fault::latency(hour));
    let held = [stage.post(hello("a")), stage.post(hello("b"))];
    let moved = async {
        stage.simulator.wait_for_requests(2).await;
        stage.simulator.faults().clear();
        stage.simulator.clock().advance(hour);
    };
    tokio::join!(futures_util::future::join_all(held), moved);
    stage.post(hello("c")).await;
    let seen = stage.simulator.requests();
    assert!(seen[0].overlaps(&seen[1]) && seen[1].overlaps(&seen[0]));
    assert!(!seen[1].overlaps(&seen[2]) && !seen[2].overlaps(&seen[0]));
    assert_eq!(seen[2].header("botid"), Some(BOT));
    assert_eq!(seen[2].conversation_id().as_deref(), Some("c"));
    assert_eq!(seen[2].event_type().as_deref(), Some("message"));
    assert_eq!(seen[2].text().as_deref(), Some("hello"));
}

#[tokio::test]
async fn the_record_forgets_the_oldest() {
    let stage = Stage::set(|settings| settings.kept = 2).await;
    for id in ["a", "b", "c"] {
        stage.post(hello(id)).await;
    }
    let seen = stage.simulator.wait_for_answers(3).await;
    let seen: Vec<_> = seen.iter().map(|seen| (seen.number, seen.status)).collect();
    assert_eq!(seen, [(1, Some(200)), (2, Some(200))]);
}

#[tokio::test]
async fn a_message_whose_webhook_fails_is_not_sent_again_unless_told() {
    let stage = Stage::shop().await;
    stage.receiver.answer("sendMessage", 500, "");
    stage.say("c", "hello").await;
    assert_eq!(stage.receiver.received().len(), 1);
    let stage = Stage::set(|settings| settings.webhook_retries = 1).await;
    stage.receiver.answer("sendMessage", 500, "");
    stage.post(hello("c")).await;
    stage.simulator.wait_for_webhooks(1).await;
    // Until the second attempt, as the pause may begin a moment after the first was recorded.
    while stage.simulator.webhooks().len() < 2 {
        stage.simulator.clock().advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    stage.simulator.settle(BOT, "c").await;
    let received = stage.receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn a_webhook_without_an_answer_in_time_has_failed() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limit = Duration::from_millis(50);
    let stage = Stage::set(|settings| settings.webhook_timeout = limit).await;
    let url = format!("http://{}", silent.local_addr().unwrap());
    stage.simulator.set_webhook_url(BOT, &url);
    let said = stage.say("c", "human").await;
    let answers: Vec<_> = said.iter().map(|webhook| &webhook.answer).collect();
    assert_eq!(said[0].event, "escalate");
    assert!(
        matches!(answers[0], WebhookAnswer::Failed(_)),
        "{answers:?}"
    );
    drop(silent);
    let said = stage.say("c", "hello").await;
    let WebhookAnswer::Failed(why) = &said[0].answer else {
        panic!("{said:?}");
    };
    assert!(why.contains("refused"), "{why}");
}

#[tokio::test]
async fn messages_of_one_conversation_are_answered_in_their_order() {
    let stage = Stage::shop().await;
    stage.receiver.answer(
        "action",
        200,
        r#"{"results":[{"key":"order_status","value":"packed"}]}"#,
    );
    for text in ["Track my parcel", "hello", "Show mugs"] {
        let body = json!({"platformConversationId": "c", "eventType": "message", "text": text});
        assert_eq!(stage.post(body).await, 200);
    }
    stage.simulator.settle(BOT, "c").await;
    let kinds = stage.receiver.received();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|received| received.json()["data"]["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [Value::Null, json!("text"), json!("text"), json!("carousel")]
    );
}

#[tokio::test]
async fn the_shop_plays_the_conversation_of_the_demo() {
    let stage = Stage::shop().await;
    stage
        .send(
            "c",
            "startSession",
            json!({"metaData": [{"key": "order_number", "value": "B-7"}]}),
        )
        .await;
    let said = stage.say("c", "I have a question").await;
    let expected = json!([{"type": "button", "text": "Track my parcel"}, {"type": "button", "text": "Show mugs"}]);
    assert_eq!(said[0].body["data"]["buttons"], expected);
    stage.receiver.answer(
        "action",
        200,
        r#"{"results":[{"key":"order_status","value":"on its way"}]}"#,
    );
    let said = stage.say("c", "Track my parcel").await;
    assert_eq!(said[0].body["name"], "fetch_order");
    assert_eq!(
        said[0].body["data"],
        json!([{"key": "order_number", "value": ["B-7"]}])
    );
    assert_eq!(said[1].text(), Some("Your order B-7 is on its way."));
    let said = stage.say("c", "Show mugs").await;
    let data = &said[0].body["data"];
    assert_eq!(
        (&data["type"], &data["text"]),
        (&json!("carousel"), &json!(""))
    );
    let cards = data["carouselCards"].as_array().unwrap();
    assert_eq!(cards.len(), 3);
    assert_eq!(cards[0]["imageUrl"], "https://shop.example.org/blue.png");
    assert_eq!(cards[2].get("description"), None);
    assert_eq!(
        cards[2]["buttons"][1]["link"],
        "https://shop.example.org/green"
    );
    for (card, mug) in ["Blue", "Red", "Green"].into_iter().enumerate() {
        let said = stage
            .send("c", "message", json!({"text": "Choose", "cardIndex": card}))
            .await;
        assert_eq!(texts(&said), [format!("You chose the {mug} mug.")]);
    }
    let said = stage.say("c", "blah").await;
    assert_eq!(texts(&said), ["Sorry, I did not understand that."]);
}

#[tokio::test]
async fn a_bot_that_ends_the_session_begins_a_new_one_with_the_next_message() {
    let stage = Stage::shop().await;
    stage.say("c", "hello").await;
    let before = stage.view("c").internal_id;
    assert_eq!(texts(&stage.say("c", "bye").await), ["Goodbye!"]);
    stage.say("c", "hello").await;
    assert_ne!(stage.view("c").internal_id, before);
}

#[tokio::test]
async fn a_bot_thinks_for_the_reply_delay() {
    let hour = Duration::from_hours(1);
    let stage = Stage::set(|settings| settings.reply_delay = hour).await;
    stage.post(hello("c")).await;
    assert_eq!(stage.simulator.webhooks().len(), 0);
    while stage.simulator.webhooks().is_empty() {
        stage.simulator.clock().advance(hour);
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.receiver.texts().len(), 1);
}

#[tokio::test]
async fn two_bots_with_one_id_do_not_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bot = Bot::new(BOT, KEY, "http://127.0.0.1:1");
    let settings = Settings::new(vec![bot.clone(), bot]);
    let error = Simulator::start(settings, listener).unwrap_err();
    assert!(matches!(error, StartError::TwoBots(id) if id == BOT));
}

#[tokio::test]
async fn a_stopped_simulator_leaves_nothing_open() {
    let stage = Stage::shop().await;
    let address = stage.simulator.local_addr();
    stage.post(hello("c")).await;
    stage.simulator.stop().await;
    // The address is free again.
    TcpListener::bind(address).await.unwrap();
}

#[test]
fn keys_and_secrets_do_not_show_in_debug_output() {
    let bot = Bot::new(BOT, KEY, "http://127.0.0.1:1");
    let shown = format!("{bot:?}");
    assert!(shown.contains(BOT) && !shown.contains(KEY));
}
