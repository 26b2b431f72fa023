//! Checks 42 to 45: how long a session lives.

use std::time::Duration;

use serde_json::json;

use super::support::{BOT, Stage, texts};

const NAMED: &str = r#"
[inactivity]
after = "1h 59m"
text = "Are you still there?"

[[dialogue]]
name = "tell"
default = true
[[dialogue.step]]
reply = "You are {{name}}."
"#;

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

/// A conversation in which the parameter `name` was set.
async fn introduced(script: &str) -> Stage {
    let stage = Stage::script(script).await;
    let body = json!({"text": "hi", "metaData": [{"key": "name", "value": "Ana"}]});
    let said = stage.send("c", "message", body).await;
    assert_eq!(texts(&said), ["You are Ana."]);
    stage
}

fn without_prompt() -> &'static str {
    NAMED
        .split_once("text =")
        .unwrap()
        .1
        .split_once('\n')
        .unwrap()
        .1
}

#[tokio::test]
async fn check_42_a_session_lives_on_one_minute_before_two_hours() {
    let stage = introduced(without_prompt()).await;
    let before = stage.view("c");
    stage.simulator.clock().advance(minutes(119));
    assert_eq!(texts(&stage.say("c", "hi").await), ["You are Ana."]);
    assert_eq!(stage.view("c"), before);
}

#[tokio::test]
async fn check_43_a_session_is_over_one_minute_after_two_hours() {
    let stage = introduced(without_prompt()).await;
    let before = stage.view("c");
    stage.simulator.clock().advance(minutes(121));
    assert_eq!(texts(&stage.say("c", "hi").await), ["You are {{name}}."]);
    let after = stage.view("c");
    assert_ne!(after.internal_id, before.internal_id);
    assert_eq!((before.sessions, after.sessions), (1, 2));
    assert!(after.parameters.is_empty());
}

#[tokio::test]
async fn check_44_a_message_of_the_bot_extends_the_session() {
    let stage = introduced(NAMED).await;
    let before = stage.view("c");
    stage.simulator.clock().advance(minutes(119));
    let webhooks = stage.simulator.wait_for_webhooks(2).await;
    assert_eq!(texts(&webhooks), ["You are Ana.", "Are you still there?"]);
    stage.simulator.clock().advance(minutes(119));
    assert_eq!(texts(&stage.say("c", "hi").await), ["You are Ana."]);
    assert_eq!(stage.view("c").internal_id, before.internal_id);
}

#[tokio::test]
async fn check_45_a_message_after_the_end_opens_a_new_conversation_under_the_same_id() {
    let stage = introduced(without_prompt()).await;
    let before = stage.view("c");
    stage.end("c").await;
    assert_eq!(texts(&stage.say("c", "hi").await), ["You are {{name}}."]);
    let after = stage.view("c");
    assert_ne!(after.internal_id, before.internal_id);
    assert_eq!(after.sessions, 2);
}

#[tokio::test]
async fn the_prompt_is_said_once_for_each_silence_and_not_after_the_end() {
    let stage = introduced(&NAMED.replace("1h 59m", "10m")).await;
    stage.simulator.clock().advance(minutes(11));
    stage.simulator.wait_for_webhooks(2).await;
    stage.simulator.clock().advance(minutes(60));
    stage.simulator.settle(BOT, "c").await;
    assert_eq!(stage.simulator.webhooks().len(), 2);
    stage.say("c", "hi").await;
    stage.simulator.clock().advance(minutes(11));
    stage.simulator.wait_for_webhooks(4).await;
    stage.say("c", "hi").await;
    stage.end("c").await;
    stage.simulator.clock().advance(minutes(60));
    stage.simulator.settle(BOT, "c").await;
    let prompts = stage.receiver.texts();
    let prompts = prompts.iter().filter(|text| text.starts_with("Are you"));
    assert_eq!(prompts.count(), 2);
}

#[tokio::test]
async fn a_metadata_event_neither_opens_nor_extends_a_session() {
    let stage = introduced(without_prompt()).await;
    let metadata = json!({"metaData": [{"key": "name", "value": "Bob"}]});
    stage.simulator.clock().advance(minutes(119));
    stage.send("c", "metadata", metadata.clone()).await;
    stage.simulator.clock().advance(minutes(2));
    assert_eq!(texts(&stage.say("c", "hi").await), ["You are {{name}}."]);
    stage.send("new", "metadata", metadata).await;
    assert_eq!(stage.view("new").sessions, 0);
}

#[tokio::test]
async fn a_bot_that_speaks_unasked_opens_a_session() {
    let stage = Stage::shop().await;
    stage
        .simulator
        .say(BOT, "c", "Your parcel has arrived.")
        .await;
    stage.simulator.settle(BOT, "c").await;
    assert_eq!(stage.receiver.texts(), ["Your parcel has arrived."]);
    assert_eq!(stage.view("c").sessions, 1);
}
