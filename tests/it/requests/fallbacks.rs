//! What the platform gets when nobody answers.

use parloir_client::v1::{RequestDelivery, RequestOutcome, request_closed};
use serde_json::json;

use crate::support::{
    events::Events,
    http::{Connection, Reply},
    questions::{action_requested, ask, disposition, metric, reply, request_closed},
    server::{AGENT, TestServer, Wishes},
    webhook::{action, escalate, is_team_online},
};

const QUICK: &str = r#"
    action_time_limit = "150ms"
    escalation_time_limit = "120ms"
    availability_time_limit = "80ms"
    action_fallback = "error"
    actions = [
        { name = "plain" },
        { name = "sure", fallback = "empty" },
        { name = "told", fallback = "empty", results = { order = "unknown" } },
        { name = "patient", time_limit = "250ms" },
    ]
"#;

async fn quick() -> (TestServer, Events) {
    let server = TestServer::start_with(Wishes {
        agent: QUICK,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    // Connected: an availability check waits for a subscriber.
    events.item().await;
    (server, events)
}

async fn unanswered(server: &TestServer, events: &mut Events, body: &str) -> Reply {
    let told = reply(ask(server, body)).await;
    let closed = request_closed(events).await;
    assert_eq!(closed.outcome(), RequestOutcome::FellBack, "{body}");
    assert_eq!(closed.delivery(), RequestDelivery::Written, "{body}");
    assert_eq!(closed.answered_by, "");
    told
}

#[tokio::test]
async fn each_action_falls_back_as_it_is_configured_or_else_as_its_agent_is() {
    let (server, mut events) = quick().await;
    let plain = unanswered(&server, &mut events, &action("C", "plain")).await;
    assert_eq!(plain.status, 500);
    let sure = unanswered(&server, &mut events, &action("C", "sure")).await;
    assert_eq!((sure.status, sure.body.as_str()), (200, ""));
    let told = unanswered(&server, &mut events, &action("C", "told")).await;
    let body: serde_json::Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!(
        body,
        json!({ "results": [{ "key": "order", "value": "unknown" }] })
    );
}

#[tokio::test]
async fn each_action_has_the_time_that_is_configured_for_it_or_else_for_its_agent() {
    let (server, mut events) = quick().await;
    for (name, limit) in [("plain", 150), ("patient", 250)] {
        let asked = ask(&server, &action("C", name));
        let request = action_requested(&mut events).await;
        let granted = request.time_limit.expect("a limit");
        // Microseconds are rounded on the way.
        let milliseconds = (granted.nanos + 500_000) / 1_000_000;
        assert_eq!((granted.seconds, milliseconds), (0, limit), "{name}");
        assert!(request.respond_by.is_some());
        assert_eq!(reply(asked).await.status, 500);
    }
}

#[tokio::test]
async fn escalations_and_availability_checks_fall_back_to_no() {
    let (server, mut events) = quick().await;
    let escalation = unanswered(&server, &mut events, &escalate("C")).await;
    assert_eq!(escalation.status, 500);
    let check = unanswered(&server, &mut events, &is_team_online("billing")).await;
    assert_eq!(
        (check.status, check.body.as_str()),
        (200, r#"{"isOnline":false}"#)
    );
}

#[tokio::test]
async fn an_escalation_that_is_accepted_by_fallback_changes_the_owner() {
    let server = TestServer::start_with(Wishes {
        agent: "escalation_time_limit = \"100ms\"\nescalation_fallback = \"accept\"",
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let told = reply(ask(&server, &escalate("C"))).await;
    assert_eq!(told.status, 200);
    let closed = request_closed(&mut events).await;
    assert_eq!(closed.outcome(), RequestOutcome::FellBack);
    let to = events
        .find(|body, _| match body {
            parloir_client::v1::event::Body::OwnerChanged(changed) => Some(changed.to()),
            _ => None,
        })
        .await;
    assert_eq!(to, parloir_client::v1::Owner::Human);
}

#[tokio::test]
async fn an_answer_for_a_platform_that_hung_up_is_accepted_and_not_delivered() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let mut connection = Connection::open(server.webhooks).await;
    let body = action("C", "fetch");
    let path = format!("/webhooks/{AGENT}");
    connection.post(&path, &[], body.as_bytes()).await;
    let request = action_requested(&mut events).await.request_id;
    drop(connection);
    metric(
        &server,
        r#"parloir_requests_open{tenant="default",agent="shop",kind="action"} 0"#,
    )
    .await;
    let answered = server.client.answer_action(&request, vec![]).await;
    let accepted = parloir_client::v1::Disposition::Accepted;
    assert_eq!(disposition(&answered), accepted);
    let closed = request_closed(&mut events).await;
    assert_eq!(closed.outcome(), RequestOutcome::Answered);
    assert_eq!(closed.delivery(), RequestDelivery::NotDelivered);
    assert!(matches!(
        closed.answer,
        Some(request_closed::Answer::ActionResults(_))
    ));
}

#[tokio::test]
async fn above_max_open_requests_the_fallback_is_sent_at_once() {
    let server = TestServer::start_with(Wishes {
        agent: "max_open_requests = 1\naction_time_limit = \"8900ms\"",
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let begun = std::time::Instant::now();
    let first = ask(&server, &action("C1", "fetch"));
    let open = action_requested(&mut events).await.request_id;
    let told = reply(ask(&server, &action("C2", "fetch"))).await;
    assert_eq!((told.status, told.body.as_str()), (200, ""));
    let refused = action_requested(&mut events).await.request_id;
    let closed = request_closed(&mut events).await;
    assert_eq!(
        (closed.request_id.clone(), closed.outcome()),
        (refused, RequestOutcome::FellBack)
    );
    assert!(begun.elapsed() < std::time::Duration::from_secs(8));
    assert!(!first.is_finished(), "the first question still waits");
    server
        .client
        .answer_action(&open, vec![])
        .await
        .expect("an answer");
    assert_eq!(reply(first).await.status, 200);
    // There is room again.
    let third = ask(&server, &action("C3", "fetch"));
    let open = action_requested(&mut events).await.request_id;
    server
        .client
        .answer_action(&open, vec![])
        .await
        .expect("an answer");
    assert_eq!(reply(third).await.status, 200);
}
