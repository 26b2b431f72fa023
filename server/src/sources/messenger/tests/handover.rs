//! Checks FB-16 to FB-18 and FB-35: giving a visitor away, and taking them back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{HandOverBy, TakeBackBy, address::Address, send::TEXT_CHARS},
    fake::{APP, INBOX, SOCIAL_CONNECT},
    fake_server::Behaviour,
    fixture::Fixture,
};
use crate::domain::{
    Id,
    outbound::{Refusal, Sent},
    ports::Source,
    source::Handover,
};

fn handover(text: Option<&str>) -> Handover {
    Handover {
        conversation_id: Id::trusted("c-1"),
        target: "billing".to_owned(),
        text: text.map(str::to_owned),
        note: "Ana Almeida wants her money back".to_owned(),
    }
}

async fn escalate(fixture: &Fixture, text: Option<&str>) -> Sent {
    let address = Address::write("ana");
    fixture.source.escalate(&address, &handover(text)).await
}

async fn resume(fixture: &Fixture) -> Sent {
    let note = "Ana Almeida has her money back";
    fixture.source.resume(&Address::write("ana"), note).await
}

#[tokio::test]
async fn fb_16_an_escalation_passes_control_with_metadata_that_is_one_text() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    assert_eq!(escalate(&fixture, None).await, Sent::Acknowledged);
    let passes = fixture.fake.calls_to("pass_thread_control");
    assert_eq!(passes.len(), 1);
    let body = &passes[0].body;
    assert_eq!(body["recipient"], json!({ "id": "ana" }));
    assert_eq!(body["target_app_id"], SOCIAL_CONNECT);
    let metadata: Value =
        serde_json::from_str(body["metadata"].as_str().expect("text")).expect("JSON text");
    // Neither the note nor anything else that names the visitor.
    assert_eq!(metadata, json!({ "reason": "escalation", "conv": "c-1" }));
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));
}

#[tokio::test]
async fn fb_17_without_an_app_to_hand_over_to_nothing_leaves() {
    let fixture = Fixture::with(|config| config.handover_app_id = None).await;
    fixture.says("ana", "m_1");
    assert!(!fixture.source.capabilities().hands_over);
    for text in [None, Some("Un conseiller arrive")] {
        let Sent::Refused { refusal, detail } = escalate(&fixture, text).await else {
            panic!("not refused");
        };
        assert_eq!(refusal, Refusal::Request);
        assert!(detail.contains("handover_app_id"), "{detail}");
    }
    assert!(fixture.server.requests().is_empty());
}

#[tokio::test]
async fn fb_18_an_escalation_with_words_is_one_call() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let sent = escalate(&fixture, Some("Un conseiller arrive")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    let calls = fixture.fake.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].edge, "messages");
    let body = &calls[0].body;
    assert_eq!(body["message"]["text"], "Un conseiller arrive");
    let control = json!({ "control_type": "pass", "app_id": SOCIAL_CONNECT });
    assert_eq!(body["thread_control"], control);
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));

    // Once more: somebody else has the visitor, and nothing more is shown.
    let again = escalate(&fixture, Some("Un conseiller arrive")).await;
    assert_eq!(again, Sent::Acknowledged);
    assert_eq!(fixture.fake.shown("ana").len(), 1);
}

#[tokio::test]
async fn words_that_come_too_late_do_not_keep_a_visitor_from_the_humans() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    fixture.pass_time(Duration::from_hours(25));
    let sent = escalate(&fixture, Some("Un conseiller arrive")).await;
    assert_eq!(sent, Sent::Acknowledged);
    assert!(fixture.fake.shown("ana").is_empty());
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));
}

#[tokio::test]
async fn a_visitor_who_is_spoken_to_too_fast_is_handed_over_at_once_without_words() {
    for hand_over_by in [HandOverBy::Pass, HandOverBy::Release] {
        let fixture = Fixture::with(|config| config.hand_over_by = hand_over_by).await;
        fixture.says("ana", "m_1");
        fixture.fake.passes("ana", APP);
        fixture.fake.limit("ana", true);
        // The first meets the platform's refusal, the second the pause that it began.
        for refused_before in [false, true] {
            let sent = escalate(&fixture, Some("Un conseiller arrive")).await;
            assert_eq!(sent, Sent::Acknowledged, "{refused_before}");
            assert_ne!(fixture.fake.owner("ana").as_deref(), Some(APP));
            fixture.fake.passes("ana", APP);
        }
        assert_eq!(fixture.fake.calls_to("messages").len(), 1);
        assert!(fixture.fake.shown("ana").is_empty());
    }
}

#[tokio::test]
async fn words_that_the_platform_does_not_like_do_not_keep_a_visitor_from_the_humans() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    let error = json!({ "error": { "code": 100, "message": "no" } }).to_string();
    fixture.server.next(Behaviour::answer(400, &error));
    let sent = escalate(&fixture, Some("Un conseiller arrive")).await;
    assert_eq!(sent, Sent::Acknowledged);
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));
}

#[tokio::test]
async fn words_that_are_too_long_or_blank_do_not_either() {
    let fixture = Fixture::new().await;
    fixture.says("ana", "m_1");
    escalate(&fixture, Some(&"é".repeat(TEXT_CHARS + 1))).await;
    let shown = fixture.fake.shown("ana");
    assert_eq!(shown[0]["text"], "é".repeat(TEXT_CHARS));
    fixture.fake.takes("ana", APP);
    assert_eq!(escalate(&fixture, Some(" ")).await, Sent::Acknowledged);
    assert_eq!(fixture.fake.shown("ana").len(), 1);
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));
}

#[tokio::test]
async fn an_app_that_does_not_exist_is_told_by_the_setting_that_names_it() {
    let fixture = Fixture::with(|config| {
        config.handover_app_id = Some(super::super::GraphId::new("999"));
    })
    .await;
    fixture.says("ana", "m_1");
    let Sent::Refused { refusal, detail } = escalate(&fixture, None).await else {
        panic!("not refused");
    };
    assert_eq!(refusal, Refusal::Request);
    assert!(detail.contains("handover_app_id"), "{detail}");
}

#[tokio::test]
async fn the_visitor_is_taken_back_from_whoever_has_them_without_saying_why() {
    let fixture = Fixture::new().await;
    for app in [SOCIAL_CONNECT, INBOX, APP] {
        fixture.fake.passes("ana", app);
        assert_eq!(resume(&fixture).await, Sent::Acknowledged);
        assert_eq!(fixture.fake.owner("ana").as_deref(), Some(APP));
    }
    let takes = fixture.fake.calls_to("take_thread_control");
    let expected = json!({ "recipient": { "id": "ana" }, "metadata": "{\"reason\":\"handback\"}" });
    assert!(takes.iter().all(|take| take.body == expected));
    assert_eq!(
        fixture.fake.calls().len(),
        takes.len(),
        "nothing is extended unless it is set"
    );
}

#[tokio::test]
async fn taking_back_is_refused_where_the_page_has_no_default_app() {
    let fixture =
        Fixture::with(|config| config.extend_control = Some(Duration::from_hours(48))).await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    fixture.fake.remove_default();
    let Sent::Refused { refusal, detail } = resume(&fixture).await else {
        panic!("not refused");
    };
    assert_eq!(refusal, Refusal::Request);
    assert!(detail.contains("routing"), "{detail}");
    assert_eq!(
        fixture.fake.calls().len(),
        1,
        "nothing that is not ours is extended"
    );
}

#[tokio::test]
async fn fb_35_control_is_extended_by_seven_days_at_most() {
    for (span, seconds) in [
        (Duration::from_hours(8 * 24), 604_800),
        (Duration::from_hours(48), 172_800),
    ] {
        let fixture = Fixture::with(|config| config.extend_control = Some(span)).await;
        fixture.fake.passes("ana", SOCIAL_CONNECT);
        assert_eq!(resume(&fixture).await, Sent::Acknowledged);
        let extended = fixture.fake.calls_to("extend_thread_control");
        assert_eq!(extended.len(), 1);
        let expected = json!({ "recipient": { "id": "ana" }, "duration": seconds });
        assert_eq!(extended[0].body, expected);
        assert!(extended[0].succeeded);
    }
}

#[tokio::test]
async fn an_app_that_is_not_the_default_one_lets_go_of_a_visitor_with_words_or_without() {
    let fixture = Fixture::with(|config| {
        config.hand_over_by = HandOverBy::Release;
        config.handover_app_id = None;
    })
    .await;
    assert!(fixture.source.capabilities().hands_over);
    fixture.says("ana", "m_1");
    fixture.fake.passes("ana", APP);
    assert_eq!(escalate(&fixture, None).await, Sent::Acknowledged);
    let releases = fixture.fake.calls_to("release_thread_control");
    assert_eq!(releases[0].body["recipient"], json!({ "id": "ana" }));
    assert_eq!(fixture.fake.owner("ana"), None);

    fixture.fake.passes("ana", APP);
    let sent = escalate(&fixture, Some("Un conseiller arrive")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    let calls = fixture.fake.calls_to("messages");
    let control = json!({ "control_type": "release" });
    assert_eq!(calls[0].body["thread_control"], control);
}

#[tokio::test]
async fn an_app_that_is_not_the_default_one_asks_for_a_visitor_back() {
    let fixture = Fixture::with(|config| config.take_back_by = TakeBackBy::Request).await;
    fixture.fake.passes("ana", SOCIAL_CONNECT);
    assert_eq!(resume(&fixture).await, Sent::Acknowledged);
    let requests = fixture.fake.calls_to("request_thread_control");
    assert_eq!(requests[0].body["recipient"], json!({ "id": "ana" }));
    // Whoever has the visitor decides.
    assert_eq!(fixture.fake.owner("ana").as_deref(), Some(SOCIAL_CONNECT));
}
