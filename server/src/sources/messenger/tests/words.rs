//! Checks FB-6 to FB-8, FB-13 to FB-15, FB-36 and FB-37: what visitors and humans say, and what is kept of the rest.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::{
    fake::{APP, INBOX, PAGE, SOCIAL_CONNECT},
    fixture::{Fixture, TODAY_MS, milliseconds, said, words},
};
use crate::domain::{
    DeliveryState, Owner,
    outbound::Sent,
    owner::Evidence,
    ports::Source,
    source::{SourceBody, SourceEvent, Words},
};

fn unknown(event: &SourceEvent) -> (&str, Value) {
    match &event.body {
        SourceBody::Unknown { event_type, raw } => {
            (event_type, serde_json::from_str(raw).expect("JSON text"))
        }
        other => panic!("{other:?} is known"),
    }
}

#[tokio::test]
async fn a_visitors_words_come_with_who_and_when_and_that_we_answer() {
    let fixture = Fixture::new().await;
    let event = fixture.says("ana", "m_1");
    assert!(*words(&event) == Words::Text("bonjour".to_owned()));
    assert_eq!(event.event_id.as_deref(), Some("m_1"));
    assert_eq!(event.occurred_at, Some(milliseconds(TODAY_MS)));
    let contact = event.contact.expect("a contact");
    assert_eq!(contact.key, format!("{PAGE}:ana"));
    assert_eq!(contact.address, r#"{"psid":"ana"}"#);
    assert!(
        !event.contact_must_exist,
        "a visitor's own words make a contact"
    );
    let owner = event.owner.expect("an owner");
    assert_eq!(
        (owner.owner, owner.evidence),
        (Owner::Agent, Evidence::Pushed)
    );
    assert_eq!(owner.expires_at, None);
}

#[tokio::test]
async fn fb_06_a_message_that_comes_twice_has_one_id() {
    let fixture = Fixture::new().await;
    let body = fixture.fake.says("ana", "m_1", "bonjour");
    let (first, again) = (fixture.hears_one(&body), fixture.hears_one(&body));
    assert_eq!(first.event_id, again.event_id);
    // The same id, whichever of our roles it came in.
    let standby = body.replace("messaging", "standby");
    assert_eq!(fixture.hears_one(&standby).event_id, first.event_id);
}

#[tokio::test]
async fn whatever_has_no_id_of_its_own_gets_one_that_stays_and_is_no_other_events() {
    let fixture = Fixture::new().await;
    let kinds = [
        json!({ "referral": { "ref": "a" } }),
        json!({ "referral": { "ref": "b" } }),
        json!({ "optin": { "ref": "a" } }),
        json!({ "take_thread_control": { "new_owner_app_id": INBOX } }),
        json!({ "pass_thread_control": { "new_owner_app_id": INBOX } }),
        json!({ "postback": { "title": "Start", "payload": "START" } }),
    ];
    let mut ids = HashSet::new();
    for psid in ["ana", "ben"] {
        for kind in &kinds {
            let body = fixture.fake.update(psid, "messaging", kind.clone());
            let id = fixture.hears_one(&body).event_id.expect("an id");
            assert_eq!(fixture.hears_one(&body).event_id.as_ref(), Some(&id));
            assert!(ids.insert(id), "{kind} shares its id");
        }
    }
    fixture.pass_time(Duration::from_millis(1));
    let later = fixture.fake.update("ana", "messaging", kinds[0].clone());
    let id = fixture.hears_one(&later).event_id.expect("an id");
    assert!(ids.insert(id), "another moment is another event");
}

#[tokio::test]
async fn fb_07_what_comes_on_standby_is_told_as_a_humans_for_a_day_and_nothing_is_sent() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    let event = fixture.says("ana", "m_1");
    assert!(*words(&event) == Words::Text("bonjour".to_owned()));
    let owner = event.owner.expect("an owner");
    assert_eq!(
        (owner.owner, owner.evidence),
        (Owner::Human, Evidence::Pushed)
    );
    let tomorrow = milliseconds(TODAY_MS) + Duration::from_hours(24);
    assert_eq!(owner.expires_at, Some(tomorrow));
    assert!(fixture.fake.calls().is_empty());
}

#[tokio::test]
async fn fb_08_a_button_of_another_app_is_kept_and_is_no_message() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    let event = fixture.hears_one(&fixture.fake.taps_elsewhere("ana", "m_1", "Yes"));
    let (event_type, raw) = unknown(&event);
    assert_eq!(event_type, "postback");
    assert_eq!(raw["postback"]["title"], "Yes");
    assert_eq!(event.owner.expect("an owner").owner, Owner::Human);
    assert!(fixture.fake.calls().is_empty());
}

#[tokio::test]
async fn a_button_of_ours_is_a_choice_and_says_nothing_of_the_owner() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    let event = fixture.hears_one(&fixture.fake.taps("ana", "m_1", "Track it", "p:7:1"));
    let chosen = Words::Chosen {
        payload: "p:7:1".to_owned(),
        label: "Track it".to_owned(),
    };
    assert!(*words(&event) == chosen);
    assert_eq!(
        event.owner, None,
        "its sender is told whoever owns the conversation"
    );
}

#[tokio::test]
async fn a_button_or_quick_reply_that_is_none_of_ours_is_its_words() {
    let fixture = Fixture::new().await;
    let tapped = fixture
        .fake
        .taps("ana", "m_1", "Get started", "GET_STARTED");
    let replied = fixture
        .fake
        .chooses("ana", "m_2", "Get started", "GET_STARTED");
    for body in [tapped, replied] {
        let event = fixture.hears_one(&body);
        assert!(*words(&event) == Words::Text("Get started".to_owned()));
        let SourceBody::Message { raw, .. } = event.body else {
            panic!("no message");
        };
        assert!(
            raw.contains("GET_STARTED"),
            "what is not shown is kept: {raw}"
        );
    }
}

#[tokio::test]
async fn fb_13_roles_come_without_a_sender_and_are_remembered() {
    let fixture = Fixture::new().await;
    let address = fixture
        .says("ana", "m_1")
        .contact
        .expect("a contact")
        .address;
    fixture.pass_time(Duration::from_hours(25));
    let owner = async || fixture.source.read_owner(&address).await.expect("an owner");
    for (role, idle) in [
        ("secondary_receiver", Owner::Unknown),
        ("something_new", Owner::Unknown),
        ("primary_receiver", Owner::Agent),
    ] {
        let event = fixture.hears_one(&fixture.fake.tells_role(role));
        assert_eq!(event.contact, None);
        assert_eq!(unknown(&event).0, "app_roles");
        assert_eq!(owner().await.owner, idle, "{role}");
    }
}

#[tokio::test]
async fn fb_14_an_echo_of_our_own_app_is_ignored() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let as_number = fixture.fake.echoes("ana", "m_2", Some(APP), "hello");
    let as_text = as_number.replace(APP, &format!("\"{APP}\""));
    for body in [as_number, as_text] {
        assert_eq!(fixture.hears(&body), []);
    }
}

#[tokio::test]
async fn fb_15_an_echo_that_is_not_ours_is_a_humans_word_and_a_doubt() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    for (app, mid) in [
        (None, "m_2"),
        (Some(INBOX), "m_3"),
        (Some(SOCIAL_CONNECT), "m_4"),
    ] {
        let events = fixture.hears(&fixture.fake.echoes("ana", mid, app, "Lee here"));
        let [said, doubt] = &events[..] else {
            panic!("{events:?}");
        };
        let SourceBody::Human(said) = &said.body else {
            panic!("{said:?}");
        };
        assert_eq!(
            (said.text.as_str(), said.message_id.as_str()),
            ("Lee here", mid)
        );
        assert!(said.from_source);
        assert_eq!(doubt.body, SourceBody::Doubt);
        assert_ne!(events[0].event_id, events[1].event_id);
        let key = |event: &SourceEvent| event.contact.as_ref().map(|contact| contact.key.clone());
        assert_eq!(
            key(&events[0]),
            Some(format!("{PAGE}:ana")),
            "not the page, its sender"
        );
        assert_eq!(key(&events[1]), key(&events[0]));
    }
}

#[tokio::test]
async fn another_robots_echo_is_a_doubt_and_no_humans_word() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let events = fixture.hears(&fixture.fake.echoes("ana", "m_2", Some("777"), "beep"));
    assert_eq!(unknown(&events[0]).1["message"]["text"], "beep");
    assert_eq!(events[1].body, SourceBody::Doubt);
}

#[tokio::test]
async fn an_echo_on_standby_is_a_humans_word_and_leaves_no_doubt() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    let body = fixture
        .fake
        .echoes("ana", "m_2", Some(SOCIAL_CONNECT), "Lee here");
    let event = fixture.hears_one(&body);
    assert!(matches!(event.body, SourceBody::Human(_)));
    assert_eq!(event.owner.expect("an owner").owner, Owner::Human);
}

#[tokio::test]
async fn a_report_names_what_was_delivered_by_the_id_that_sending_gave() {
    let fixture = Fixture::new().await;
    let Sent::AcknowledgedAs { remote_id } = fixture.answers("ana").await else {
        panic!("not acknowledged under an id");
    };
    let events = fixture.hears(&fixture.fake.delivers("ana", &[&remote_id, "m_other"]));
    assert_eq!(events.len(), 2);
    let SourceBody::Report {
        remote_id: told,
        state,
        ..
    } = &events[0].body
    else {
        panic!("{events:?}");
    };
    assert_eq!((told, *state), (&remote_id, DeliveryState::Delivered));
    assert!(events[0].contact_must_exist);
    let read = json!({ "read": { "watermark": 1 } });
    assert_eq!(
        fixture.hears(&fixture.fake.update("ana", "messaging", read)),
        []
    );
}

#[tokio::test]
async fn fb_36_once_a_humans_day_is_over_the_visitor_is_ours_again_and_is_answered() {
    let fixture = Fixture::new().await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    let held = fixture.says("ana", "m_1").owner.expect("an owner");
    fixture.pass_time(Duration::from_hours(25));
    let event = fixture.says("ana", "m_2");
    let until = held.expires_at.expect("an end");
    assert!(
        event.occurred_at.expect("a time") > until,
        "what was known has ended"
    );
    assert_eq!(event.owner.expect("an owner").owner, Owner::Agent);
    let sent = fixture.deliver("ana", &said("hello again")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
}

#[tokio::test]
async fn fb_37_an_attachment_of_any_kind_is_kept_with_its_kind() {
    let fixture = Fixture::new().await;
    for kind in ["image", "fallback", "hologram"] {
        let event = fixture.hears_one(&fixture.fake.sends("ana", "m_1", kind));
        let (event_type, raw) = unknown(&event);
        assert_eq!(event_type, format!("attachment:{kind}"));
        assert_eq!(raw["message"]["attachments"][0]["type"], kind);
        assert!(event.contact.is_some());
    }
    // Nothing in it that could be named.
    let odd = [
        json!({ "mid": "m_2" }),
        json!({ "mid": "m_3", "text": "  " }),
        json!([1]),
        json!(7),
    ];
    for message in odd {
        let body = fixture
            .fake
            .update("ana", "messaging", json!({ "message": message }));
        assert_eq!(unknown(&fixture.hears_one(&body)).0, "message");
    }
}

#[tokio::test]
async fn words_beside_an_attachment_are_told_and_all_of_it_is_kept() {
    let fixture = Fixture::new().await;
    let message = json!({ "mid": "m_1", "text": "broken", "attachments": [{ "type": "image" }] });
    let body = fixture
        .fake
        .update("ana", "messaging", json!({ "message": message }));
    let SourceBody::Message { words, raw, .. } = fixture.hears_one(&body).body else {
        panic!("no message");
    };
    assert!(words == Words::Text("broken".to_owned()));
    assert!(raw.contains("attachments"), "{raw}");
}
