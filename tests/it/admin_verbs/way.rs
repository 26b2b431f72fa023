//! The whole way: from an agent's file to a visitor's talk, a new key, and the record of it all.

use parloir_client::{
    Subscription,
    v1::{DeliveryState, StartConversationRequest},
};
use serde_json::json;

use super::stage::{ACCOUNT, AGENT, BOT, FIRST_KEY, Stage};
use crate::support::{events::Events, server::state};

const NEXT_KEY: &str = "second-key-of-the-bot";

#[tokio::test]
async fn an_agent_is_made_tested_resumed_talked_to_given_a_new_key_and_all_of_it_is_on_record() {
    let stage = Stage::start().await;
    let mut said = String::new();

    let file = stage.agent_file();
    let file = file.to_str().expect("text");
    let made = stage
        .object(&["agents", "create", "--file", file, "--paused"])
        .await;
    assert_eq!(
        (&made["name"], &made["paused"], &made["origin"]),
        (&json!(AGENT), &json!(true), &json!("ORIGIN_ADMIN"))
    );
    assert_eq!(made["secrets"][0]["path"], "platform.zendesk.api_key");
    said.push_str(&made.to_string());

    said.push_str(&tested(&stage).await);
    stage.done(&["agents", "resume", AGENT]).await;
    stage
        .done(&["accounts", "create", ACCOUNT, "--agent", AGENT])
        .await;
    talks(&stage, "before").await;

    stage.simulator.set_key(BOT, NEXT_KEY);
    let path = "platform.zendesk.api_key=-";
    let rotate = ["secrets", "rotate", "--agent", AGENT, "--secret", path];
    let rotated = stage.typed(&rotate, &format!("{NEXT_KEY}\n")).await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    said.push_str(&rotated.out);
    talks(&stage, "after").await;

    let acts = stage.objects(&["audit"]).await;
    let acts: Vec<_> = acts.iter().rev().collect();
    let actions: Vec<_> = acts.iter().map(|act| act["action"].as_str()).collect();
    let expected = [
        "CreateAgent",
        "TestAgent",
        "TestAgent",
        "ResumeAgent",
        "CreateAccount",
        "RotateSecret",
    ];
    assert_eq!(actions, expected.map(Some));
    assert!(acts.iter().all(|act| act["outcome"] == "OUTCOME_DONE"));
    assert_eq!(acts[5]["target"], "agents/care");
    assert_eq!(acts[5]["detail"]["path"], "platform.zendesk.api_key");
    said.push_str(&stage.done(&["audit"]).await);
    said.push_str(&stage.done(&["agents", "get", AGENT]).await);
    for key in [FIRST_KEY, NEXT_KEY] {
        assert!(!said.contains(key), "{said}");
    }
    let intact = stage.object(&["audit", "verify"]).await;
    assert_eq!(
        (&intact["intact"], &intact["entries"]),
        (&json!(true), &json!(6))
    );
}

/// With a key that the platform refuses, and with the right one.
async fn tested(stage: &Stage) -> String {
    stage.simulator.set_key(BOT, "another-key");
    let refused = stage
        .run(&["agents", "test", AGENT, "--output", "json"])
        .await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.out.contains("VERDICT_CREDENTIALS_REFUSED"),
        "{refused:?}"
    );
    stage.simulator.set_key(BOT, FIRST_KEY);
    let taken = stage.object(&["agents", "test", AGENT]).await;
    assert_eq!(taken["verdict"], "VERDICT_CREDENTIALS_OK");
    format!("{refused:?}{taken}")
}

/// A visitor talks, and the agent answers.
async fn talks(stage: &Stage, conversation: &str) {
    let client = stage.client();
    let mut events = Events::new(client.subscribe(Subscription::new().from_latest()));
    // It is there once it has said something.
    events.item().await;
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: conversation.to_owned(),
        command_id: format!("start-{conversation}"),
        ..StartConversationRequest::default()
    };
    client.start_conversation(start).await.expect("started");
    let id = format!("message-{conversation}");
    let sent = client.say(ACCOUNT, conversation, &id, "hello").await;
    assert_eq!(state(&sent), DeliveryState::Delivered);
    let (answer, event) = events.agent_message().await;
    assert_eq!(
        (&*answer.text, &*event.conversation_id),
        ("I see.", conversation)
    );
}
