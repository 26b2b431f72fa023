//! What is personal is flagged to the platform, on every way to it.

use parloir_client::v1::{
    ActionResults, EndConversationRequest, Parameter, SendMessageRequest, StartConversationRequest,
    TransferConversationRequest, respond_to_agent_request::Answer, send_message_request::Content,
};
use serde_json::{Value, json};

use crate::support::{
    questions::{action_requested, ask, reply, respond},
    server::{ACCOUNT, TestServer, Wishes, message, parameter},
    webhook::action,
};

/// One that is flagged, one that always is, and one that is not.
fn three(value: &str) -> Vec<Parameter> {
    vec![
        parameter("diagnosis", value, true),
        parameter("Email", value, false),
        parameter("tier", "gold", false),
    ]
}

fn flagged(value: &str) -> Value {
    json!([
        { "key": "diagnosis", "value": value, "sanitize": true },
        { "key": "Email", "value": value, "sanitize": true },
        { "key": "tier", "value": "gold" },
    ])
}

fn last(server: &TestServer) -> Value {
    server.platform.last_request().json()
}

async fn start(server: &TestServer, command: &str, parameters: Vec<Parameter>) {
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: command.to_owned(),
        parameters,
        ..StartConversationRequest::default()
    };
    server
        .client
        .start_conversation(start)
        .await
        .expect("starts");
}

#[tokio::test]
async fn parameters_of_starts_messages_and_updates_are_flagged_kept_or_not() {
    let server = TestServer::start().await;
    start(&server, "s-1", three("one")).await;
    assert_eq!(last(&server)["metaData"], flagged("one"));
    let said = SendMessageRequest {
        content: Some(Content::Text("hello".to_owned())),
        parameters: three("two"),
        ..message("C", "m-1")
    };
    server.client.send_message(said).await.expect("taken");
    assert_eq!(last(&server)["metaData"], flagged("two"));
    server.set("C", "u-1", three("three")).await.expect("set");
    assert_eq!(last(&server)["metaData"], flagged("three"));

    let end = EndConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "e-1".to_owned(),
        ..EndConversationRequest::default()
    };
    server.client.end_conversation(end).await.expect("ended");
    let before = server.platform.requests().len();
    server.set("C", "u-2", three("four")).await.expect("kept");
    assert_eq!(server.platform.requests().len(), before, "it is kept");
    server.say("C", "m-2", "again").await.expect("taken");
    assert_eq!(last(&server)["metaData"], flagged("four"));
}

#[tokio::test]
async fn answers_fallbacks_and_notes_are_flagged() {
    let server = TestServer::start_with(Wishes {
        agent: "[[agents.actions]]\nname = \"fetch\"\n[[agents.actions]]\nname = \"late\"\n\
            time_limit = \"50ms\"\nresults = { phone = \"555\", tier = \"gold\" }",
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let asked = ask(&server, &action("C", "fetch"));
    let request = action_requested(&mut events).await.request_id;
    let results = ActionResults {
        results: three("five"),
    };
    let given = respond(&server, &request, "crm", Answer::ActionResults(results)).await;
    given.expect("accepted");
    let told: Value = serde_json::from_str(&reply(asked).await.body).expect("JSON");
    assert_eq!(told["results"], flagged("five"));

    let fallback = reply(ask(&server, &action("C", "late"))).await;
    let told: Value = serde_json::from_str(&fallback.body).expect("JSON");
    assert_eq!(
        told["results"],
        json!([
            { "key": "phone", "value": "555", "sanitize": true },
            { "key": "tier", "value": "gold" },
        ])
    );

    for (to, note) in [(2, ""), (1, "she is allergic")] {
        let transfer = TransferConversationRequest {
            account: ACCOUNT.to_owned(),
            conversation_id: "C".to_owned(),
            command_id: format!("t-{to}"),
            to,
            note: note.to_owned(),
            ..TransferConversationRequest::default()
        };
        server
            .client
            .transfer_conversation(transfer)
            .await
            .expect("transferred");
    }
    server.say("C", "m-1", "hello").await.expect("taken");
    assert_eq!(
        last(&server)["metaData"],
        json!([{ "key": "handback_note", "value": "she is allergic", "sanitize": true }])
    );
}

#[tokio::test]
async fn what_is_always_personal_is_a_setting() {
    let server = TestServer::start_with(Wishes {
        agent: "always_personal = [\"TIER\"]",
        ..Wishes::default()
    })
    .await;
    start(&server, "s-1", three("one")).await;
    assert_eq!(
        last(&server)["metaData"],
        json!([
            { "key": "diagnosis", "value": "one", "sanitize": true },
            { "key": "Email", "value": "one" },
            { "key": "tier", "value": "gold", "sanitize": true },
        ])
    );
}
