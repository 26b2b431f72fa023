//! Who is believed, and what a subscriber that does not read changes for everybody else: nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::support::{
    server::{ACCOUNT, AGENT, TestServer, Wishes},
    webhook::{post, says, says_as},
};

const SECRET: &str = "a-webhook-secret";

/// A server that wants signatures. The file with the secret lives as long as the second value.
async fn signed(more: &str) -> (TestServer, tempfile::NamedTempFile) {
    let secret = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), SECRET).expect("a writable file");
    let platform = format!(
        "webhook.hmac = {{ header = \"X-Signature\", secrets = [{{ file = \"{}\" }}]{more} }}",
        secret.path().display()
    );
    let server = TestServer::start_with(Wishes {
        platform,
        ..Wishes::default()
    })
    .await;
    (server, secret)
}

fn signature(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(text.as_bytes());
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).expect("four bits");
    let bytes = mac.finalize().into_bytes();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

#[tokio::test]
async fn check_88_a_signature_must_be_there_and_be_right() {
    let (server, _secret) = signed("").await;
    let mut events = server.events();
    let body = says("C", "hi");
    let right = signature(&body);
    let changed = body.replace("hi", "ho");
    let cases = [
        (401, changed.as_str(), vec![("x-signature", right.as_str())]),
        (401, body.as_str(), vec![]),
        (401, body.as_str(), vec![("x-signature", "")]),
        (401, "{not even JSON", vec![("x-signature", right.as_str())]),
        (200, body.as_str(), vec![("x-signature", right.as_str())]),
    ];
    for (status, body, headers) in cases {
        let reply = post(server.webhooks, AGENT, &headers, body.as_bytes()).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (status, ""),
            "{body} {headers:?}"
        );
    }
    let (message, event) = events.agent_message().await;
    assert_eq!(
        (message.text.as_str(), event.sequence),
        ("hi", 1),
        "the others left nothing"
    );
}

#[tokio::test]
async fn check_89_an_old_timestamp_is_refused() {
    let (server, _secret) = signed(r#", timestamp_header = "X-Time", separator = ".""#).await;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let body = says("C", "hi");
    for (time, status) in [(now - 301, 401), (now + 330, 401), (now, 200)] {
        let time = time.to_string();
        let signature = signature(&format!("{time}.{body}"));
        let headers = [
            ("x-time", time.as_str()),
            ("x-signature", signature.as_str()),
        ];
        let reply = post(server.webhooks, AGENT, &headers, body.as_bytes()).await;
        assert_eq!(reply.status, status, "{time}");
    }
}

#[tokio::test]
async fn check_90_without_a_scheme_no_header_is_needed() {
    let server = TestServer::start().await;
    let reply = post(server.webhooks, AGENT, &[], says("C", "hi").as_bytes()).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
}

#[tokio::test]
async fn check_92_a_subscriber_that_does_not_read_costs_the_platform_no_failure() {
    let server = TestServer::start().await;
    let mut stalled = server.events();
    stalled.item().await;
    // Large enough that no buffer on the way holds all of them.
    let text = "x".repeat(20_000);
    for number in 0..1000 {
        let id = format!("m-{number}");
        server.taken(&says_as("C", &id, &text)).await;
    }
    // Nobody else waits for it, and it has missed nothing.
    let said = server.client.say(ACCOUNT, "D", "m", "hello").await;
    said.expect("a message");
    for number in 0..1000 {
        let (message, _) = stalled.agent_message().await;
        assert_eq!(message.platform_message_id, format!("m-{number}"));
    }
}
