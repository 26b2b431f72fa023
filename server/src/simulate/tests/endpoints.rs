//! Tickets, the widget and deletions: what is asked of them, and what comes back by webhook.

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::support::{BOT, KEY, OTHER_BOT, Received, Stage, texts};
use crate::simulate::{ConversationState, Fault, Organization, SeenRequest};

const TICKET: &str = "/converse/ticket";
const WIDGET: &str = "/agent/converse/send-message-to-widget";
const DELETE: &str = "/gdpr/delete-user-data";

/// Posts with the first bot's key and id, unless these headers say otherwise; the status.
async fn post(
    stage: &Stage,
    path: &str,
    headers: &[(&'static str, &'static str)],
    body: &Value,
) -> u16 {
    let mut all = HeaderMap::new();
    for (name, value) in [("authorization", KEY), ("botid", BOT)]
        .iter()
        .chain(headers)
    {
        all.insert(*name, HeaderValue::from_static(value));
    }
    let url = format!("{}{path}", stage.simulator.base_url());
    let request = stage.client.post(url).headers(all).body(body.to_string());
    request.send().await.unwrap().status().as_u16()
}

fn ticket(text: &str) -> Value {
    json!({"platformConversationId": "t-1", "text": text, "platform": "PUBLIC_API"})
}

#[tokio::test]
async fn a_ticket_is_answered_by_one_reply_with_all_that_its_dialogue_says() {
    let stage = Stage::script(
        r#"
        [[dialogue]]
        name = "refund"
        words = ["charged twice"]
        [[dialogue.step]]
        replies = ["Sorry, {{customer}}.", "Your refund was issued."]
        [[dialogue.step]]
        action = "refund"
        on_failure = "I could not refund it."
        [[dialogue.step]]
        reply = "It is number {{refund}}."
        "#,
    )
    .await;
    stage.receiver.answer(
        "action",
        200,
        r#"{"results":[{"key":"refund","value":"7"}]}"#,
    );
    let mut body = ticket("I was charged twice");
    body["metaData"] = json!([{"key": "customer", "value": "Ana", "sanitize": true}]);
    assert_eq!(post(&stage, TICKET, &[], &body).await, 200);
    stage.simulator.settle(BOT, "t-1").await;
    let said = stage.simulator.webhooks();
    let kinds: Vec<_> = said.iter().map(|webhook| webhook.event.as_str()).collect();
    assert_eq!(kinds, ["action", "ticket"]);
    let reply = &said[1].body;
    assert_eq!(
        reply["text"],
        "Sorry, Ana.\n\nYour refund was issued.\n\nIt is number 7."
    );
    assert_eq!(said[1].text(), reply["text"].as_str());
    assert_eq!(
        (&reply["botId"], &reply["platformConversationId"]),
        (&json!(BOT), &json!("t-1"))
    );
    assert_eq!(
        reply["conversationId"].as_str(),
        Some(stage.view("t-1").internal_id.as_str())
    );
    assert_eq!(reply["predictedIntents"][0]["name"], "refund");
    assert_eq!(reply["attachments"], json!([]));
    assert_eq!(reply.get("data"), None);
    let unclear = post(
        &stage,
        &format!("/ai-agents/api{TICKET}"),
        &[],
        &ticket("?"),
    )
    .await;
    assert_eq!(unclear, 200);
    stage.simulator.settle(BOT, "t-1").await;
    let reply = &stage.simulator.webhooks()[2].body;
    assert_eq!(reply["text"], "Sorry, I did not understand that.");
    assert_eq!(reply["predictedIntents"], json!([]));
}

#[tokio::test]
async fn a_ticket_that_the_platform_would_refuse_is_refused() {
    let stage = Stage::shop().await;
    let without = |key: &str| {
        let mut body = ticket("hello");
        body.as_object_mut().unwrap().remove(key);
        body
    };
    let with = |key: &str, value: Value| {
        let mut body = ticket("hello");
        body[key] = value;
        body
    };
    for wrong in [
        without("platformConversationId"),
        without("platform"),
        with("platform", json!("zendesk")),
        with("eventType", json!("message")),
        with("text", json!(5)),
        with("metaData", json!([{"key": "k", "value": 5}])),
    ] {
        assert_eq!(post(&stage, TICKET, &[], &wrong).await, 400, "{wrong}");
    }
    assert_eq!(post(&stage, TICKET, &[], &without("text")).await, 200);
    let other = [("botid", OTHER_BOT)];
    assert_eq!(post(&stage, TICKET, &other, &ticket("hello")).await, 401);
}

#[tokio::test]
async fn faults_meet_tickets_and_the_widget_too() {
    let stage = Stage::shop().await;
    stage.simulator.faults().push(&Fault::status(503));
    assert_eq!(post(&stage, TICKET, &[], &ticket("hello")).await, 503);
    assert_eq!(stage.simulator.conversation(BOT, "t-1"), None);
    stage.simulator.faults().push(&Fault::status(500));
    let left = json!({"platformConversationId": "w-1", "eventType": "agentDisconnect"});
    assert_eq!(post(&stage, WIDGET, &[], &left).await, 500);
    assert_eq!(post(&stage, WIDGET, &[], &left).await, 200);
}

#[tokio::test]
async fn what_a_human_shows_in_the_widget_is_checked_and_recorded() {
    let stage = Stage::shop().await;
    let shown = |event: Value, more: Value| {
        let mut body = json!({"platformConversationId": "w-1", "eventType": event});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let fine = [
        shown(
            json!("escalationQueueUpdate"),
            json!({"queuePosition": "3", "waitingTime": "5"}),
        ),
        shown(
            json!("escalationSuccess"),
            json!({"agent": "Lee", "agentAvatar": "https://e.org/l"}),
        ),
        shown(json!("message"), json!({"text": "Hi, Lee here."})),
        shown(json!("escalationFailed"), json!({})),
        shown(json!("agentDisconnect"), json!({})),
    ];
    for body in &fine {
        assert_eq!(post(&stage, WIDGET, &[], body).await, 200, "{body}");
    }
    let seen = stage.simulator.requests();
    assert!(seen.iter().map(SeenRequest::json).eq(fine));
    for wrong in [
        shown(json!("message"), json!({})),
        shown(json!("message"), json!({"text": " "})),
        shown(json!("escalationQueueUpdate"), json!({"queuePosition": 3})),
        shown(json!("sendMessage"), json!({"text": "hi"})),
        shown(Value::Null, json!({})),
        json!({"eventType": "agentDisconnect"}),
    ] {
        assert_eq!(post(&stage, WIDGET, &[], &wrong).await, 400, "{wrong}");
    }
    assert!(stage.receiver.received().is_empty(), "nothing is said back");
}

#[tokio::test]
async fn a_conversation_of_the_widget_is_escalated_spoken_in_and_left() {
    let stage = Stage::shop().await;
    let simulator = &stage.simulator;
    simulator.widget_escalates(BOT, "w-1", Some("sales")).await;
    simulator.settle(BOT, "w-1").await;
    let internal = stage.view("w-1").internal_id;
    assert_eq!(stage.view("w-1").state, ConversationState::Escalated);
    simulator.widget_says(BOT, "w-1", "anyone there?").await;
    simulator.widget_ends(BOT, "w-1").await;
    simulator.settle(BOT, "w-1").await;
    assert_eq!(stage.view("w-1").state, ConversationState::Ended);
    let bodies: Vec<_> = stage
        .receiver
        .received()
        .iter()
        .map(Received::json)
        .collect();
    let event = |mut data: Value| {
        data["platformConversationId"] = json!("w-1");
        json!({"botId": BOT, "channel": "chat", "data": data})
    };
    assert_eq!(
        bodies,
        [
            event(json!({"eventType": "widgetEscalate", "escalateTo": "sales"})),
            event(json!({
                "eventType": "widgetMessage", "conversationId": internal, "text": "anyone there?",
            })),
            event(json!({"eventType": "widgetEndSession"})),
        ]
    );
    assert_eq!(internal.len(), 24);
    assert_eq!(texts(&simulator.webhooks()), ["anyone there?"]);
    simulator.widget_escalates(BOT, "w-2", None).await;
    simulator.settle(BOT, "w-2").await;
    let last = stage.receiver.received().pop().unwrap().json();
    assert_eq!(last["data"].get("escalateTo"), None);
}

#[tokio::test]
async fn a_deletion_is_accepted_from_the_bot_and_from_its_organization() {
    let stage = Stage::set(|settings| {
        settings.organization = Some(Organization {
            id: "org-1".to_owned(),
            key: "org-key".into(),
        });
    })
    .await;
    let body = json!({"conversationIds": ["a", "b"]});
    assert_eq!(post(&stage, DELETE, &[], &body).await, 200);
    assert_eq!(
        post(&stage, DELETE, &[("organizationid", "org-1")], &body).await,
        200
    );
    assert_eq!(
        post(&stage, DELETE, &[("organizationid", "org-2")], &body).await,
        401
    );
    for wrong in [
        json!({}),
        json!({"conversationIds": []}),
        json!({"conversationIds": "a"}),
        json!({"conversationIds": ["a", 5]}),
        json!({"conversationIds": ["a", " "]}),
    ] {
        assert_eq!(post(&stage, DELETE, &[], &wrong).await, 400, "{wrong}");
    }
    let key = ("authorization", "org-key");
    assert_eq!(
        post(&stage, DELETE, &[key, ("organizationid", "org-1")], &body).await,
        200
    );
    assert_eq!(post(&stage, DELETE, &[key], &body).await, 401);
}
