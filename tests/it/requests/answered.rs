//! Answers of subscribers: the first valid one wins.

use parloir_client::{
    Code,
    v1::{
        ActionResults, AvailabilityAnswer, DeferredAnswer, Disposition, EscalationDecision,
        RequestClosed, RequestDelivery, RequestFailure, RequestOutcome, request_closed,
        respond_to_agent_request::Answer,
    },
};
use serde_json::json;

use crate::support::{
    questions::{
        action_requested, ask, disposition, escalation_requested, reply, request_closed, respond,
    },
    server::{TestServer, Wishes, parameter, state},
    webhook::{action, escalate},
};

fn results(value: &str) -> Answer {
    Answer::ActionResults(ActionResults {
        results: vec![parameter("order", value, false)],
    })
}

fn decision(accepted: bool) -> Answer {
    Answer::Escalation(EscalationDecision { accepted })
}

fn failure() -> Answer {
    Answer::Failure(RequestFailure {
        reason: "the shop is closed".to_owned(),
    })
}

#[tokio::test]
async fn the_first_valid_answer_wins_and_the_others_are_told() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let asked = ask(&server, &action("C", "fetch"));
    let request = action_requested(&mut events).await.request_id;

    let first = respond(&server, &request, "one", results("A-1")).await;
    let same = respond(&server, &request, "one", results("A-1")).await;
    let other = respond(&server, &request, "two", results("A-2")).await;
    let same_from_another = respond(&server, &request, "two", results("A-1")).await;
    let changed = respond(&server, &request, "one", results("A-2")).await;
    assert_eq!(disposition(&first), Disposition::Accepted);
    assert_eq!(disposition(&same), Disposition::Duplicate);
    for lost in [&other, &same_from_another, &changed] {
        assert_eq!(disposition(lost), Disposition::Lost);
    }
    let cursor = first.expect("a response").cursor;
    assert!(!cursor.is_empty());
    assert_eq!(same.expect("a response").cursor, cursor);
    assert_eq!(other.expect("a response").cursor, cursor);

    let told = reply(asked).await;
    let body: serde_json::Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!(body["results"], json!([{ "key": "order", "value": "A-1" }]));
    let expected = RequestClosed {
        request_id: request,
        outcome: RequestOutcome::Answered.into(),
        answered_by: "one".to_owned(),
        delivery: RequestDelivery::Written.into(),
        answer: Some(request_closed::Answer::ActionResults(ActionResults {
            results: vec![parameter("order", "A-1", false)],
        })),
    };
    assert_eq!(request_closed(&mut events).await, expected);
}

#[tokio::test]
async fn an_answer_after_the_fallback_is_too_late() {
    let server = TestServer::start_with(Wishes {
        agent: r#"action_time_limit = "100ms""#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let asked = ask(&server, &action("C", "fetch"));
    let closed = request_closed(&mut events).await;
    assert_eq!(closed.outcome(), RequestOutcome::FellBack);
    let late = respond(&server, &closed.request_id, "one", results("A-1")).await;
    assert_eq!(disposition(&late), Disposition::TooLate);
    assert!(!late.expect("a response").cursor.is_empty());
    let told = reply(asked).await;
    assert_eq!((told.status, told.body.as_str()), (200, ""));
}

#[tokio::test]
async fn an_answer_of_the_wrong_kind_is_refused_and_leaves_the_question_open() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let asked = ask(&server, &action("C", "fetch"));
    let fetch = action_requested(&mut events).await.request_id;
    let online = Answer::Availability(AvailabilityAnswer { online: true });
    for wrong in [decision(true), online] {
        let error = respond(&server, &fetch, "one", wrong).await;
        let error = error.expect_err("the wrong kind");
        assert_eq!(error.code(), Code::InvalidArgument);
        let fields: Vec<_> = error.field_violations().map(|it| it.field).collect();
        assert_eq!(fields, ["answer"]);
    }
    assert!(!asked.is_finished());
    let right = respond(&server, &fetch, "one", results("A-1")).await;
    assert_eq!(disposition(&right), Disposition::Accepted);
    assert_eq!(reply(asked).await.status, 200);

    let asked = ask(&server, &escalate("C"));
    let hand_over = escalation_requested(&mut events).await;
    for wrong in [results("A-1"), Answer::Deferred(DeferredAnswer {})] {
        let error = respond(&server, &hand_over, "one", wrong).await;
        assert_eq!(
            error.expect_err("the wrong kind").code(),
            Code::InvalidArgument
        );
    }
    let right = respond(&server, &hand_over, "one", decision(true)).await;
    assert_eq!(disposition(&right), Disposition::Accepted);
    assert_eq!(reply(asked).await.status, 200);
}

#[tokio::test]
async fn an_answer_to_an_unknown_question_is_not_found() {
    let server = TestServer::start().await;
    let error = respond(&server, "nobody-asked", "one", results("A-1")).await;
    let error = error.expect_err("there is no such question");
    assert_eq!(
        (error.code(), error.reason()),
        (Code::NotFound, Some("REQUEST_NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_failure_sends_the_fallback_at_once() {
    // Far longer than the test takes: what is sent now was not sent at the deadline.
    let server = TestServer::start_with(Wishes {
        agent: r#"
            action_time_limit = "8900ms"
            escalation_time_limit = "8900ms"
            actions = [{ name = "fetch", results = { order = "unknown" } }]
        "#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let begun = std::time::Instant::now();
    let asked = ask(&server, &action("C", "fetch"));
    let request = action_requested(&mut events).await.request_id;
    let failed = respond(&server, &request, "one", failure()).await;
    assert_eq!(disposition(&failed), Disposition::Accepted);
    let told = reply(asked).await;
    let body: serde_json::Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!(
        body["results"],
        json!([{ "key": "order", "value": "unknown" }])
    );
    let closed = request_closed(&mut events).await;
    assert_eq!(closed.outcome(), RequestOutcome::FellBack);
    let said = Some(request_closed::Answer::Failure(RequestFailure {
        reason: "the shop is closed".to_owned(),
    }));
    assert_eq!(closed.answer, said);
    let again = respond(&server, &request, "one", failure()).await;
    assert_eq!(disposition(&again), Disposition::Duplicate);

    let asked = ask(&server, &escalate("C"));
    let request = escalation_requested(&mut events).await;
    let failed = respond(&server, &request, "one", failure()).await;
    assert_eq!(disposition(&failed), Disposition::Accepted);
    assert_eq!(reply(asked).await.status, 500);
    assert!(begun.elapsed() < std::time::Duration::from_secs(8));
}

#[tokio::test]
async fn a_deferred_action_is_answered_empty_at_once_and_its_results_follow() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let said = server.say("C", "m", "where is my parcel?").await;
    state(&said);
    let asked = ask(&server, &action("C", "fetch"));
    let request = action_requested(&mut events).await.request_id;
    let deferred = Answer::Deferred(DeferredAnswer {});
    let responded = respond(&server, &request, "one", deferred).await;
    assert_eq!(disposition(&responded), Disposition::Accepted);
    let told = reply(asked).await;
    assert_eq!((told.status, told.body.as_str()), (200, ""));
    let closed = request_closed(&mut events).await;
    assert_eq!(closed.outcome(), RequestOutcome::Answered);
    let deferred = request_closed::Answer::Deferred(DeferredAnswer {});
    assert_eq!(closed.answer, Some(deferred));
    let later = vec![parameter("order", "A-1", false)];
    server.set("C", "u", later).await.expect("an update");
    let seen = server.platform.last_request().json();
    assert_eq!(seen["eventType"], "metadata");
    assert_eq!(
        seen["metaData"],
        json!([{ "key": "order", "value": "A-1" }])
    );
}
