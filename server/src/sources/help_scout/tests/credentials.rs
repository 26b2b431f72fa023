//! Access tokens and settings.

use std::time::Duration;

use super::{
    super::HelpScoutConfig,
    fixture::{APP_SECRET, CONVERSATION, Stage},
};
use crate::{
    config::problem::Problems,
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
    },
    secret::Secret,
    sources::conformance::text,
    tests::fake_server::Behaviour,
};

async fn deliver(stage: &Stage) -> Sent {
    stage.source.deliver(CONVERSATION, &text("Bonjour")).await
}

fn is_taken(sent: &Sent) -> bool {
    matches!(sent, Sent::AcknowledgedAs { .. })
}

fn tokens(stage: &Stage) -> usize {
    let requests = stage.server.requests();
    let tokens = requests
        .iter()
        .filter(|request| request.path == "/v2/oauth2/token");
    tokens.count()
}

#[tokio::test]
async fn one_token_serves_until_just_before_its_end() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        assert!(is_taken(&deliver(&stage).await));
    }
    assert_eq!(tokens(&stage), 1);
    stage
        .fixture
        .clock
        .advance(Duration::from_secs(172_800 - 61));
    assert!(is_taken(&deliver(&stage).await));
    assert_eq!(tokens(&stage), 1);
    stage.fixture.clock.advance(Duration::from_secs(1));
    assert!(is_taken(&deliver(&stage).await));
    assert_eq!(tokens(&stage), 2);
}

#[tokio::test]
async fn many_requests_at_once_fetch_one_token() {
    let stage = Stage::new().await;
    let sent = tokio::join!(deliver(&stage), deliver(&stage), deliver(&stage));
    for sent in [sent.0, sent.1, sent.2] {
        assert!(is_taken(&sent), "{sent:?}");
    }
    assert_eq!(tokens(&stage), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_fetched_anew_once() {
    let stage = Stage::new().await;
    deliver(&stage).await;
    stage.world().token += 1;
    assert!(
        is_taken(&deliver(&stage).await),
        "a new one is fetched on the way"
    );
    assert_eq!(tokens(&stage), 2);
    // Refused again with the new one: told, not tried for ever.
    stage.server.next(Behaviour::answer(401, "{}"));
    stage
        .server
        .next(Behaviour::answer(200, r#"{"access_token":"of no use"}"#));
    let sent = deliver(&stage).await;
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
    assert_eq!(tokens(&stage), 3);
}

#[tokio::test]
async fn an_app_that_is_refused_is_told_without_its_secret() {
    let stage = Stage::new().await;
    stage.fixture.put("app_secret", "wrong-5ecret");
    let Sent::Refused { refusal, detail } = deliver(&stage).await else {
        panic!("not refused");
    };
    assert_eq!(refusal, Refusal::Credentials);
    assert!(!detail.contains("5ecret"), "{detail}");
    stage.fixture.put("app_secret", APP_SECRET);
    assert!(is_taken(&deliver(&stage).await), "it is read anew");
}

#[tokio::test]
async fn without_a_token_nothing_was_sent() {
    let stage = Stage::new().await;
    for answer in [
        Behaviour::answer(500, "{}"),
        Behaviour::answer(200, "{}"),
        Behaviour::answer(200, "{"),
        Behaviour::ResetBeforeAnswer,
    ] {
        let named = format!("{answer:?}");
        stage.server.next(answer);
        assert_eq!(deliver(&stage).await, Sent::NotSent, "{named}");
    }
    stage
        .server
        .next(Behaviour::answer(429, "").with_header("x-ratelimit-retry-after", "9"));
    let retry_after = Some(Duration::from_secs(9));
    assert_eq!(deliver(&stage).await, Sent::Busy { retry_after });
    stage.fixture.put("app_secret", "");
    assert_eq!(deliver(&stage).await, Sent::NotSent);
    assert_eq!(stage.asked(), []);
}

fn problems(config: &HelpScoutConfig) -> String {
    let mut problems = Problems::default();
    config.check_all("h", &mut problems);
    problems.into_result().expect_err("problems").to_string()
}

#[test]
fn settings_that_cannot_work_are_named() {
    let told = problems(&HelpScoutConfig {
        base_url: "http://example.org".to_owned(),
        tag: " ".to_owned(),
        mailbox_id: Some(0),
        ..HelpScoutConfig::default()
    });
    for key in [
        "app_id",
        "app_secret",
        "webhook_secrets",
        "bot_user_id",
        "mailbox_id",
        "tag",
        "base_url",
    ] {
        assert!(told.contains(&format!("h.{key}")), "{key}: {told}");
    }
    let told = problems(&HelpScoutConfig {
        bot_user_id: 7,
        escalate_to: Some(7),
        ..HelpScoutConfig::default()
    });
    assert!(told.contains("h.escalate_to"), "{told}");
    assert!(!told.contains("h.base_url"), "{told}");
}

#[test]
fn every_secret_is_named() {
    let config = HelpScoutConfig {
        app_secret: Secret::in_environment("A"),
        webhook_secrets: ["B", "C"].map(Secret::in_environment).to_vec(),
        ..HelpScoutConfig::default()
    };
    let named: Vec<_> = config
        .secrets()
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(
        named,
        ["app_secret", "webhook_secrets[0]", "webhook_secrets[1]"]
    );
}
