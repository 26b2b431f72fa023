//! Bodies that make no sense, name another bot, or come slowly, in part, or without an end.

use std::time::{Duration, Instant};

use crate::support::{
    http::Connection,
    server::{AGENT, TestServer, Wishes},
    webhook::{post, says},
};

/// The default limit: 10 MB.
const LIMIT: usize = 10 * 1024 * 1024;

fn path() -> String {
    format!("/webhooks/{AGENT}")
}

/// Shows that the server takes webhooks, and that nothing was recorded before.
async fn assert_first_event(server: &TestServer) {
    server.taken(&says("C", "the first")).await;
    let event = server.events().next().await.event.expect("an event");
    let is_message = matches!(
        event.body,
        Some(parloir_client::v1::event::Body::AgentMessage(_))
    );
    assert!(is_message && event.sequence == 1, "{event:?}");
}

#[tokio::test]
async fn check_86_bodies_without_sense_are_answered_400_and_leave_no_event() {
    let server = TestServer::start().await;
    let deep = "[".repeat(100_000);
    for body in [
        "", "{", "[]", "[{}]", "null", "7", "\"text\"", "{}", "\u{0}", &deep,
    ] {
        let reply = server.webhook(body).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, ""), "{body:.20}");
    }
    assert_first_event(&server).await;
}

#[tokio::test]
async fn check_87_another_bot_is_answered_404_or_as_configured_and_leaves_no_event() {
    for (agent, status) in [("", 404), (r#"unknown_bot = "ok""#, 200)] {
        let server = TestServer::start_with(Wishes {
            agent,
            ..Wishes::default()
        })
        .await;
        let body = r#"{"botId":"another","data":{"eventType":"sendMessage","platformConversationId":"C","text":"hi"}}"#;
        assert_eq!(server.webhook(body).await.status, status);
        let counted = server.metrics().await;
        assert!(
            counted.contains("parloir_webhooks_refused_total{"),
            "{counted}"
        );
        assert_first_event(&server).await;
    }
}

#[tokio::test]
async fn an_agent_that_is_not_configured_is_answered_404() {
    let server = TestServer::start().await;
    let reply = post(server.webhooks, "nobody", &[], says("C", "hi").as_bytes()).await;
    assert_eq!(reply.status, 404);
    assert_first_event(&server).await;
}

#[tokio::test]
async fn a_probe_is_answered_without_an_effect() {
    let server = TestServer::start().await;
    for method in ["GET", "HEAD"] {
        let mut connection = Connection::open(server.webhooks).await;
        connection.head(method, &path(), &[]).await;
        let reply = connection.reply().await.expect("an answer");
        assert!([200, 405].contains(&reply.status), "{method}: {reply:?}");
    }
    assert_first_event(&server).await;
}

#[tokio::test]
async fn check_91_a_body_one_byte_too_long_is_answered_413() {
    let server = TestServer::start().await;
    let mut body = says("C", "hi").into_bytes();
    body.resize(LIMIT + 1, b' ');
    let reply = server
        .webhook(std::str::from_utf8(&body).expect("text"))
        .await;
    assert_eq!(reply.status, 413);
    assert_first_event(&server).await;
    body.pop();
    server
        .taken(std::str::from_utf8(&body).expect("text"))
        .await;
}

#[tokio::test]
async fn check_91_a_body_without_an_end_is_read_up_to_the_limit_only() {
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.webhooks).await;
    connection
        .head("POST", &path(), &[("transfer-encoding", "chunked")])
        .await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let mut written = 0;
    // As much again as the limit covers whatever the sockets between us buffer.
    while written < 4 * LIMIT && connection.write(chunk.as_bytes()).await.is_ok() {
        written += chunk.len();
    }
    assert!(written < 4 * LIMIT, "the server goes on reading");
    assert_first_event(&server).await;
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_answered_408() {
    let server = TestServer::start_with(Wishes {
        top: r#"webhooks.body_timeout = "300ms""#,
        ..Wishes::default()
    })
    .await;
    let mut connection = Connection::open(server.webhooks).await;
    connection
        .head("POST", &path(), &[("content-length", "1000")])
        .await;
    connection
        .write(b"{\"botId\":")
        .await
        .expect("an open connection");
    let begun = Instant::now();
    let reply = connection.reply().await.expect("an answer");
    assert_eq!(reply.status, 408);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_first_event(&server).await;
}

#[tokio::test]
async fn half_a_body_leaves_no_event() {
    let server = TestServer::start().await;
    let body = says("C", "half");
    let mut connection = Connection::open(server.webhooks).await;
    let length = (body.len() + 10).to_string();
    connection
        .head("POST", &path(), &[("content-length", &length)])
        .await;
    connection
        .write(body.as_bytes())
        .await
        .expect("an open connection");
    drop(connection);
    assert_first_event(&server).await;
}

#[tokio::test]
async fn half_the_headers_end_the_connection_in_time() {
    let server = TestServer::start_with(Wishes {
        top: r#"webhooks.header_timeout = "300ms""#,
        ..Wishes::default()
    })
    .await;
    for start in ["", "POST /webhooks/shop HTTP/1.1\r\nhost: par"] {
        let mut connection = Connection::open(server.webhooks).await;
        connection
            .write(start.as_bytes())
            .await
            .expect("an open connection");
        let ended = tokio::time::timeout(Duration::from_secs(10), connection.reply()).await;
        let reply = ended.expect("an end in time");
        assert!(reply.is_none_or(|reply| reply.status == 408), "{start:?}");
    }
    assert_first_event(&server).await;
}
