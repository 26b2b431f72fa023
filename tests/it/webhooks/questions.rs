//! What the agent asks and waits for.

use std::time::{Duration, Instant};

use parloir_client::v1::{
    ActionRequested, Availability, Event, Owner, RequestOutcome, SetAvailabilityRequest,
    event::Body, set_availability_request::Scope,
};
use serde_json::{Value, json};

use crate::support::{
    events::Events,
    http::Reply,
    server::{ACCOUNT, AGENT, TestServer, Wishes, parameter, state},
    webhook::{action, chat, escalate, flat, is_team_online, post, says},
};

/// What the platform gives up after.
const PLATFORM_PATIENCE: Duration = Duration::from_secs(9);

/// Posts a question without waiting for its answer.
fn ask(server: &TestServer, body: &str) -> tokio::task::JoinHandle<Reply> {
    let (to, body) = (server.webhooks, body.to_owned());
    tokio::spawn(async move { post(to, AGENT, &[], body.as_bytes()).await })
}

async fn escalation(events: &mut Events) -> (String, String) {
    events
        .find(|body, _| match body {
            Body::EscalationRequested(asked) => Some((asked.request_id, asked.target)),
            _ => None,
        })
        .await
}

async fn requested(events: &mut Events) -> (ActionRequested, Event) {
    events
        .find(|body, event| match body {
            Body::ActionRequested(asked) => Some((asked, event.clone())),
            _ => None,
        })
        .await
}

async fn outcome(events: &mut Events) -> RequestOutcome {
    events
        .find(|body, _| match body {
            Body::RequestClosed(closed) => Some(closed.outcome()),
            _ => None,
        })
        .await
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).expect("JSON")
}

#[tokio::test]
async fn check_70_an_accepted_escalation_is_answered_200_only_then_and_changes_the_owner() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let asked = ask(&server, &escalate("C"));
    let (request, target) = escalation(&mut events).await;
    assert_eq!(target, "billing");
    assert!(!asked.is_finished(), "nobody has accepted");
    let decided = server.client.decide_escalation(&request, true).await;
    decided.expect("a decision");
    let reply = asked.await.expect("an answer");
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    let known = server
        .client
        .conversation(ACCOUNT, "C")
        .await
        .expect("an answer");
    assert_eq!(known.expect("a conversation").owner(), Owner::Human);
    let held = server.say("C", "m", "a human, please").await;
    assert_eq!(state(&held), parloir_client::v1::DeliveryState::Held);
    assert!(server.platform.requests().is_empty(), "the agent is silent");
}

#[tokio::test]
async fn check_71_a_refused_escalation_is_answered_with_a_failure() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let asked = ask(&server, &escalate("C"));
    let (request, _) = escalation(&mut events).await;
    let decided = server.client.decide_escalation(&request, false).await;
    decided.expect("a decision");
    let reply = asked.await.expect("an answer");
    assert!((400..600).contains(&reply.status), "{reply:?}");
    let known = server
        .client
        .conversation(ACCOUNT, "C")
        .await
        .expect("an answer");
    assert_eq!(known.expect("a conversation").owner(), Owner::Agent);
}

#[tokio::test]
async fn check_72_an_escalation_that_nobody_decides_fails_before_the_platform_gives_up() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let begun = Instant::now();
    let reply = server.webhook(&escalate("C")).await;
    assert!((500..600).contains(&reply.status), "{reply:?}");
    assert!(begun.elapsed() < PLATFORM_PATIENCE, "{:?}", begun.elapsed());
    assert_eq!(outcome(&mut events).await, RequestOutcome::FellBack);
}

#[tokio::test]
async fn check_73_an_escalation_without_a_target_has_an_empty_one() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let asked = ask(&server, &chat("C", r#""eventType":"escalate""#));
    let (request, target) = escalation(&mut events).await;
    assert_eq!(target, "");
    let decided = server.client.decide_escalation(&request, true).await;
    decided.expect("a decision");
    assert_eq!(asked.await.expect("an answer").status, 200);
}

#[tokio::test]
async fn check_74_published_availability_is_answered_as_a_boolean() {
    let server = TestServer::start().await;
    for online in [true, false] {
        let publish = SetAvailabilityRequest {
            scope: Some(Scope::Agent(AGENT.to_owned())),
            publisher: "desk".to_owned(),
            availability: Some(Availability {
                team: "billing".to_owned(),
                online,
                time_to_live: Some(prost_types::Duration {
                    seconds: 60,
                    nanos: 0,
                }),
            }),
        };
        let published = server.client.set_availability(publish).await;
        assert_eq!(published.expect("a word").online, online);
        let reply = server.webhook(&is_team_online("billing")).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("application/json"))
        );
        assert_eq!(json_of(&reply), json!({ "isOnline": online }));
    }
}

#[tokio::test]
async fn check_74_an_availability_check_is_answered_by_a_subscriber() {
    let server = TestServer::start().await;
    let mut events = server.events();
    // Only once the stream has begun is there somebody who could answer.
    events.item().await;
    let asked = ask(&server, &is_team_online("billing"));
    let (request, team) = events
        .find(|body, _| match body {
            Body::AvailabilityRequested(asked) => Some((asked.request_id, asked.team)),
            _ => None,
        })
        .await;
    assert_eq!(team, "billing");
    let answered = server.client.answer_availability(&request, true).await;
    answered.expect("an answer");
    let reply = asked.await.expect("an answer");
    assert_eq!(
        (reply.status, json_of(&reply)),
        (200, json!({ "isOnline": true }))
    );
}

#[tokio::test]
async fn check_75_availability_that_nobody_knows_is_false_within_two_seconds() {
    let server = TestServer::start().await;
    let begun = Instant::now();
    let reply = server.webhook(&is_team_online("billing")).await;
    assert_eq!(
        (reply.status, json_of(&reply)),
        (200, json!({ "isOnline": false }))
    );
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    // Nor does a subscriber that says nothing make it later than the limit.
    let mut events = server.events();
    events.item().await;
    let begun = Instant::now();
    let reply = server.webhook(&is_team_online("billing")).await;
    assert_eq!(json_of(&reply), json!({ "isOnline": false }));
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn check_76_80_an_action_is_offered_and_answered_with_its_results_as_text() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let body = flat(
        r#""platformConversationId":"C","name":"addTag","data":[{"key":"tag","value":["vip","new"]},
           {"key":"customerEmail","value":["ana@example.org"],"saveAs":"contactEmail","sanitize":true}]"#,
    );
    let asked = ask(&server, &body);
    let (request, event) = requested(&mut events).await;
    assert_eq!(
        (request.name.as_str(), event.conversation_id.as_str()),
        ("addTag", "C")
    );
    assert_eq!(request.parameters[0].values, ["vip", "new"]);
    assert_eq!(request.parameters[1].save_as, "contactEmail");
    assert!(request.parameters[1].personal && !request.parameters[0].personal);
    assert!(!asked.is_finished(), "nobody has answered");
    let results = vec![
        parameter("count", "7", false),
        parameter("name", "Ana", true),
    ];
    let answered = server
        .client
        .answer_action(&request.request_id, results)
        .await;
    answered.expect("an answer");
    let reply = asked.await.expect("an answer");
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/json"))
    );
    let expected = json!({ "results": [
        { "key": "count", "value": "7" },
        { "key": "name", "value": "Ana", "sanitize": true },
    ]});
    assert_eq!(json_of(&reply), expected);
}

#[tokio::test]
async fn check_77_78_an_action_is_taken_in_every_form_that_the_sources_show() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let forms = [
        r#""platformConversationId":"C","name":"a","data":[{"key":"k","value":"v","saveAs?":"s"}]"#,
        r#""name":"a","data":[{"key":"k","value":["v"],"saveAs":"s"}]"#,
    ];
    for form in forms {
        let asked = ask(&server, &flat(form));
        let (request, _) = requested(&mut events).await;
        assert_eq!(request.parameters[0].values, ["v"], "{form}");
        assert_eq!(request.parameters[0].save_as, "s", "{form}");
        let answered = server
            .client
            .answer_action(&request.request_id, vec![])
            .await;
        answered.expect("an answer");
        assert_eq!(asked.await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn check_79_an_action_without_results_is_answered_as_configured() {
    for (platform, expected) in [("", ""), (r#"empty_results = "list""#, r#"{"results":[]}"#)] {
        let server = TestServer::start_with(Wishes {
            platform: platform.to_owned(),
            ..Wishes::default()
        })
        .await;
        let mut events = server.events();
        let asked = ask(&server, &action("C", "ping"));
        let (request, _) = requested(&mut events).await;
        let answered = server
            .client
            .answer_action(&request.request_id, vec![])
            .await;
        answered.expect("an answer");
        let reply = asked.await.expect("an answer");
        assert_eq!((reply.status, reply.body.as_str()), (200, expected));
    }
}

#[tokio::test]
async fn check_81_an_action_that_is_not_listed_is_recorded_and_answered_at_once() {
    for (agent, status) in [
        ("actions = [{ name = \"known\" }]", 200),
        (
            "actions = [{ name = \"known\" }]\nunlisted_action = \"refuse\"",
            400,
        ),
    ] {
        let server = TestServer::start_with(Wishes {
            agent,
            ..Wishes::default()
        })
        .await;
        let mut events = server.events();
        let begun = Instant::now();
        let reply = server.webhook(&action("C", "unlisted")).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, ""));
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "nobody was waited for"
        );
        let (recorded, _) = requested(&mut events).await;
        assert_eq!(recorded.name, "unlisted");
        assert_eq!(outcome(&mut events).await, RequestOutcome::FellBack);
        let asked = ask(&server, &action("C", "known"));
        let (offered, _) = requested(&mut events).await;
        assert_eq!(offered.name, "known");
        let answered = server
            .client
            .answer_action(&offered.request_id, vec![])
            .await;
        answered.expect("an answer");
        assert_eq!(asked.await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn check_82_actions_and_chat_events_may_share_an_address_or_not() {
    let server = TestServer::start().await;
    let mut events = server.events();
    for (number, path) in [AGENT.to_owned(), format!("{AGENT}/actions")]
        .into_iter()
        .enumerate()
    {
        // Another conversation each time: the same question again would get the answer that was given.
        let id = format!("C{number}");
        let (to, at, body) = (server.webhooks, path.clone(), action(&id, "ping"));
        let asked = tokio::spawn(async move { post(to, &at, &[], body.as_bytes()).await });
        let (request, _) = requested(&mut events).await;
        let answered = server
            .client
            .answer_action(&request.request_id, vec![])
            .await;
        answered.expect("an answer");
        assert_eq!(asked.await.expect("an answer").status, 200);
        let reply = post(to, &path, &[], says(&id, &path).as_bytes()).await;
        assert_eq!(reply.status, 200);
        assert_eq!(events.agent_message().await.0.text, path);
    }
}

#[tokio::test]
async fn a_question_that_is_repeated_gets_the_answer_that_was_given() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let first = ask(&server, &action("C", "count"));
    let (request, _) = requested(&mut events).await;
    let results = vec![parameter("n", "1", false)];
    let answered = server
        .client
        .answer_action(&request.request_id, results)
        .await;
    answered.expect("an answer");
    let first = first.await.expect("an answer");
    let again = server.webhook(&action("C", "count")).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
}
