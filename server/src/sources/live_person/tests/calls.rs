//! The four calls: what they are answered, and what they tell.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::platform::{ACCOUNT, Call, FakeLivePerson, call, event, path, says};
use crate::{
    domain::{
        Owner, Timestamp,
        inbound::WebhookRefusal,
        source::{Observed, SourceBody, Taken, Words},
    },
    sources::live_person::BotState,
};

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[tokio::test]
async fn lp_01_the_environments_are_a_list_that_holds_draft() {
    let reply = FakeLivePerson::new().get(&path("")).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(json_of(&reply.body), json!(["draft", "production"]));
}

#[tokio::test]
async fn lp_02_a_stopped_bot_is_not_online_and_its_version_is_semver() {
    for (state, word) in [
        (BotState::Online, "online"),
        (BotState::Offline, "offline"),
        (BotState::Error, "error"),
        (BotState::Maintenance, "maintenance"),
    ] {
        let live = FakeLivePerson::set(|config, _| config.state = state);
        let reply = live.get(&path("/production/state")).await;
        let told = json_of(&reply.body);
        assert_eq!(told["state"], word);
        let version = told["version"].as_str().expect("a version");
        let core = version.split(['-', '+']).next().unwrap_or_default();
        let numbers: Vec<_> = core.split('.').map(str::parse::<u64>).collect();
        assert!(
            numbers.len() == 3 && numbers.iter().all(Result::is_ok),
            "{version}"
        );
    }
}

#[tokio::test]
async fn lp_03_a_conversation_begins_once_and_again_is_a_conflict() {
    let live = FakeLivePerson::new();
    let body = json!({
        "sdes": { "info": { "customerId": "4711" } },
        "context": { "type": "MESSAGING", "skillId": 15, "engagementId": "e7", "visitor": { "ip": "10.0.0.9" } },
    });
    let put = call(
        Method::PUT,
        &path("/draft/conversations/c1"),
        &body.to_string(),
    );
    let first = live.receive(&put).expect("a call that is taken");
    let again = live.receive(&put).expect("a call that is taken");
    assert_eq!(
        first.events[0].event_id, again.events[0].event_id,
        "the second changes nothing"
    );
    assert!(first.events[0].event_id.is_some());
    let SourceBody::Opened { parameters } = &first.events[0].body else {
        panic!("not opened");
    };
    let named: Vec<_> = parameters
        .iter()
        .map(|one| (one.key.as_str(), one.value.as_str()))
        .collect();
    let expected = [
        ("liveperson_skill_id", "15"),
        ("liveperson_engagement_id", "e7"),
    ];
    assert_eq!(named, expected, "and nothing about the visitor");

    let status = async |reply: &crate::domain::source::Received, taken| {
        reply.reply.reply(&[taken]).await.status
    };
    assert_eq!(status(&first, Taken::First).await, StatusCode::OK);
    for taken in [Taken::Duplicate, Taken::Again] {
        assert_eq!(status(&again, taken).await, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn lp_04_an_event_of_an_unknown_conversation_is_answered_404_and_waits_for_nothing() {
    let live = FakeLivePerson::new();
    let bodies = [
        says("hello"),
        json!({ "type": "CONVERSATION", "data": { "name": "CLOSED" } }),
        json!({ "type": "hosted-file", "data": { "relativePath": "/a.png", "fileType": "png" } }),
    ];
    for body in bodies {
        let received = live.next("nobody", body);
        assert!(received.events[0].contact_must_exist);
        let reply = Call::taken(received, Taken::NoContact).reply().await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_answered_404_and_another_method_405() {
    let live = FakeLivePerson::new();
    let unknown = [
        "v1/bots/another/environments".to_owned(),
        "v2/bots".to_owned(),
        String::new(),
        path("/staging/state"),
        path("/draft/nothing"),
        path("/draft/conversations/"),
        path("/draft/conversations/c1/events/more"),
        path(&format!("/draft/conversations/{}", "c".repeat(129))),
    ];
    for path in unknown {
        let reply = live.get(&path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    let reply = live.get(&path("/draft/conversations/c1/events")).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    // A slash at its end is none of the path's.
    assert_eq!(live.get(&path("/")).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn words_carry_who_when_and_that_the_bot_is_assigned() {
    let live = FakeLivePerson::new();
    let received = live.numbered("c1", 3, says("bonjour"));
    let event = &received.events[0];
    let contact = event.contact.as_ref().expect("a contact");
    assert_eq!(contact.key, format!("{ACCOUNT}/c1"));
    assert_eq!(event.event_id.as_deref(), Some("c1:3"));
    assert_eq!(event.occurred_at, Some(Timestamp(1_649_331_017_991_000)));
    assert_eq!(event.owner, Some(Observed::pushed(Owner::Agent)));
    let SourceBody::Message { words, .. } = &event.body else {
        panic!("not a message");
    };
    assert!(*words == Words::Text("bonjour".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_kinds_of_specification_and_reference_code_are_understood() {
    let live = FakeLivePerson::new();
    let kind = |body: Value| {
        let event = live.next("c1", body).events.remove(0);
        (format!("{:?}", event.body), event.owner)
    };
    let agents = Some(Observed::pushed(Owner::Agent));
    let named = |name: &str| json!({ "type": "CONVERSATION", "data": { "name": name } });
    let reference = |kind: &str| json!({ "type": kind, "source": "CONVERSATION", "data": {} });
    let opened = ("Opened".to_owned(), agents.clone());
    assert_eq!(kind(named("STARTED")), opened);
    assert_eq!(kind(reference("START")), opened);
    let ended = ("Ended".to_owned(), None);
    assert_eq!(kind(named("CLOSED")), ended);
    assert_eq!(kind(reference("CLOSE_CONVERSATION")), ended);
    let unknown = ("Unknown".to_owned(), agents);
    assert_eq!(kind(named("PAUSED")), unknown);
    assert_eq!(kind(says("  \n")), unknown, "nothing to answer");
    let mut others = says("a human's words");
    others["source"] = json!("AGENT");
    assert_eq!(kind(others), unknown, "not the visitor's");
    let (body, owner) = kind(named("TRANSFERRED"));
    let owner = owner.expect("an owner");
    assert_eq!((body.as_str(), owner.owner), ("Owner", Owner::Unknown));
    assert_eq!(owner.unknown, "CONVERSATION/TRANSFERRED");
}

#[tokio::test(start_paused = true)]
async fn another_dialogs_sequence_is_another_event_and_none_is_none() {
    let live = FakeLivePerson::new();
    let id = |change: fn(&mut Value)| {
        let mut webhook = event("c1", 3, says("hello"));
        let mut body = json_of(&webhook.body);
        change(&mut body);
        webhook.body = body.to_string().into();
        let received = live.receive(&webhook).expect("a call that is taken");
        received.events[0].event_id.clone()
    };
    assert_eq!(id(|_| {}).as_deref(), Some("c1:3"));
    let survey = id(|body| body["context"]["lpEvent"]["dialogId"] = json!("survey"));
    assert_eq!(survey.as_deref(), Some("c1:survey:3"));
    assert_eq!(id(|body| body["context"] = Value::Null), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_shares_no_id_with_one() {
    let live = FakeLivePerson::new();
    let id = |body: Value| live.numbered("c1", 3, body).events[0].event_id.clone();
    let named = |name: &str| json!({ "type": "CONVERSATION", "data": { "name": name } });
    let ids = [
        says("hello"),
        named("STARTED"),
        named("CLOSED"),
        json!({ "type": "START", "data": {} }),
        json!({ "type": "RICH_CONTENT", "source": "CONSUMER", "data": {} }),
    ];
    let expected = [
        "c1:3",
        "c1:3:CONVERSATION/STARTED",
        "c1:3:CONVERSATION/CLOSED",
        "c1:3:START",
        "c1:3:RICH_CONTENT",
    ];
    assert_eq!(ids.map(id), expected.map(|id| Some(id.to_owned())));
}

#[tokio::test]
async fn what_is_not_of_this_interface_is_malformed() {
    let live = FakeLivePerson::new();
    for body in [
        "",
        "[]",
        "{}",
        r#"{"type":"TEXT","data":{}}"#,
        r#"{"type":1}"#,
    ] {
        let post = call(Method::POST, &path("/draft/conversations/c1/events"), body);
        assert_eq!(
            live.receive(&post).err(),
            Some(WebhookRefusal::Malformed),
            "{body}"
        );
    }
    let put = call(Method::PUT, &path("/draft/conversations/c1"), "[]");
    assert_eq!(live.receive(&put).err(), Some(WebhookRefusal::Malformed));
}
