//! What comes to a source's address and is not taken.

use super::{counter::Counter, desk::Desk};
use crate::support::{http::Connection, server::Wishes};

#[tokio::test]
async fn what_is_forged_malformed_or_too_large_is_refused_and_changes_nothing() {
    let wishes = Wishes {
        top: "webhooks.max_body_bytes = 65536",
        ..Wishes::default()
    };
    let desk = Desk::start("tag").await;
    let mut counter = Counter::start_with(desk, "", "", wishes).await;
    counter.asks("ask 1").await;
    let desk = &counter.desk;
    let platform = desk.platform.platform();
    let newest = platform.newest(&desk.visitor).expect("a message");
    let body = newest.to_string().replace("ask 1", "ask forged");
    let signed = platform.signature(newest.to_string().as_bytes());
    assert_eq!(desk.posts(&[], body.as_bytes()).await, 401);
    assert_eq!(
        desk.posts(&[("x-signature", &signed)], body.as_bytes())
            .await,
        401
    );
    for malformed in ["", "[]", "{", "\u{0}"] {
        let signed = platform.signature(malformed.as_bytes());
        let status = desk
            .posts(&[("x-signature", &signed)], malformed.as_bytes())
            .await;
        assert_eq!(status, 400, "{malformed:?}");
    }
    let large = vec![b' '; 65_537];
    let signed = platform.signature(&large);
    assert_eq!(desk.posts(&[("x-signature", &signed)], &large).await, 413);
    counter.asks("ask 2").await;
    assert_eq!(counter.heard(), ["ask 1", "ask 2"]);
}

#[tokio::test]
async fn unknown_sources_are_not_found_and_other_methods_prove_nothing() {
    let counter = Counter::start(Desk::start("tag").await, "", "").await;
    for (method, path, status) in [
        ("POST", "/sources/nobody", 404),
        ("POST", "/sources/", 404),
        ("GET", "/sources/desk", 401),
        ("DELETE", "/sources/desk", 401),
    ] {
        let mut connection = Connection::open(counter.server.webhooks).await;
        connection
            .head(method, path, &[("content-length", "0")])
            .await;
        let reply = connection.reply().await.expect("an answer");
        assert_eq!(reply.status, status, "{method} {path}");
    }
}
