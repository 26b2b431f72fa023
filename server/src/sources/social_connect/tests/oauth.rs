//! Tokens: granted, kept in a file, renewed before their end.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use super::{
    super::{Grant, OAuth, OAuthError, Ownership, SocialConnect, SocialConnectConfig},
    fixture::{Stage, TODAY, twitter},
};
use crate::{
    domain::{
        outbound::{Refusal, Sent},
        ports::Source,
    },
    simulate::social_connect::{Call, Failure},
    sources::conformance::{SECRET, text as item},
    tests::fake_server::Behaviour,
};

pub(super) fn by_file(stage: &Stage) -> SocialConnect {
    stage.source(|config| {
        config.token = None;
        config.token_file = Some(stage.place.file("tokens.json"));
    })
}

fn oauth(stage: &Stage, change: impl FnOnce(&mut SocialConnectConfig)) -> OAuth {
    let mut config = stage.place.config(&stage.server.url());
    change(&mut config);
    OAuth::new(&config, stage.place.clock.clone()).expect("a host that may be reached")
}

/// The file's tokens, granted now.
pub(super) async fn login(stage: &Stage) -> Grant {
    let grant = oauth(stage, |_| {})
        .exchange(&stage.place.platform.new_code())
        .await;
    let grant = grant.expect("a grant");
    let file = stage.place.tokens(&stage.place.file("tokens.json"));
    file.write(&grant).expect("written");
    grant
}

pub(super) fn kept(stage: &Stage) -> Grant {
    let file = stage.place.tokens(&stage.place.file("tokens.json"));
    file.read().expect("tokens").grant
}

#[tokio::test]
async fn qsc_01_the_address_where_access_is_granted_is_the_contracts() {
    let stage = Stage::new().await;
    let oauth = oauth(&stage, |config| {
        config.oauth_host = "https://app.engagor.com/".to_owned();
        config.ownership = Ownership::Handover;
    });
    assert_eq!(
        oauth.authorize_url("x y"),
        "https://app.engagor.com/oauth/authorize/?client_id=parloir-app&response_type=code\
         &scope=accounts_read%20accounts_write%20accounts_handover&state=x%20y"
    );
}

#[tokio::test]
async fn qsc_02_a_token_is_renewed_before_its_end_and_kept_for_us_alone() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    assert_eq!(first.expires_at, Some(TODAY + 3600));
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(54));
    source.deliver(&contact.address, &item("one")).await;
    assert_eq!(
        stage.server.requests().len(),
        2,
        "the exchange and the message: not renewed yet"
    );
    stage.place.clock.advance(Duration::from_mins(2));
    let sent = source.deliver(&contact.address, &item("two")).await;
    assert!(matches!(sent, Sent::AcknowledgedAs { .. }), "{sent:?}");
    let requests = stage.server.requests();
    assert_eq!(requests.len(), 4);
    let asked = &requests[2].path;
    let expected = format!(
        "/oauth/access_token/?client_id=parloir-app&client_secret=client-{SECRET}&grant_type=refresh_token&refresh_token={}",
        first.refresh_token
    );
    assert_eq!((requests[2].method.as_str(), asked), ("GET", &expected));
    let next = kept(&stage);
    assert_eq!(next.expires_at, Some(TODAY + 56 * 60 + 3600));
    assert_ne!(next.access_token, first.access_token);
    assert_eq!(
        requests[3].header("authorization"),
        format!("Bearer {}", next.access_token)
    );
    let mode = fs::metadata(stage.place.file("tokens.json"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn many_calls_at_a_tokens_end_renew_it_once() {
    let stage = Stage::new().await;
    login(&stage).await;
    let source = Arc::new(by_file(&stage));
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(58));
    let calls = (0..8).map(|_| async { source.read_owner(&contact.address).await.is_ok() });
    let read = futures_util::future::join_all(calls).await;
    assert_eq!(read, [true; 8]);
    assert_eq!(
        stage.place.platform.count(Call::OAuth),
        2,
        "the exchange, and one renewal"
    );
}

#[tokio::test]
async fn a_renewal_outlives_the_call_that_asked_for_it() {
    let stage = Stage::new().await;
    let first = login(&stage).await;
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(58));
    stage.server.hold();
    {
        let call = source.read_owner(&contact.address);
        let arrived = stage.server.wait_for(2);
        tokio::select! {
            _ = call => panic!("it cannot end"),
            () = arrived => {}
        }
    }
    stage.server.release();
    source.read_owner(&contact.address).await.expect("an owner");
    assert_ne!(kept(&stage).access_token, first.access_token);
    assert_eq!(
        stage.place.platform.count(Call::OAuth),
        2,
        "what was renewed was not lost"
    );
}

#[tokio::test]
async fn while_a_token_lives_a_failed_renewal_hinders_nothing() {
    let stage = Stage::new().await;
    login(&stage).await;
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_mins(58));
    stage
        .place
        .platform
        .fail_next(Call::OAuth, Failure::error(500, "internal_server_error"));
    for _ in 0..3 {
        source.read_owner(&contact.address).await.expect("an owner");
    }
    assert_eq!(
        stage.place.platform.count(Call::OAuth),
        2,
        "tried once a minute"
    );
    stage.place.clock.advance(Duration::from_mins(1));
    source.read_owner(&contact.address).await.expect("an owner");
    assert_eq!(stage.place.platform.count(Call::OAuth), 3);
}

#[tokio::test]
async fn a_token_that_is_over_and_cannot_be_renewed_is_told_apart() {
    let stage = Stage::new().await;
    login(&stage).await;
    let source = by_file(&stage);
    let contact = stage.met(&source, &twitter());
    stage.place.clock.advance(Duration::from_hours(2));
    stage
        .place
        .platform
        .fail_next(Call::OAuth, Failure::reset(false));
    let sent = source.deliver(&contact.address, &item("Hello")).await;
    assert_eq!(sent, Sent::NotSent, "it may pass");
    fs::write(
        stage.place.file("tokens.json"),
        r#"{"access_token":"a","refresh_token":"gone","expires_at":1}"#,
    )
    .expect("written");
    stage.place.clock.advance(Duration::from_mins(2));
    for broken in [true, false] {
        let sent = source.deliver(&contact.address, &item("Hello")).await;
        let Sent::Refused { refusal, detail } = sent else {
            panic!("{sent:?}");
        };
        assert_eq!(refusal, Refusal::Credentials);
        assert!(
            !detail.contains("gone") && !detail.contains(SECRET),
            "{detail}"
        );
        assert_eq!(detail.contains("invalid_grant"), broken, "{detail}");
        fs::write(stage.place.file("tokens.json"), "{").expect("written");
    }
    assert_eq!(stage.place.platform.count(Call::Publish), 0);
}

#[tokio::test]
async fn a_failure_that_passes_says_nothing_of_the_credentials() {
    let stage = Stage::new().await;
    let oauth = oauth(&stage, |_| {});
    for (status, error, passes) in [
        (500, "internal_server_error", true),
        (503, "", true),
        (408, "x", true),
        (429, "x", true),
        (400, "rate_limit_reached", true),
        (400, "temporarily_unavailable", true),
        (400, "server_error", true),
        (400, "invalid_grant", false),
    ] {
        let body = format!(r#"{{"error":"{error}"}}"#);
        stage.server.next(Behaviour::answer(status, &body));
        let asked = oauth.exchange("code").await;
        let expected = if passes {
            OAuthError::Unclear
        } else {
            OAuthError::Refused(error.to_owned())
        };
        assert_eq!(asked, Err(expected), "{status} {error}");
    }
}

#[tokio::test]
async fn a_code_counts_once_and_a_wrong_secret_never() {
    let stage = Stage::new().await;
    let code = stage.place.platform.new_code();
    let wrong = oauth(&stage, |config| {
        config.client_secret = Some(stage.place.secret("wrong", "wrong"));
    });
    let refused = wrong.exchange(&code).await;
    assert_eq!(
        refused,
        Err(OAuthError::Refused("invalid_client".to_owned()))
    );
    let right = oauth(&stage, |_| {});
    let grant = right.exchange(&code).await.expect("a grant");
    assert_eq!(
        right.exchange(&code).await,
        Err(OAuthError::Refused("invalid_grant".to_owned()))
    );
    let printed = format!("{grant:?} {right:?}");
    assert!(
        !printed.contains(&grant.access_token) && !printed.contains(SECRET),
        "{printed}"
    );
    stage.server.stop().await;
    let gone = oauth(&stage, |_| {}).exchange(&code).await;
    assert_eq!(gone, Err(OAuthError::NotReached));
}
