//! How webhooks prove where they come from.

use std::time::{Duration, SystemTime};

use super::support::{Received, Stage};
use crate::simulate::signing::standard_webhook;
use crate::simulate::{HmacSigning, Signing, Timestamp, TimestampForm};

/// RFC 4231, test case 2.
const KNOWN: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

#[test]
fn the_hash_of_a_body_is_the_one_that_the_rfc_gives() {
    let signing = Signing::Hmac(HmacSigning::body("Jefe", "x-signature"));
    let headers = signing.headers(b"what do ya want for nothing?", SystemTime::now());
    assert_eq!(headers["x-signature"], KNOWN);
}

#[test]
fn a_timestamp_is_signed_before_the_body_and_travels_in_its_own_header() {
    let mut hmac = HmacSigning::body("Jefe", "x-signature");
    hmac.prefix = "sha256=".to_owned();
    hmac.timestamp = Some(Timestamp {
        header: "x-timestamp".to_owned(),
        form: TimestampForm::UnixSeconds,
        separator: ".".to_owned(),
    });
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(17);
    let headers = Signing::Hmac(hmac).headers(b"body", now);
    assert_eq!(headers["x-timestamp"], "17");
    let plain = Signing::Hmac(HmacSigning::body("Jefe", "x-signature"));
    let expected = plain.headers(b"17.body", now);
    let expected = expected["x-signature"].to_str().unwrap();
    assert_eq!(headers["x-signature"], format!("sha256={expected}"));
}

#[test]
fn a_standard_webhook_is_signed_as_in_the_specification() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330);
    let headers = standard_webhook(id.clone(), &secret, b"{\"test\": 2432232314}", now);
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned();
    let expected = [
        ("webhook-id", id),
        ("webhook-timestamp", "1614265330".to_owned()),
        ("webhook-signature", signature),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn a_token_stands_in_the_path_or_in_the_query() {
    let token = |query: Option<&str>| Signing::UrlToken {
        query: query.map(str::to_owned),
        token: "t0k".into(),
    };
    assert_eq!(token(None).url("http://h/w/"), "http://h/w/t0k");
    assert_eq!(token(Some("k")).url("http://h/w"), "http://h/w?k=t0k");
    let expected = "http://h/w?a=b&k=t0k";
    assert_eq!(token(Some("k")).url("http://h/w?a=b"), expected);
}

/// The webhook that a signed bot sends.
async fn signed(signing: Signing) -> (Stage, Received) {
    let stage = Stage::set(|settings| settings.bots[0].signing = signing).await;
    stage.say("c", "hello").await;
    let received = stage.receiver.received().remove(0);
    (stage, received)
}

#[tokio::test]
async fn a_webhook_carries_the_hash_of_its_very_bytes() {
    let signing = Signing::Hmac(HmacSigning::zendesk_support("secret"));
    let (_stage, received) = signed(signing).await;
    let timestamp = &received.headers["x-zendesk-webhook-signature-timestamp"];
    let mut text = timestamp.as_bytes().to_vec();
    text.extend_from_slice(&received.body);
    let mut plain = HmacSigning::body("secret", "x-signature");
    plain.encoding = crate::simulate::Encoding::Base64;
    let expected = Signing::Hmac(plain).headers(&text, SystemTime::now());
    let signature = &received.headers["x-zendesk-webhook-signature"];
    assert_eq!(signature, expected["x-signature"]);
    assert_eq!(received.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_webhook_carries_the_static_header() {
    let signing = Signing::StaticHeader {
        name: "x-secret".to_owned(),
        value: "open sesame".into(),
    };
    let (_stage, received) = signed(signing).await;
    assert_eq!(received.headers["x-secret"], "open sesame");
}

#[tokio::test]
async fn a_webhook_carries_the_token_which_the_record_leaves_out() {
    let signing = Signing::UrlToken {
        query: None,
        token: "t0k".into(),
    };
    let (stage, received) = signed(signing).await;
    assert_eq!(received.uri, "/webhooks/demo/t0k");
    let record = format!("{:?}", stage.simulator.webhooks());
    assert!(!record.contains("t0k"), "{record}");
}
