//! Checks 48 to 53: what a dialogue does.

use serde_json::json;

use super::support::{Stage, texts};
use crate::simulate::{ConversationState, SentWebhook};

fn events(webhooks: &[SentWebhook]) -> Vec<&str> {
    let events = webhooks.iter().map(|webhook| webhook.event.as_str());
    events.collect()
}

#[tokio::test]
async fn check_48_three_texts_are_three_webhooks() {
    let stage = Stage::script(
        "[[dialogue]]\nname = \"three\"\ndefault = true\n[[dialogue.step]]\nreplies = [\"one\", \"two\", \"three\"]",
    )
    .await;
    stage.say("c", "go").await;
    assert_eq!(stage.receiver.texts(), ["one", "two", "three"]);
    let ids: Vec<_> = stage.receiver.received();
    let mut ids: Vec<_> = ids
        .iter()
        .map(|w| w.json()["data"]["messageId"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn check_49_a_refused_escalation_is_followed_by_the_fallback() {
    let stage = Stage::shop().await;
    stage.receiver.answer("escalate", 500, "");
    let said = stage.say("c", "a human, please").await;
    assert_eq!(events(&said), ["escalate", "sendMessage"]);
    let expected = "Sorry, nobody is free right now. Please try again later.";
    assert_eq!(texts(&said), [expected]);
    assert_eq!(stage.view("c").state, ConversationState::Active);
}

#[tokio::test]
async fn check_50_an_accepted_escalation_marks_the_conversation_and_says_nothing() {
    let stage = Stage::shop().await;
    let said = stage.say("c", "a human, please").await;
    assert_eq!(events(&said), ["escalate"]);
    let data = &said[0].body["data"];
    let expected =
        json!({"eventType": "escalate", "platformConversationId": "c", "escalateTo": "billing"});
    assert_eq!(data, &expected);
    assert_eq!(stage.view("c").state, ConversationState::Escalated);
}

#[tokio::test]
async fn check_51_a_team_that_is_offline_takes_the_closed_branch() {
    let stage = Stage::shop().await;
    let closed = ["Our billing team is not here at the moment."];
    stage
        .receiver
        .answer("isTeamOnline", 200, r#"{"isOnline":false}"#);
    let said = stage.say("c", "is anyone there?").await;
    assert_eq!(events(&said), ["isTeamOnline", "sendMessage"]);
    assert_eq!(
        said[0].body["data"],
        json!({"eventType": "isTeamOnline", "teamId": "billing"})
    );
    assert_eq!(texts(&said), closed);
    for (status, body) in [
        (200, ""),
        (500, ""),
        (200, "{"),
        (200, r#"{"isOnline":"yes"}"#),
    ] {
        stage.receiver.answer("isTeamOnline", status, body);
        assert_eq!(
            texts(&stage.say("c", "team").await),
            closed,
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn a_team_that_is_online_takes_the_open_branch() {
    let stage = Stage::shop().await;
    stage
        .receiver
        .answer("isTeamOnline", 200, r#"{"isOnline":true}"#);
    let said = stage.say("c", "is anyone there?").await;
    let open = ["Yes, our billing team is here. Say \"human\" and I will connect you."];
    assert_eq!(texts(&said), open);
}

const KEEPS: &str = r#"
[[dialogue]]
name = "act"
words = ["act"]
[[dialogue.step]]
action = "look_up"
parameters = ["known", "unknown", { key = "mail", save_as = "contact", sanitize = true }]
on_failure = "That failed."
[[dialogue.step]]
reply = "k is {{k}}, contact is {{contact}}."

[[dialogue]]
name = "tell"
default = true
[[dialogue.step]]
reply = "k is {{k}}."
"#;

#[tokio::test]
async fn check_52_the_results_of_an_action_are_known_in_its_conversation_only() {
    let stage = Stage::script(KEEPS).await;
    let results = r#"{"results":[{"key":"k","value":"v"}]}"#;
    stage.receiver.answer("action", 200, results);
    let parameters = json!({"known": "x", "mail": "ana@example.org"});
    let body = json!({"text": "act", "metaData": parameters});
    let said = stage.send("c", "message", body).await;
    let action = &said[0].body;
    assert_eq!(action["name"], "look_up");
    assert_eq!(action["platformConversationId"], "c");
    assert_eq!(action["conversationId"], stage.view("c").internal_id);
    let expected = json!([
        {"key": "known", "value": ["x"]},
        {"key": "unknown", "value": []},
        {"key": "mail", "value": ["ana@example.org"], "saveAs": "contact", "sanitize": true},
    ]);
    assert_eq!(action["data"], expected);
    assert_eq!(texts(&said), ["k is v, contact is ana@example.org."]);
    assert_eq!(texts(&stage.say("c", "and now?").await), ["k is v."]);
    assert_eq!(
        texts(&stage.say("other", "and here?").await),
        ["k is {{k}}."]
    );
}

#[tokio::test]
async fn check_53_an_action_that_is_answered_empty_changes_nothing() {
    let stage = Stage::script(KEEPS).await;
    stage.say("c", "hello").await;
    let before = stage.view("c");
    for empty in ["", r#"{"results":[]}"#, "{}", "null"] {
        stage.receiver.answer("action", 200, empty);
        let said = stage.say("c", "act").await;
        assert_eq!(
            texts(&said),
            ["k is {{k}}, contact is {{contact}}."],
            "{empty}"
        );
    }
    assert_eq!(stage.view("c"), before);
}

#[tokio::test]
async fn an_action_that_fails_says_so_and_ends_the_dialogue() {
    let stage = Stage::script(KEEPS).await;
    for (status, body) in [
        (500, ""),
        (400, ""),
        (200, "{"),
        (200, "[]"),
        (200, r#"{"results":5}"#),
    ] {
        stage.receiver.answer("action", status, body);
        let said = stage.say("c", "act").await;
        assert_eq!(texts(&said), ["That failed."], "{status} {body}");
    }
}

#[tokio::test]
async fn actions_go_to_their_own_url_if_there_is_one() {
    let stage = Stage::shop().await;
    let url = format!("{}/actions", stage.receiver.url);
    stage
        .simulator
        .set_action_url(super::support::BOT, Some(&url));
    stage.say("c", "Track my parcel").await;
    let received = stage.receiver.received();
    let paths: Vec<_> = received
        .iter()
        .map(|webhook| webhook.uri.as_str())
        .collect();
    assert_eq!(paths, ["/webhooks/demo/actions", "/webhooks/demo"]);
}
