//! Checks FB-9 to FB-12 and FB-19 to FB-21: who answers a visitor, told and asked.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{MessengerConfig, ThreadRequests, address::Address},
    fake::{APP, INBOX, SOCIAL_CONNECT},
    fake_server::Behaviour,
    fixture::{Fixture, TODAY_MS, milliseconds},
};
use crate::domain::{
    Owner,
    owner::Evidence,
    ports::Source,
    source::{NotRead, Observed, SourceBody, Taken},
};

fn change(kind: &str, previous: &Value, new: &Value) -> Value {
    json!({ kind: {
        "previous_owner_app_id": previous, "new_owner_app_id": new, "metadata": "{}",
    } })
}

async fn told(about: Value) -> Option<Observed> {
    let fixture = Fixture::new().await;
    let event = fixture.hears_one(&fixture.fake.update("ana", "messaging", about));
    assert_eq!(event.body, SourceBody::Owner);
    assert!(event.contact.is_some() && event.contact_must_exist);
    assert_eq!(event.occurred_at, Some(milliseconds(TODAY_MS)));
    event.owner
}

#[tokio::test]
async fn fb_09_control_that_passes_to_our_app_makes_the_visitor_the_agents() {
    let number: u64 = APP.parse().expect("digits");
    for app in [json!(APP), json!(number)] {
        let owner = told(change("pass_thread_control", &json!(SOCIAL_CONNECT), &app)).await;
        assert_eq!(owner, Some(Observed::pushed(Owner::Agent)), "{app}");
    }
}

#[tokio::test]
async fn fb_10_control_that_nobody_had_before_may_pass() {
    let owner = told(change("pass_thread_control", &Value::Null, &json!(APP))).await;
    assert_eq!(owner, Some(Observed::pushed(Owner::Agent)));
}

#[tokio::test]
async fn fb_11_control_that_another_app_takes_or_is_given_is_a_humans_for_a_day() {
    let inbox: u64 = INBOX.parse().expect("digits");
    for kind in ["take_thread_control", "pass_thread_control"] {
        for app in [json!(inbox), json!(SOCIAL_CONNECT)] {
            let owner = told(change(kind, &json!(APP), &app))
                .await
                .expect("an owner");
            assert_eq!(
                (owner.owner, owner.evidence),
                (Owner::Human, Evidence::Pushed)
            );
            let tomorrow = milliseconds(TODAY_MS) + Duration::from_hours(24);
            assert_eq!(owner.expires_at, Some(tomorrow));
        }
    }
}

#[tokio::test]
async fn a_change_that_does_not_say_to_whom_is_a_doubt() {
    let fixture = Fixture::new().await;
    let about = change("take_thread_control", &json!(APP), &Value::Null);
    let event = fixture.hears_one(&fixture.fake.update("ana", "messaging", about));
    assert_eq!((event.body, event.owner), (SourceBody::Doubt, None));
}

#[tokio::test]
async fn fb_12_whoever_asks_for_a_visitor_is_passed_them_once_after_the_commit() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let body = fixture.fake.requests("ana", SOCIAL_CONNECT);
    let received = fixture.receive(&body).expect("taken");
    assert_eq!(received.events.len(), 1);
    let owner = received.events[0].owner.as_ref().expect("an owner");
    assert_eq!(owner.owner, Owner::Human, "the agent falls silent at once");
    assert!(
        fixture.fake.calls().is_empty(),
        "nothing is done before the commit"
    );

    let reply = received.reply.reply(&[Taken::Again]).await;
    assert_eq!(reply.status, StatusCode::OK);
    let again = fixture.receive(&body).expect("taken");
    let reply = again.reply.reply(&[Taken::Duplicate]).await;
    assert_eq!(reply.status, StatusCode::OK);
    let passes = fixture.fake.calls_to("pass_thread_control");
    assert_eq!(passes.len(), 1, "what comes again is done");
    assert_eq!(passes[0].body["target_app_id"], SOCIAL_CONNECT);
    assert_eq!(passes[0].body["recipient"]["id"], "ana");
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));
}

#[tokio::test]
async fn a_request_is_taken_whatever_becomes_of_the_pass() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    fixture.server.next(Behaviour::CloseBeforeAnswer);
    let received = fixture.receive(&fixture.fake.requests("ana", SOCIAL_CONNECT));
    let reply = received.expect("taken").reply.reply(&[Taken::Again]).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_does_not_answer_a_pass_delays_the_reply_by_two_seconds() {
    // Paused time jumps: no other limit may be reached before the one that is tested.
    let patient = |config: &mut MessengerConfig| config.connect_timeout = Duration::from_mins(1);
    let fixture = Fixture::with(patient).await;
    fixture.says("ana", "m_1");
    fixture.server.next(Behaviour::Silent);
    let received = fixture.receive(&fixture.fake.requests("ana", SOCIAL_CONNECT));
    let begun = tokio::time::Instant::now();
    let reply = received.expect("taken").reply.reply(&[Taken::Again]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(
        begun.elapsed() <= Duration::from_millis(2100),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn requests_are_only_told_where_that_is_the_setting_or_nobody_asks() {
    let ignores = Fixture::with(|config| config.thread_requests = ThreadRequests::Ignore).await;
    let passes = Fixture::new().await;
    let nobody = json!({ "request_thread_control": { "metadata": "" } });
    for (fixture, body) in [
        (&ignores, ignores.fake.requests("ana", SOCIAL_CONNECT)),
        (&passes, passes.fake.requests("ana", APP)),
        (&passes, passes.fake.update("ana", "messaging", nobody)),
    ] {
        let received = fixture.receive(&body).expect("taken");
        let SourceBody::Unknown { event_type, .. } = &received.events[0].body else {
            panic!("{:?}", received.events);
        };
        assert_eq!(event_type, "request_thread_control");
        assert_eq!(received.events[0].owner, None);
        received.reply.reply(&[Taken::Again]).await;
        assert!(fixture.fake.calls().is_empty());
    }
}

async fn read(fixture: &Fixture) -> Result<Observed, NotRead> {
    fixture.source.read_owner(&Address::write("ana")).await
}

#[tokio::test]
async fn fb_19_the_agent_owns_what_our_app_owns_until_control_ends() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let owner = read(&fixture).await.expect("an owner");
    assert_eq!(
        (owner.owner, owner.evidence),
        (Owner::Agent, Evidence::Read)
    );
    let until = milliseconds(fixture.fake.control_until("ana"));
    assert_eq!(owner.expires_at, Some(until));
    let request = fixture.server.last_request();
    assert_eq!(request.method, "GET");
    assert!(
        request.path.ends_with("/thread_owner?recipient=ana"),
        "{}",
        request.path
    );

    fixture.fake.takes("ana", INBOX);
    assert_eq!(read(&fixture).await.expect("an owner").owner, Owner::Human);
}

#[tokio::test]
async fn fb_20_an_answer_that_only_says_until_when_means_somebody_else() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    fixture.fake.remove_default();
    let owner = read(&fixture).await.expect("an owner");
    assert_eq!(owner.owner, Owner::Human);
    let until = milliseconds(fixture.fake.control_until("ana"));
    assert_eq!(owner.expires_at, Some(until));
}

#[tokio::test]
async fn fb_21_what_nobody_owns_or_owns_no_more_is_the_default_apps() {
    let fixture = Fixture::new().await;
    let past = json!({ "data": [{ "thread_owner": { "app_id": INBOX, "expiration": 1 } }] });
    for idle in ["{\"data\":[]}", "{}", &past.to_string()] {
        fixture.server.next(Behaviour::answer(200, idle));
        let owner = read(&fixture).await.expect("an owner");
        assert_eq!(owner, Observed::read(Owner::Agent), "{idle}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_understood_is_no_owner() {
    let fixture = Fixture::new().await;
    for odd in [
        "{\"data\":[{}]}",
        "{\"data\":7}",
        "{\"data\":[{\"thread_owner\":{}}]}",
    ] {
        fixture.server.next(Behaviour::answer(200, odd));
        let owner = read(&fixture).await.expect("an answer");
        assert_eq!(owner.owner, Owner::Unknown, "{odd}");
        assert!(!owner.unknown.is_empty());
    }
    for none in [
        Behaviour::answer(200, "cut"),
        Behaviour::answer(500, ""),
        Behaviour::CloseBeforeAnswer,
    ] {
        fixture.server.next(none);
        assert_eq!(read(&fixture).await, Err(NotRead::Later { after: None }));
    }
    let NotRead::Refused { detail } = read(&fixture).await.expect_err("an unknown visitor") else {
        panic!("not refused");
    };
    assert!(detail.contains("2018001"), "{detail}");
}
