//! Checks C 88 to 90: who is believed.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    fixture::{Fixture, Secrets, TODAY, chat, webhook},
    platform::hex,
};
use crate::{
    config::verification::{
        HmacConfig, SignatureEncoding, StandardWebhooksConfig, StaticHeaderConfig, UrlTokenConfig,
        VerificationConfig, ZendeskSupportConfig,
    },
    domain::{
        Unverified,
        inbound::{Webhook, WebhookRefusal},
        ports::Agent,
    },
};

const SECRET: &str = "a-webhook-secret";

fn verified_by(scheme: impl FnOnce(&Secrets) -> VerificationConfig) -> Fixture {
    Fixture::set(|_, platform, secrets| platform.webhook = scheme(secrets))
}

fn hmac(change: impl FnOnce(&mut HmacConfig)) -> Fixture {
    verified_by(|secrets| {
        let mut config = HmacConfig {
            header: "X-Signature".to_owned(),
            secrets: vec![
                secrets.put("old", "an-older-secret"),
                secrets.put("new", SECRET),
            ],
            ..HmacConfig::default()
        };
        change(&mut config);
        VerificationConfig::Hmac(config)
    })
}

fn body() -> String {
    chat(r#""eventType":"sendMessage","text":"hi""#)
}

fn mac(key: &[u8], signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn with(headers: &[(&'static str, &str)]) -> Webhook {
    let mut webhook = webhook(&body());
    for (name, value) in headers {
        webhook
            .headers
            .insert(*name, value.parse().expect("a header"));
    }
    webhook
}

#[track_caller]
fn assert_believed(fixture: &Fixture, webhook: &Webhook) {
    assert!(fixture.agent.receive(webhook).is_ok());
}

#[track_caller]
fn assert_unverified(fixture: &Fixture, webhook: &Webhook) {
    let received = fixture.agent.receive(webhook);
    assert!(received.is_err_and(|refusal| refusal.is_unverified()));
}

#[test]
fn check_88_a_signature_must_be_there_and_cover_every_byte() {
    let fixture = hmac(|_| {});
    let right = hex(&mac(SECRET.as_bytes(), &body()));
    let signed = with(&[("x-signature", &right)]);
    assert_believed(&fixture, &signed);
    assert_believed(&fixture, &with(&[("x-signature", &right.to_uppercase())]));
    for at in [0, signed.body.len() / 2, signed.body.len() - 1] {
        let mut changed = signed.clone();
        let mut bytes = changed.body.to_vec();
        bytes[at] ^= 1;
        changed.body = bytes.into();
        assert_unverified(&fixture, &changed);
    }
    assert_unverified(&fixture, &with(&[]));
    let other = if right.starts_with('0') { "1" } else { "0" };
    for wrong in [
        "",
        "zz",
        &right[1..],
        &right[..62],
        &format!("{other}{}", &right[1..]),
    ] {
        assert_unverified(&fixture, &with(&[("x-signature", wrong)]));
    }
}

#[test]
fn what_does_not_verify_is_not_parsed() {
    let fixture = hmac(|_| {});
    assert_unverified(&fixture, &webhook("{not even JSON"));
    assert_unverified(&fixture, &webhook(r#"{"botId":"another"}"#));
}

#[test]
fn any_of_several_secrets_counts_and_a_replaced_one_at_once() {
    let secret = std::cell::RefCell::new(None);
    let fixture = verified_by(|secrets| {
        let one = secrets.put("one", "first");
        *secret.borrow_mut() = Some(secrets.put("two", "second"));
        VerificationConfig::Hmac(HmacConfig {
            header: "x-signature".to_owned(),
            secrets: vec![one, secret.borrow().clone().expect("just put")],
            ..HmacConfig::default()
        })
    });
    let signed_with = |key: &str| with(&[("x-signature", &hex(&mac(key.as_bytes(), &body())))]);
    assert_believed(&fixture, &signed_with("first"));
    assert_believed(&fixture, &signed_with("second"));
    assert_unverified(&fixture, &signed_with("third"));
    fixture.replace("two", "third");
    assert_believed(&fixture, &signed_with("third"));
    assert_unverified(&fixture, &signed_with("second"));
}

#[test]
fn check_89_a_timestamp_outside_the_window_is_refused() {
    let fixture = hmac(|config| {
        config.timestamp_header = Some("X-Time".to_owned());
        config.separator = ".".to_owned();
        config.tolerance = Duration::from_mins(5);
    });
    let signed_at = |time: &str| {
        let signature = mac(SECRET.as_bytes(), &format!("{time}.{}", body()));
        with(&[("x-signature", &hex(&signature)), ("x-time", time)])
    };
    for (seconds, fine) in [
        (0, true),
        (-300, true),
        (300, true),
        (-301, false),
        (301, false),
    ] {
        let time = TODAY
            .checked_add_signed(seconds)
            .expect("a time")
            .to_string();
        let received = fixture.agent.receive(&signed_at(&time));
        assert_eq!(received.is_ok(), fine, "{seconds}");
    }
    let now = signed_at(&TODAY.to_string());
    fixture.clock.advance(Duration::from_secs(301));
    assert_unverified(&fixture, &now);
    assert_unverified(&fixture, &signed_at("yesterday"));
    assert_unverified(&fixture, &signed_at(&u64::MAX.to_string()));
    let mut without = signed_at(&(TODAY + 301).to_string());
    assert_believed(&fixture, &without);
    without.headers.remove("x-time");
    assert_unverified(&fixture, &without);
}

#[test]
fn check_90_without_a_scheme_no_header_is_needed() {
    assert_believed(&Fixture::listening(), &with(&[]));
}

#[test]
fn a_signature_is_read_with_its_prefix_and_in_its_encoding() {
    let fixture = hmac(|config| {
        config.prefix = "sha256=".to_owned();
        config.encoding = SignatureEncoding::Base64;
    });
    let signature = mac(SECRET.as_bytes(), &body());
    let right = format!("sha256={}", STANDARD.encode(&signature));
    assert_believed(&fixture, &with(&[("x-signature", &right)]));
    assert_unverified(&fixture, &with(&[("x-signature", &right[7..])]));
    let hexadecimal = format!("sha256={}", hex(&signature));
    assert_unverified(&fixture, &with(&[("x-signature", &hexadecimal)]));
}

#[test]
fn the_support_preset_signs_timestamp_and_body_without_anything_between() {
    let fixture = verified_by(|secrets| {
        VerificationConfig::ZendeskSupport(ZendeskSupportConfig {
            secrets: vec![secrets.put("s", SECRET)],
            ..ZendeskSupportConfig::default()
        })
    });
    let signed_at = |time: &str| {
        let signature = STANDARD.encode(mac(SECRET.as_bytes(), &format!("{time}{}", body())));
        with(&[
            ("x-zendesk-webhook-signature", &signature),
            ("x-zendesk-webhook-signature-timestamp", time),
        ])
    };
    assert_believed(&fixture, &signed_at("2026-11-20T00:04:59Z"));
    assert_unverified(&fixture, &signed_at("2026-11-20T00:05:01Z"));
}

#[test]
fn the_standard_preset_signs_id_timestamp_and_body_and_takes_any_signature_listed() {
    let key = b"0123456789abcdef01234567";
    let fixture = verified_by(|secrets| {
        let secret = format!("whsec_{}", STANDARD.encode(key));
        VerificationConfig::StandardWebhooks(StandardWebhooksConfig {
            secrets: vec![secrets.put("bad", "not base64!"), secrets.put("s", &secret)],
            ..StandardWebhooksConfig::default()
        })
    });
    let time = TODAY.to_string();
    let right = STANDARD.encode(mac(key, &format!("msg_1.{time}.{}", body())));
    let signed = |id: &str, signatures: &str| {
        with(&[
            ("webhook-id", id),
            ("webhook-timestamp", &time),
            ("webhook-signature", signatures),
        ])
    };
    assert_believed(&fixture, &signed("msg_1", &format!("v1,{right}")));
    let several = format!("v1a,xyz v1,{} v1,{right}", STANDARD.encode("other"));
    assert_believed(&fixture, &signed("msg_1", &several));
    assert_unverified(&fixture, &signed("msg_2", &format!("v1,{right}")));
    assert_unverified(&fixture, &signed("msg_1", &format!("v2,{right}")));
    assert_unverified(&fixture, &signed("msg_1", &right));
}

#[test]
fn a_token_counts_in_the_path_and_in_the_query() {
    let token = "0123456789abcdefghijkl";
    let fixture = verified_by(|secrets| {
        VerificationConfig::UrlToken(UrlTokenConfig {
            tokens: vec![secrets.put("t", token)],
        })
    });
    let at = |path: &str, query: &str| {
        let mut webhook = webhook(&body());
        path.clone_into(&mut webhook.path);
        query.clone_into(&mut webhook.query);
        webhook
    };
    assert_believed(&fixture, &at(token, ""));
    assert_believed(&fixture, &at(&format!("{token}/actions"), ""));
    assert_believed(&fixture, &at("actions", &format!("x=1&token={token}")));
    for (path, query) in [
        ("", ""),
        ("0123456789abcdefghijk", ""),
        ("", "token=0123456789abcdefghijk"),
        ("", "other=0123456789abcdefghijkl"),
    ] {
        assert_unverified(&fixture, &at(path, query));
    }
}

#[test]
fn a_header_must_equal_a_secret() {
    let fixture = verified_by(|secrets| {
        VerificationConfig::StaticHeader(StaticHeaderConfig {
            header: "X-Api-Token".to_owned(),
            secrets: vec![secrets.put("s", SECRET)],
        })
    });
    assert_believed(&fixture, &with(&[("x-api-token", SECRET)]));
    assert_unverified(&fixture, &with(&[("x-api-token", "a-webhook-secreT")]));
    assert_unverified(&fixture, &with(&[("x-api-token", "")]));
    assert_unverified(&fixture, &with(&[]));
}

#[test]
fn a_scheme_whose_secrets_cannot_be_read_believes_nobody() {
    let fixture = hmac(|config| config.secrets.truncate(1));
    fixture.replace("old", "");
    let signature = hex(&mac(b"", &body()));
    assert_unverified(&fixture, &with(&[("x-signature", &signature)]));
}

#[test]
fn a_refusal_names_the_part_that_does_not_fit() {
    let fixture = hmac(|config| {
        config.timestamp_header = Some("X-Time".to_owned());
        config.prefix = "sha256=".to_owned();
    });
    let signed_at = |time: &str| {
        let signature = hex(&mac(SECRET.as_bytes(), &format!("{time}{}", body())));
        let signature = format!("sha256={signature}");
        with(&[("x-signature", &signature), ("x-time", time)])
    };
    let now = TODAY.to_string();
    let genuine = signed_at(&now);
    assert_believed(&fixture, &genuine);
    let changed = |change: fn(&mut http::HeaderMap)| {
        let mut webhook = genuine.clone();
        change(&mut webhook.headers);
        fixture.agent.receive(&webhook)
    };
    let why = |unverified| Err(WebhookRefusal::Unverified(unverified));
    assert_eq!(
        changed(|headers| drop(headers.remove("x-signature"))),
        why(Unverified::missing("X-Signature"))
    );
    assert_eq!(
        changed(|headers| drop(headers.remove("x-time"))),
        why(Unverified::missing("X-Time"))
    );
    let repeated = |header: &str| {
        why(Unverified::Repeated {
            header: header.to_owned(),
        })
    };
    let twice = |headers: &mut http::HeaderMap, name: &'static str| {
        let value = headers[name].clone();
        headers.append(name, value);
    };
    let mut webhook = genuine.clone();
    twice(&mut webhook.headers, "x-signature");
    assert_eq!(fixture.agent.receive(&webhook), repeated("X-Signature"));
    let mut webhook = genuine.clone();
    twice(&mut webhook.headers, "x-time");
    assert_eq!(fixture.agent.receive(&webhook), repeated("X-Time"));
    assert_eq!(
        changed(|headers| {
            headers.insert("x-signature", "sha256=0g".parse().expect("a header"));
        }),
        why(Unverified::malformed("X-Signature", "hexadecimal"))
    );
    assert_eq!(
        changed(|headers| {
            headers.insert("x-signature", "sha256=00".parse().expect("a header"));
        }),
        why(Unverified::mismatch("X-Signature"))
    );
    for skew_seconds in [-301, 4000] {
        let time = TODAY.checked_add_signed(skew_seconds).expect("a time");
        assert_eq!(
            fixture.agent.receive(&signed_at(&time.to_string())),
            why(Unverified::Stale {
                header: "X-Time".to_owned(),
                skew_seconds
            })
        );
    }
}
