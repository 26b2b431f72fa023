//! Calls: their credentials, their answers, and how many there may be.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::{
    super::{
        Ownership, SocialConnectConfig, answer,
        budget::{Budget, Share},
    },
    fixture::{Stage, TODAY, twitter, whatsapp},
};
use crate::{
    domain::{
        Clock, Timestamp,
        outbound::{Refusal, Sent},
        ports::Source,
        source::NotRead,
    },
    simulate::social_connect::{Call, Failure},
    sources::conformance::{SECRET, handover, text as item},
    tests::fake_server::Behaviour,
};

#[tokio::test]
async fn qsc_03_every_call_carries_the_token_in_its_header_and_nowhere_else() {
    let stage = Stage::new().await;
    for source in [stage.by_handover(), stage.by_tag()] {
        let contact = stage.met(&source, &whatsapp());
        source.deliver(&contact.address, &item("Hello")).await;
        source.escalate(&contact.address, &handover()).await;
        source.resume(&contact.address, "").await;
        source.read_owner(&contact.address).await.expect("an owner");
        let since = stage.place.clock.now();
        source
            .read_back(&contact.address, &item("Hello"), since)
            .await
            .expect("found");
        source.look(since).await.expect("a list");
    }
    let requests = stage.server.requests();
    assert!(requests.len() >= 12, "{}", requests.len());
    for request in requests {
        let all = request.headers.get_all("authorization").iter().count();
        assert_eq!(
            (all, request.header("authorization")),
            (1, format!("Bearer token-{SECRET}").as_str())
        );
        assert!(!request.path.contains("token"), "{}", request.path);
        assert!(!String::from_utf8_lossy(&request.body).contains(SECRET));
    }
}

#[test]
fn qsc_04_a_success_holds_its_payload() {
    let body = br#"{"meta":{"code":200},"response":{"id":1}}"#;
    assert_eq!(
        answer::read(StatusCode::OK, Some(body)),
        Ok(json!({ "id": 1 }))
    );
}

#[tokio::test]
async fn qsc_05_a_success_with_a_failure_inside_is_none() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    for inside in [
        r#"{"meta":{"code":500},"response":{}}"#,
        r#"{"response":{"tags":[]}}"#,
        "{}",
        "[]",
        "",
    ] {
        stage.server.next(Behaviour::answer(200, inside));
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert_eq!(sent, Sent::Unclear, "{inside}");
        stage.server.next(Behaviour::answer(200, inside));
        let read = source.read_owner(&contact.address).await;
        assert_eq!(
            read,
            Err(NotRead::Later {
                after: Some(Duration::from_secs(10))
            }),
            "{inside}"
        );
    }
    let denied = r#"{"meta":{"code":403},"response":null}"#;
    stage.server.next(Behaviour::answer(200, denied));
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert!(
        matches!(
            sent,
            Sent::Refused {
                refusal: Refusal::Credentials,
                ..
            }
        ),
        "{sent:?}"
    );
}

#[tokio::test]
async fn qsc_06_a_missing_permission_is_permanent_and_named() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let body = r#"{"code":403,"error":"no_permission","error_description":"d"}"#;
    stage.server.next(Behaviour::answer(403, body));
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let detail = "no_permission (HTTP 403)".to_owned();
    let refusal = Refusal::Credentials;
    assert_eq!(sent, Sent::Refused { refusal, detail });
    assert_eq!(stage.server.requests().len(), 1);
}

#[tokio::test]
async fn qsc_07_after_the_limit_no_call_is_made_until_it_is_reset() {
    for status in [400, 429] {
        let stage = Stage::new().await;
        let source = stage.by_tag();
        let contact = stage.met(&source, &twitter());
        let reached = Behaviour::answer(status, r#"{"error":"rate_limit_reached"}"#)
            .with_header("X-RateLimit-Reset", &(TODAY + 90).to_string());
        stage.server.next(reached);
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        let after = Some(Duration::from_secs(90));
        assert_eq!(sent, Sent::NotNow { after });
        stage.place.clock.advance(Duration::from_secs(80));
        let after = Some(Duration::from_secs(10));
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert_eq!(sent, Sent::NotNow { after });
        let sent = source.escalate(&contact.address, &handover()).await;
        assert_eq!(
            sent,
            Sent::NotNow { after },
            "the reserve does not help here"
        );
        let read = source.read_owner(&contact.address).await;
        assert_eq!(read, Err(NotRead::Later { after }));
        assert_eq!(stage.server.requests().len(), 1, "the token is left alone");
        stage.place.clock.advance(Duration::from_secs(10));
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
        assert_eq!(stage.server.requests().len(), 2);
    }
}

#[tokio::test]
async fn qsc_08_a_400_that_is_no_limit_is_permanent_and_closes_nothing() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let failure = Failure::error(400, "invalid_parameter");
    stage.place.platform.fail_next(Call::Publish, failure);
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let detail = "invalid_parameter (HTTP 400)".to_owned();
    let refusal = Refusal::Request;
    assert_eq!(sent, Sent::Refused { refusal, detail });
    assert_eq!(stage.server.requests().len(), 1, "not repeated");
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
}

#[tokio::test]
async fn qsc_09_an_unknown_error_is_permanent_and_keeps_its_name() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let long = format!("{{\"error\":\"{}\"}}", "é".repeat(500));
    for (body, expected) in [
        (
            r#"{"error":"the_moon_is_full"}"#,
            "the_moon_is_full (HTTP 400)",
        ),
        (r#"{"error":["odd"]}"#, "HTTP 400"),
        ("<html>", "HTTP 400"),
        (long.as_str(), &format!("{} (HTTP 400)", "é".repeat(50))),
    ] {
        stage.server.next(Behaviour::answer(400, body));
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        let Sent::Refused { refusal, detail } = sent else {
            panic!("{sent:?}");
        };
        assert_eq!((refusal, detail.as_str()), (Refusal::Request, expected));
    }
    let moon = Behaviour::answer(500, r#"{"error":"the_moon_is_full"}"#);
    stage.server.next(moon);
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert_eq!(sent, Sent::Unclear, "with 5xx it may pass");
}

#[tokio::test]
async fn an_id_that_is_not_found_cannot_be_reached() {
    let stage = Stage::new().await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    let address = contact.address.replace("43769358878509001", "5");
    let sent = source.deliver(&address, &item("Hello")).await;
    assert!(
        matches!(
            sent,
            Sent::Refused {
                refusal: Refusal::Unreachable,
                ..
            }
        ),
        "{sent:?}"
    );
}

#[tokio::test]
async fn messages_leave_the_reserve_to_handovers() {
    let stage = Stage::new().await;
    let source = stage.source(|config| {
        config.calls_per_hour = 5;
        config.reserve_for_handovers = 2;
        config.ownership = Ownership::Handover;
    });
    let contact = stage.met(&source, &whatsapp());
    for _ in 0..3 {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    }
    stage.place.clock.advance(Duration::from_mins(10));
    let after = Some(Duration::from_mins(50));
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert_eq!(sent, Sent::NotNow { after });
    let looked = source.look(stage.place.clock.now()).await;
    assert_eq!(looked.err(), Some(NotRead::Later { after }));
    for _ in 0..2 {
        let sent = source.escalate(&contact.address, &handover()).await;
        assert_eq!(sent, Sent::Acknowledged);
    }
    let sent = source.escalate(&contact.address, &handover()).await;
    assert_eq!(sent, Sent::NotNow { after });
    assert_eq!(stage.server.requests().len(), 5);
    stage.place.clock.advance(Duration::from_mins(50));
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
}

#[tokio::test]
async fn questions_who_owns_leave_half_of_the_reserve_to_handovers() {
    let stage = Stage::new().await;
    let source = stage.source(|config| {
        config.calls_per_hour = 4;
        config.reserve_for_handovers = 2;
        config.ownership = Ownership::Handover;
    });
    let contact = stage.met(&source, &whatsapp());
    for _ in 0..3 {
        source.read_owner(&contact.address).await.expect("an owner");
    }
    let read = source.read_owner(&contact.address).await;
    let after = Some(Duration::from_hours(1));
    assert_eq!(read, Err(NotRead::Later { after }));
    let sent = source.escalate(&contact.address, &handover()).await;
    assert_eq!(sent, Sent::Acknowledged);
}

#[tokio::test]
async fn a_call_that_found_no_connection_does_not_count() {
    let stage = Stage::new().await;
    let source = stage.source(|config| {
        config.calls_per_hour = 2;
        config.reserve_for_handovers = 1;
    });
    let contact = stage.met(&source, &twitter());
    stage.server.stop().await;
    for _ in 0..3 {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert_eq!(sent, Sent::NotSent);
    }
}

#[test]
fn answers_that_overtake_each_other_and_calls_on_their_way_are_counted() {
    let now = Timestamp(TODAY * 1_000_000);
    let budget = Budget::new(&SocialConnectConfig {
        calls_per_hour: 100,
        reserve_for_handovers: 10,
        ..SocialConnectConfig::default()
    });
    let says = |left: u32| {
        let header = |name, value: i64| (HeaderName::from_static(name), HeaderValue::from(value));
        HeaderMap::from_iter([
            header("x-ratelimit-remaining", left.into()),
            header("x-ratelimit-reset", TODAY + 60),
        ])
    };
    let first = budget.take(Share::Messages, now).expect("the first call");
    let careful = budget.take(Share::Messages, now).err();
    assert_eq!(
        careful,
        Some(Duration::from_secs(1)),
        "one at a time until the first answer"
    );
    budget
        .take(Share::Owner, now)
        .expect("handovers do not wait");
    budget.heed(&says(14), now);
    drop(first);
    let overtaken = budget.take(Share::Messages, now).expect("13 are left");
    let on_its_way = budget.take(Share::Messages, now).expect("12 are left");
    budget.heed(&says(13), now);
    drop(overtaken);
    budget.heed(&says(14), now);
    drop(on_its_way);
    // The one that was on its way counts: 12 are left, two of them for messages.
    for _ in 0..2 {
        budget.take(Share::Messages, now).expect("a call is left");
    }
    assert!(budget.take(Share::Messages, now).is_err());
}

#[tokio::test]
async fn what_the_answers_say_is_left_counts_as_well() {
    let stage = Stage::with(|settings| settings.calls_per_hour = 33).await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    for _ in 0..3 {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    }
    // 30 are left there, as many as are kept for handovers here.
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    let after = Some(Duration::from_hours(1));
    assert_eq!(sent, Sent::NotNow { after });
    assert_eq!(stage.place.platform.count(Call::Publish), 3);
    let sent = source.escalate(&contact.address, &handover()).await;
    assert_eq!(sent, Sent::Acknowledged);
}

#[tokio::test]
async fn a_restarted_source_learns_from_the_first_answers_that_the_limit_is_reached() {
    let stage = Stage::with(|settings| settings.calls_per_hour = 1).await;
    let source = stage.by_tag();
    let contact = stage.met(&source, &twitter());
    source.deliver(&contact.address, &item("Hello")).await;
    let source = stage.by_tag();
    let after = Some(Duration::from_hours(1));
    for _ in 0..3 {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        assert_eq!(sent, Sent::NotNow { after });
    }
    assert_eq!(
        stage.place.platform.count(Call::Publish),
        2,
        "one was one too many"
    );
}
