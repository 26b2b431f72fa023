//! Checks FB-1 to FB-5: who is believed, and how much comes at once.

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

use super::{
    fake::{self, VERIFY_TOKEN, entry, envelope, signature},
    fixture::{Fixture, Secrets, config, signed, source, webhook, words},
};
use crate::domain::{
    inbound::{Webhook, WebhookReply},
    ports::Source,
    source::Words,
    time::SystemClock,
};

async fn challenged(query: &str) -> WebhookReply {
    let fixture = Fixture::new().await;
    let webhook = Webhook {
        method: Method::GET,
        query: query.to_owned(),
        ..signed(b"", "")
    };
    let received = fixture.source.receive(&webhook).expect("an answer");
    assert!(received.events.is_empty());
    received.reply.reply(&[]).await
}

#[tokio::test]
async fn fb_01_a_challenge_with_a_verify_token_comes_back_as_it_is() {
    let reply = challenged(&format!(
        "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}"
    ))
    .await;
    assert_eq!(reply, WebhookReply::text(StatusCode::OK, "1158201444"));
}

#[tokio::test]
async fn fb_02_a_challenge_with_a_wrong_token_another_mode_or_none_is_answered_403_empty() {
    for query in [
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-token".to_owned(),
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=".to_owned(),
        "hub.mode=subscribe&hub.challenge=1".to_owned(),
        format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}"),
        format!("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}"),
        String::new(),
    ] {
        let reply = challenged(&query).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{query}");
        assert!(reply.body.is_empty());
    }
}

#[test]
fn fb_03_the_signature_is_the_one_of_the_contract() {
    let secrets = Secrets::new();
    let mut config = config("http://127.0.0.1:9", &secrets);
    config.app_secrets = vec![secrets.put("app_secret", "app-secret")];
    let source = source(&config, std::sync::Arc::new(SystemClock));
    let signature = "sha256=e6e9d7a842a48e17f43a34d6125d0d933e2aab92ee37f0993a4d493b50e3d438";
    let webhook = signed(br#"{"object":"page","entry":[]}"#, signature);
    assert_eq!(source.receive(&webhook).expect("taken").events, []);
}

#[tokio::test]
async fn fb_04_a_changed_byte_no_signature_or_an_older_one_is_refused() {
    let fixture = Fixture::new().await;
    let whole = webhook(&fixture.fake.says("ana", "m_1", "bonjour"));
    assert!(fixture.source.receive(&whole).is_ok());

    let mut changed = whole.clone();
    let body = String::from_utf8_lossy(&whole.body).replace("bonjour", "bonsoir");
    changed.body = body.into();
    let mut without = whole.clone();
    without.headers.clear();
    let mut older = without.clone();
    older.headers.insert(
        HeaderName::from_static("x-hub-signature"),
        HeaderValue::from_static("sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
    );
    let right = signature(fake::APP_SECRET, &whole.body);
    let bare = signed(&whole.body, &right.replace("sha256=", ""));
    let sha1 = signed(&whole.body, &right.replace("sha256=", "sha1="));
    let short = signed(&whole.body, &right[..right.len() - 2]);
    let odd = signed(&whole.body, "sha256=xyz");
    let empty = signed(&whole.body, "sha256=");
    for refused in [changed, without, older, bare, sha1, short, odd, empty] {
        let error = fixture.source.receive(&refused).err();
        assert!(error.is_some_and(|refusal| refusal.is_unverified()));
    }
}

#[tokio::test]
async fn any_of_the_app_secrets_counts_so_that_a_rotation_can_overlap() {
    let fixture = Fixture::new().await;
    let body = fixture.fake.says("ana", "m_1", "bonjour");
    for secret in ["old-5ecret", fake::APP_SECRET] {
        let webhook = signed(body.as_bytes(), &signature(secret, body.as_bytes()));
        assert!(fixture.source.receive(&webhook).is_ok(), "{secret}");
    }
}

#[tokio::test]
async fn neither_a_get_nor_a_post_is_answered_405() {
    let fixture = Fixture::new().await;
    let put = Webhook {
        method: Method::PUT,
        ..webhook(&fixture.fake.says("ana", "m_1", "bonjour"))
    };
    let received = fixture.source.receive(&put).expect("an answer");
    assert!(received.events.is_empty());
    let reply = received.reply.reply(&[]).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn fb_05_every_event_of_every_entry_is_told_in_order() {
    let fixture = Fixture::new().await;
    let said = |text: &str| {
        let message = json!({ "message": { "mid": format!("m_{text}"), "text": text } });
        fixture.fake.item("ana", message)
    };
    let body = json!({ "object": "page", "entry": [
        entry("messaging", &[said("1"), said("2")]),
        entry("standby", &[said("3"), said("4")]),
    ] });
    let events = fixture.hears(&body.to_string());
    let said: Vec<_> = events.iter().map(|event| words(event).clone()).collect();
    let expected = ["1", "2", "3", "4"].map(|text| Words::Text(text.to_owned()));
    assert!(said == expected, "other words, or another order");
}

#[tokio::test]
async fn a_thousand_updates_in_one_webhook_are_taken() {
    let fixture = Fixture::new().await;
    let updates: Vec<_> = (0..1000)
        .map(|number| {
            let message = json!({ "message": { "mid": format!("m_{number}"), "text": "hi" } });
            fixture.fake.item("ana", message)
        })
        .collect();
    assert_eq!(fixture.hears(&envelope("messaging", &updates)).len(), 1000);
}

#[tokio::test]
async fn what_is_about_another_page_or_no_page_is_dropped() {
    let fixture = Fixture::new().await;
    let ours = fixture.fake.says("ana", "m_1", "bonjour");
    let theirs = ours.replace(fake::PAGE, "999");
    assert_eq!(fixture.hears(&theirs), []);
    let instagram = ours.replace("\"object\":\"page\"", "\"object\":\"instagram\"");
    assert_eq!(fixture.hears(&instagram), []);
}
