//! Checks C: what the agent asks, and what it is answered.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::EmptyResults,
    fixture::{BOT, Fixture, chat},
};
use crate::{
    agents::conformance::parameter,
    domain::{
        Answer, RequestKind,
        inbound::{InboundBody, WebhookReply},
        ports::Agent,
        request::{ActionParameter, Question},
    },
};

fn action(fields: &str) -> (Option<String>, String, Vec<ActionParameter>, String) {
    let body = format!(r#"{{"botId":"{BOT}",{fields}}}"#);
    let inbound = Fixture::listening().says(&body);
    let InboundBody::Question(Question::Action {
        name,
        parameters,
        raw,
    }) = inbound.body
    else {
        panic!("{:?}", inbound.body);
    };
    (inbound.upstream_id, name, parameters, raw)
}

fn answer(kind: RequestKind, answer: &Answer) -> WebhookReply {
    Fixture::listening().agent.reply(kind, answer)
}

fn body(reply: &WebhookReply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn escalation(extra: &str) -> String {
    let data = format!(r#""eventType":"escalate"{extra}"#);
    match Fixture::listening().says(&chat(&data)).body {
        InboundBody::Question(Question::Escalation { target, raw }) if raw.is_empty() => target,
        other => panic!("{other:?}"),
    }
}

#[test]
fn check_70_71_an_accepted_escalation_is_200_and_a_refused_one_5xx() {
    let decided = |accepted| answer(RequestKind::Escalation, &Answer::Escalation { accepted });
    assert_eq!(decided(true), WebhookReply::ok());
    assert_eq!(decided(false).status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn check_72_an_escalation_that_nobody_answers_is_5xx() {
    let failed = Answer::Failure {
        reason: "nobody".to_owned(),
    };
    let reply = answer(RequestKind::Escalation, &failed);
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(reply.body.is_empty());
}

#[test]
fn check_73_an_escalation_without_a_target_has_an_empty_one() {
    assert_eq!(escalation(""), "");
    assert_eq!(escalation(r#","escalateTo":null"#), "");
    assert_eq!(escalation(r#","escalateTo":"billing""#), "billing");
}

#[test]
fn check_74_an_availability_check_needs_no_conversation_and_gets_a_boolean() {
    let body_text =
        format!(r#"{{"botId":"{BOT}","data":{{"eventType":"isTeamOnline","teamId":"billing"}}}}"#);
    let inbound = Fixture::listening().says(&body_text);
    assert_eq!(inbound.upstream_id, None);
    let InboundBody::Question(Question::Availability { team, raw }) = inbound.body else {
        panic!("{:?}", inbound.body);
    };
    assert_eq!((team.as_str(), raw.as_str()), ("billing", ""));
    for online in [true, false] {
        let reply = answer(RequestKind::Availability, &Answer::Availability { online });
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(body(&reply), json!({ "isOnline": online }));
    }
}

#[test]
fn check_75_an_availability_check_that_nobody_answers_is_false() {
    let failed = Answer::Failure {
        reason: String::new(),
    };
    let reply = answer(RequestKind::Availability, &failed);
    assert_eq!(
        (reply.status, body(&reply)),
        (StatusCode::OK, json!({ "isOnline": false }))
    );
}

#[test]
fn check_76_an_action_hands_over_its_name_and_parameters() {
    let (id, name, parameters, raw) = action(
        r#""platformConversationId":"c-1","name":"addTag","data":[{"key":"tag","value":["vip","new"]},
           {"key":"customerEmail","value":["ana@example.org"],"saveAs":"contactEmail","sanitize":true}]"#,
    );
    assert_eq!((id.as_deref(), name.as_str()), (Some("c-1"), "addTag"));
    assert_eq!(parameters.len(), 2);
    assert_eq!(
        (parameters[0].key.as_str(), parameters[0].personal),
        ("tag", false)
    );
    assert_eq!(parameters[0].values, ["vip", "new"]);
    assert_eq!(parameters[1].values, ["ana@example.org"]);
    assert_eq!(
        (parameters[1].save_as.as_str(), parameters[1].personal),
        ("contactEmail", true)
    );
    assert_eq!(raw, "");
}

#[test]
fn check_76_results_are_answered_as_set() {
    let results = Answer::Results(vec![
        parameter("orderStatus", "shipped", false),
        parameter("customerName", "Ana", true),
    ]);
    let expected = json!({ "results": [
        { "key": "orderStatus", "value": "shipped" },
        { "key": "customerName", "value": "Ana", "sanitize": true },
    ]});
    let reply = answer(RequestKind::Action, &results);
    assert_eq!((reply.status, body(&reply)), (StatusCode::OK, expected));
}

#[test]
fn check_77_a_single_value_and_the_other_spelling_of_save_as_are_taken() {
    let (_, _, parameters, raw) = action(
        r#""platformConversationId":"c-1","name":"a","data":[{"key":"k","value":"v","saveAs?":"s"}]"#,
    );
    assert_eq!(parameters[0].values, ["v"]);
    assert_eq!(parameters[0].save_as, "s");
    assert_eq!(raw, "");
}

#[test]
fn a_value_that_is_no_text_is_given_as_json_text() {
    let (_, _, parameters, raw) = action(
        r#""platformConversationId":"c-1","name":"a","data":[
           {"key":"k","value":[5,true,{"x":[null]},"t"]},{"key":"none","value":null},{"key":"n"}]"#,
    );
    assert_eq!(parameters[0].values, ["5", "true", r#"{"x":[null]}"#, "t"]);
    assert!(parameters[1].values.is_empty() && parameters[2].values.is_empty());
    assert!(!raw.is_empty());
}

#[test]
fn check_78_an_action_without_channel_or_conversation_is_taken() {
    let (id, name, parameters, raw) = action(r#""name":"ping","data":[]"#);
    assert_eq!(
        (id, name.as_str(), parameters.len(), raw.as_str()),
        (None, "ping", 0, "")
    );
    let (_, name, _, _) = action(r#""name":"ping""#);
    assert_eq!(name, "ping");
    let (_, _, _, raw) = action(r#""name":"ping","channel":"chat","conversationId":"65f0""#);
    assert!(
        raw.contains("65f0"),
        "the platform's own id is kept for its erasure"
    );
}

#[test]
fn check_79_an_action_without_results_is_answered_as_configured() {
    let listed = Fixture::set(|_, platform, _| platform.empty_results = EmptyResults::List);
    for nothing in [Answer::Results(Vec::new()), Answer::Deferred] {
        assert_eq!(answer(RequestKind::Action, &nothing), WebhookReply::ok());
        let reply = listed.agent.reply(RequestKind::Action, &nothing);
        assert_eq!(body(&reply), json!({ "results": [] }));
    }
}

#[test]
fn check_80_a_result_is_answered_as_text_whatever_it_looks_like() {
    let results = Answer::Results(vec![parameter("count", "7", false)]);
    let reply = answer(RequestKind::Action, &results);
    assert_eq!(body(&reply)["results"][0]["value"], Value::from("7"));
}

#[test]
fn an_action_that_failed_is_500() {
    let failed = Answer::Failure {
        reason: "no".to_owned(),
    };
    let reply = answer(RequestKind::Action, &failed);
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
}
