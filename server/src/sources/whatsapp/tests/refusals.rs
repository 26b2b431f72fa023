//! What the platform's codes lead to.

use std::time::Duration;

use serde_json::json;

use super::{
    fake::{BURST, error},
    fixture::{Stage, TOKEN, contact, value},
};
use crate::{
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
    },
    sources::conformance::text,
    tests::fake_server::Behaviour,
};

const PAIR: Duration = Duration::from_secs(6);
/// A second later.
const FIVE_LEFT: Duration = Duration::from_secs(5);

async fn deliver(stage: &Stage, to: &str) -> Sent {
    stage
        .source
        .deliver(&contact(to).address, &text("bonjour"))
        .await
}

async fn after(behaviour: Behaviour) -> Sent {
    let stage = Stage::new().await;
    stage.server.next(behaviour);
    deliver(&stage, "32").await
}

fn refusal(sent: &Sent) -> Option<Refusal> {
    match sent {
        Sent::Refused { refusal, .. } => Some(*refusal),
        _ => None,
    }
}

#[tokio::test]
async fn wa_12_a_closed_window_is_a_refusal_after_one_request() {
    let stage = Stage::new().await;
    stage
        .world
        .lock()
        .expect("a world")
        .silent
        .insert("32".to_owned());
    let sent = deliver(&stage, "32").await;
    assert_eq!(refusal(&sent), Some(Refusal::WindowClosed), "{sent:?}");
    assert_eq!(stage.server.requests().len(), 1);
}

#[tokio::test]
async fn wa_13_one_visitor_waits_six_seconds_and_others_do_not() {
    let stage = Stage::new().await;
    for _ in 0..BURST {
        assert!(matches!(
            deliver(&stage, "32").await,
            Sent::AcknowledgedAs { .. }
        ));
    }
    let wait = |after| Sent::NotNow { after: Some(after) };
    assert_eq!(deliver(&stage, "32").await, wait(PAIR));
    let asked = stage.server.requests().len();
    let second = Duration::from_secs(1);
    stage.fixture.clock.advance(second);
    assert_eq!(deliver(&stage, "32").await, wait(FIVE_LEFT));
    assert_eq!(
        stage.server.requests().len(),
        asked,
        "the platform was not asked again"
    );
    assert!(matches!(
        deliver(&stage, "33").await,
        Sent::AcknowledgedAs { .. }
    ));

    stage.world.lock().expect("a world").rest();
    stage.fixture.clock.advance(FIVE_LEFT);
    assert!(matches!(
        deliver(&stage, "32").await,
        Sent::AcknowledgedAs { .. }
    ));
}

#[tokio::test]
async fn wa_13_the_same_news_in_a_webhook_makes_that_visitor_wait_too() {
    let stage = Stage::new().await;
    let failed = |at: &str| {
        let status = json!({
            "id": "wamid.O", "status": "failed", "timestamp": at, "recipient_id": "32",
            "errors": [{ "code": 131_056, "title": "Pair rate limit hit" }],
        });
        value(&json!({ "statuses": [status] }))
    };
    stage.fixture.clock.advance(Duration::from_secs(100));
    stage.receive(&failed("50"));
    assert!(
        matches!(deliver(&stage, "32").await, Sent::AcknowledgedAs { .. }),
        "old news"
    );
    stage.receive(&failed("99"));
    let after = Some(Duration::from_secs(5));
    assert_eq!(deliver(&stage, "32").await, Sent::NotNow { after });
    assert!(matches!(
        deliver(&stage, "33").await,
        Sent::AcknowledgedAs { .. }
    ));
}

#[tokio::test]
async fn wa_15_a_code_in_text_counts_like_the_number() {
    for code in [json!(131_056), json!("131056"), json!(" 131056 ")] {
        let sent = after(error(400, code.clone(), "too fast")).await;
        assert_eq!(sent, Sent::NotNow { after: Some(PAIR) }, "{code}");
    }
}

#[tokio::test]
async fn each_code_leads_to_what_it_asks_for() {
    let stage = Stage::new().await;
    stage
        .world
        .lock()
        .expect("a world")
        .unreachable
        .insert("32".to_owned());
    assert_eq!(
        refusal(&deliver(&stage, "32").await),
        Some(Refusal::Unreachable)
    );
    for (code, expected) in [
        (131_051, Refusal::Request),
        (100, Refusal::Request),
        (10, Refusal::Credentials),
        (200, Refusal::Credentials),
        (299, Refusal::Credentials),
    ] {
        let sent = after(error(400, code, "no")).await;
        assert_eq!(refusal(&sent), Some(expected), "{code}");
    }
    for code in [4, 80_007, 130_429] {
        let answer = error(400, code, "slow down").with_header("retry-after", "9");
        let retry_after = Some(Duration::from_secs(9));
        assert_eq!(after(answer).await, Sent::Busy { retry_after }, "{code}");
    }
    for answer in [
        error(400, 131_000, "went wrong"),
        error(400, 131_016, "not available"),
        error(500, 100, "went wrong"),
        Behaviour::answer(503, "{}"),
        Behaviour::answer(408, ""),
        Behaviour::answer(302, ""),
    ] {
        assert_eq!(after(answer).await, Sent::Unclear);
    }
    let answer = error(429, 5, "slow down");
    assert_eq!(after(answer).await, Sent::Busy { retry_after: None });
}

#[tokio::test]
async fn a_token_that_must_not_be_used_is_not_used_again_until_it_changes() {
    for code in [0, 190, 368, 131_031, 131_048] {
        let stage = Stage::new().await;
        stage.server.next(error(400, code, "stop"));
        for _ in 0..3 {
            let sent = deliver(&stage, "32").await;
            assert_eq!(refusal(&sent), Some(Refusal::Credentials), "{code}");
        }
        assert_eq!(stage.server.requests().len(), 1, "{code}");
        stage.world.lock().expect("a world").token = Some("fresh-5ecret".to_owned());
        stage.replace_token("fresh-5ecret");
        assert!(matches!(
            deliver(&stage, "32").await,
            Sent::AcknowledgedAs { .. }
        ));
    }
}

#[tokio::test]
async fn a_permission_that_is_missing_stops_nothing_for_good() {
    let stage = Stage::new().await;
    stage.server.next(error(403, 10, "no permission"));
    assert_eq!(
        refusal(&deliver(&stage, "32").await),
        Some(Refusal::Credentials)
    );
    assert!(matches!(
        deliver(&stage, "32").await,
        Sent::AcknowledgedAs { .. }
    ));
}

#[tokio::test]
async fn a_refusals_detail_repeats_neither_token_nor_number() {
    let said = format!("{TOKEN} may not write to 32470000001");
    let stage = Stage::new().await;
    stage.server.next(error(400, 100, &said));
    let Sent::Refused { detail, .. } = deliver(&stage, "32470000001").await else {
        panic!("not refused");
    };
    assert!(detail.starts_with("100: "), "{detail}");
    assert!(
        detail.contains("[removed] may not write to [removed]"),
        "{detail}"
    );
}

#[tokio::test]
async fn an_acceptance_counts_whatever_stands_in_it() {
    for body in ["", "{broken", "[]", r#"{"messages":[]}"#] {
        assert_eq!(
            after(Behaviour::answer(200, body)).await,
            Sent::Acknowledged,
            "{body}"
        );
    }
    assert_eq!(after(Behaviour::Truncated(200)).await, Sent::Acknowledged);
}

#[tokio::test]
async fn a_token_that_cannot_be_read_or_sent_means_that_nothing_was_sent() {
    let stage = Stage::new().await;
    for bad in ["", "two\nlines"] {
        stage.replace_token(bad);
        assert_eq!(deliver(&stage, "32").await, Sent::NotSent, "{bad:?}");
    }
    assert!(stage.server.requests().is_empty());
}

#[test]
fn settings_that_cannot_work_are_named() {
    let mut config = super::super::WhatsappConfig {
        version: "v25/..".to_owned(),
        base_url: "http://example.org".to_owned(),
        list_button: "x".repeat(21),
        pair_interval: Duration::from_secs(5),
        ..super::super::WhatsappConfig::default()
    };
    let problems = |config: &super::super::WhatsappConfig| {
        let mut problems = crate::config::problem::Problems::default();
        config.check_all("w", &mut problems);
        problems.into_result().expect_err("problems").to_string()
    };
    let told = problems(&config);
    for key in [
        "phone_number_id",
        "access_token",
        "app_secrets",
        "verify_tokens",
        "version",
        "base_url",
        "list_button",
        "pair_interval",
    ] {
        assert!(told.contains(&format!("w.{key}")), "{key}: {told}");
    }
    config = super::super::WhatsappConfig::default();
    assert!(!problems(&config).contains("base_url"));
}

#[test]
fn every_secret_is_named() {
    let place = |name: &str| crate::secret::Secret::in_environment(name);
    let config = super::super::WhatsappConfig {
        access_token: place("A"),
        app_secrets: vec![place("B"), place("C")],
        verify_tokens: vec![place("D")],
        ..super::super::WhatsappConfig::default()
    };
    let named: Vec<_> = config
        .secrets()
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    let expected = [
        "access_token",
        "app_secrets[0]",
        "app_secrets[1]",
        "verify_tokens[0]",
    ];
    assert_eq!(named, expected);
}
