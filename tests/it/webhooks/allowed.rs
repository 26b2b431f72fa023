//! From where webhooks are taken: by the peer, or by what our own proxies say of it.

use crate::support::{
    http::Connection,
    server::{AGENT, TestServer, Wishes},
    webhook::{post, says},
};

async fn status(server: &TestServer, headers: &[(&str, &str)]) -> u16 {
    let body = says("C", "hi");
    post(server.webhooks, AGENT, headers, body.as_bytes())
        .await
        .status
}

#[tokio::test]
async fn a_peer_that_is_no_proxy_of_ours_counts_by_its_own_address_whatever_it_writes() {
    let allowed = |agent| Wishes {
        agent,
        ..Wishes::default()
    };
    let here = TestServer::start_with(allowed(r#"allowed_addresses = ["127.0.0.0/8"]"#)).await;
    let elsewhere =
        TestServer::start_with(allowed(r#"allowed_addresses = ["preset:zendesk-eu"]"#)).await;
    let claims = [
        ("x-forwarded-for", "34.140.214.64"),
        ("forwarded", "for=34.140.214.64"),
        ("x-real-ip", "34.140.214.64"),
    ];
    assert_eq!(status(&here, &[]).await, 200);
    assert_eq!(status(&here, &[("x-forwarded-for", "nonsense")]).await, 200);
    assert_eq!(status(&elsewhere, &[]).await, 403);
    for claim in claims {
        assert_eq!(status(&elsewhere, &[claim]).await, 403, "{claim:?}");
    }
    let counted = elsewhere.metrics().await;
    assert!(
        counted.contains(r#"tenant="default",reason="address""#),
        "{counted}"
    );
}

#[tokio::test]
async fn behind_our_proxy_the_first_stranger_from_the_right_counts() {
    let server = TestServer::start_with(Wishes {
        top: r#"webhooks.trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]"#,
        agent: r#"allowed_addresses = ["preset:zendesk-us", "2606:4700::/32"]"#,
        ..Wishes::default()
    })
    .await;
    for (chain, expected) in [
        ("35.197.70.75", 200),
        ("35.197.70.75, 10.1.2.3", 200),
        ("::ffff:35.197.70.75", 200),
        ("[2606:4700::7]:443", 200),
        ("203.0.113.9, 35.197.70.75", 200),
        ("35.197.70.75, 203.0.113.9", 403),
        ("35.197.70.76", 403),
        ("35.197.70.75,", 403),
        ("unknown", 403),
        ("", 403),
    ] {
        assert_eq!(
            status(&server, &[("x-forwarded-for", chain)]).await,
            expected,
            "{chain:?}"
        );
    }
    // The proxy itself is not on the list.
    assert_eq!(status(&server, &[]).await, 403);
    let two = [
        ("x-forwarded-for", "35.197.70.75"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_eq!(status(&server, &two).await, 403);
    assert_eq!(
        status(&server, &[("forwarded", "for=35.197.70.75")]).await,
        403
    );
}

#[tokio::test]
async fn who_may_not_send_is_turned_away_before_the_body_is_read() {
    let server = TestServer::start_with(Wishes {
        agent: r#"allowed_addresses = ["203.0.113.9"]"#,
        ..Wishes::default()
    })
    .await;
    let mut connection = Connection::open(server.webhooks).await;
    let path = format!("/webhooks/{AGENT}");
    connection
        .head("POST", &path, &[("content-length", "1000000")])
        .await;
    assert_eq!(connection.reply().await.expect("an answer").status, 403);
}
