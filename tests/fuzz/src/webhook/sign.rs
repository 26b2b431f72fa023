//! Shows adapters what they want to see: signatures and tokens, made here by other code than theirs.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method, header::AUTHORIZATION};
use parloir::domain::inbound::Webhook;
use sha1::Sha1;
use sha2::Sha256;

use crate::stage::{NOW, SECRET, secret};

/// Puts into a webhook what proves where it comes from.
pub type Signer = fn(&mut Webhook) -> Shown;

/// What a webhook shows of its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// Everything: it must be believed.
    Proof,
    /// The right signature over a time that was not chosen here: it may be too old.
    Maybe,
}

pub fn none(_: &mut Webhook) -> Shown {
    Shown::Proof
}

pub fn path_token(webhook: &mut Webhook) -> Shown {
    SECRET.clone_into(&mut webhook.path);
    proof_if(webhook.method == Method::POST)
}

pub fn static_header(webhook: &mut Webhook) -> Shown {
    put(webhook, "x-shared-secret", SECRET);
    Shown::Proof
}

pub fn hex_prefixed(webhook: &mut Webhook) -> Shown {
    let signature = hex(&sha256(SECRET, &[&webhook.body]));
    put(webhook, "x-signature", &format!("sha256={signature}"));
    Shown::Proof
}

pub fn base64_with_time(webhook: &mut Webhook) -> Shown {
    let (time, shown) = time(webhook, "x-timestamp");
    let signature = sha256(SECRET, &[time.as_bytes(), b".", &webhook.body]);
    put(webhook, "x-signature", &STANDARD.encode(signature));
    shown
}

pub fn zendesk_support(webhook: &mut Webhook) -> Shown {
    let (time, shown) = time(webhook, "x-zendesk-webhook-signature-timestamp");
    let signature = sha256(SECRET, &[time.as_bytes(), &webhook.body]);
    put(
        webhook,
        "x-zendesk-webhook-signature",
        &STANDARD.encode(signature),
    );
    shown
}

pub fn standard_webhooks(webhook: &mut Webhook) -> Shown {
    let (time, shown) = time(webhook, "webhook-timestamp");
    put(webhook, "webhook-id", "msg_1");
    let signature = sha256(SECRET, &[b"msg_1.", time.as_bytes(), b".", &webhook.body]);
    let signature = format!("v1,{}", STANDARD.encode(signature));
    put(webhook, "webhook-signature", &signature);
    shown
}

pub fn social_connect(webhook: &mut Webhook) -> Shown {
    let signature = STANDARD.encode(sha256(SECRET, &[&webhook.body]));
    put(webhook, "x-signature", &signature);
    proof_if(webhook.method == Method::POST)
}

pub fn meta(webhook: &mut Webhook) -> Shown {
    let signature = hex(&sha256(SECRET, &[&webhook.body]));
    put(
        webhook,
        "x-hub-signature-256",
        &format!("sha256={signature}"),
    );
    // At set-up the platform knows a token of ours instead.
    webhook.query = webhook.query.replace("{token}", SECRET);
    Shown::Proof
}

/// A token for its calls, and a signature for the Connector's webhooks: each looks at its own.
pub fn live_person(webhook: &mut Webhook) -> Shown {
    let signature = STANDARD.encode(sha1(&webhook.body));
    put(
        webhook,
        "x-liveperson-signature",
        &format!("sha1={signature}"),
    );
    let token = format!("Bearer {}", secret("sentinel-token").trim());
    let token = HeaderValue::try_from(token).expect("a token is a header");
    webhook.headers.insert(AUTHORIZATION, token);
    Shown::Proof
}

pub fn help_scout(webhook: &mut Webhook) -> Shown {
    let signature = STANDARD.encode(sha1(&webhook.body));
    put(webhook, "x-helpscout-signature", &signature);
    Shown::Proof
}

fn proof_if(believed: bool) -> Shown {
    if believed { Shown::Proof } else { Shown::Maybe }
}

/// The time in the header, whatever it is; now where there is none.
fn time(webhook: &mut Webhook, header: &'static str) -> (String, Shown) {
    let given = webhook
        .headers
        .get(header)
        .and_then(|value| value.to_str().ok());
    if let Some(given) = given {
        return (given.to_owned(), Shown::Maybe);
    }
    let now = NOW.to_string();
    put(webhook, header, &now);
    (now, Shown::Proof)
}

/// Instead of all others of this name.
fn put(webhook: &mut Webhook, name: &'static str, value: &str) {
    let value = HeaderValue::try_from(value).expect("printable");
    webhook.headers.insert(HeaderName::from_static(name), value);
}

fn sha256(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn sha1(body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}
