//! The simulated Social Connect by itself: what it promises to those who test against it.

use http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;

use super::*;

fn platform(change: impl FnOnce(&mut Settings)) -> Platform {
    let mut settings = Settings::new("secret", "all");
    change(&mut settings);
    Platform::new(settings)
}

fn request(method: &str, path: &str, token: &str, form: &str) -> Request {
    let headers = [
        ("authorization", format!("Bearer {token}")),
        (
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        ),
        ("host", "sim".to_owned()),
    ];
    let parse = |(name, value): (&'static str, String)| {
        (
            http::HeaderName::from_static(name),
            value.parse().expect("a header"),
        )
    };
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: HeaderMap::from_iter(headers.map(parse)),
        body: form.as_bytes().to_vec(),
    }
}

/// Status, headers and body of an answer.
fn answer(platform: &Platform, request: &Request) -> (u16, Vec<(String, String)>, Value) {
    match platform.answer(request) {
        Reply::Answer {
            status,
            headers,
            body,
        } => (status, headers, serde_json::from_str(&body).expect("JSON")),
        other => panic!("{other:?}"),
    }
}

fn visitor() -> Contact {
    Contact::new("twitter", "7")
}

fn published(mention: &str, status: &str) -> Request {
    let form = format!(
        "type=privatemessage&message=hi&status={status}&topic_id=46283&mention_id={mention}\
         &services=[{{\"type\":\"twitter\",\"service_id\":\"99887766\"}}]"
    );
    request("POST", "/1417/publisher/add", "all", &form)
}

#[test]
fn only_known_tokens_may_call_and_only_what_their_scopes_allow() {
    let platform = platform(|_| {});
    platform.visitor_says(&visitor(), "hello");
    platform.allow("reader", "accounts_read", None);
    platform.allow("over", "accounts_read", Some(1));
    let path = "/1417/inbox/contact/twitter/7";
    let status = |method, token, form| answer(&platform, &request(method, path, token, form)).0;
    assert_eq!(status("GET", "nobody", ""), 401);
    assert_eq!(status("GET", "over", ""), 401);
    assert_eq!(status("GET", "reader", ""), 200);
    let form = r#"updates={"tags":["a"]}&options={"tags_edit_mode":"add"}"#;
    assert_eq!(status("POST", "reader", form), 403);
    assert_eq!(status("POST", "all", form), 200);
    let handover = request("GET", "/1417/inbox/handover/twitter/7", "all", "");
    assert_eq!(
        answer(&platform, &handover).0,
        400,
        "no handover on this channel"
    );
}

#[test]
fn the_call_over_the_limit_is_a_400_that_says_until_when() {
    let platform = platform(|settings| settings.calls_per_hour = 2);
    platform.visitor_says(&visitor(), "hello");
    let read = request("GET", "/1417/inbox/contact/twitter/7", "all", "");
    for left in ["1", "0"] {
        let (status, headers, _) = answer(&platform, &read);
        assert_eq!(status, 200);
        assert!(headers.contains(&("X-RateLimit-Remaining".to_owned(), left.to_owned())));
    }
    let (status, headers, body) = answer(&platform, &read);
    assert_eq!(
        (status, body["error"].as_str()),
        (400, Some("rate_limit_reached"))
    );
    assert!(headers.iter().any(|(name, _)| name == "X-RateLimit-Reset"));
}

#[test]
fn a_publication_is_shown_and_comes_back_as_the_brands_own() {
    let platform = platform(|_| {});
    let mention = platform.visitor_says(&visitor(), "hello");
    platform.next_webhook().expect("the visitor's");
    assert_eq!(
        answer(&platform, &published("5", "queued")).0,
        404,
        "it answers nothing"
    );
    assert_eq!(answer(&platform, &published(&mention, "queued")).0, 200);
    assert_eq!(
        answer(&platform, &published(&mention, "awaitingapproval")).0,
        200
    );
    let lines = platform.lines(&visitor());
    assert_eq!((lines.len(), lines[1].from), (2, Speaker::Bot));
    let echo: Value =
        serde_json::from_str(&platform.next_webhook().expect("the echo")).expect("JSON");
    assert_eq!(echo["author"]["managed"], true);
    assert_eq!(
        platform.next_webhook(),
        None,
        "what waits for approval is not sent"
    );
}

#[test]
fn a_line_of_the_bot_while_a_human_owns_can_be_told() {
    let platform = platform(|_| {});
    let mention = platform.visitor_says(&visitor(), "hello");
    platform.agent_tags(&visitor(), "Escalated to agent");
    answer(&platform, &published(&mention, "queued"));
    assert!(platform.lines(&visitor())[1].human_owns);
}

#[test]
fn a_fault_meets_the_next_call_of_its_kind_and_may_be_done_all_the_same() {
    let platform = platform(|_| {});
    let mention = platform.visitor_says(&visitor(), "hello");
    platform.fail_next(Call::Publish, Failure::silent(true));
    platform.fail_next(Call::Publish, Failure::error(500, "internal_server_error"));
    let read = request("GET", "/1417/inbox/contact/twitter/7", "all", "");
    assert_eq!(answer(&platform, &read).0, 200);
    assert_eq!(
        platform.answer(&published(&mention, "queued")),
        Reply::Silent
    );
    assert_eq!(answer(&platform, &published(&mention, "queued")).0, 500);
    assert_eq!(platform.lines(&visitor()).len(), 2, "the first was done");
    assert_eq!(platform.count(Call::Publish), 2);
}

#[tokio::test]
async fn what_a_visitor_says_is_posted_once_with_its_signature() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = crate::tests::fake_server::FakeServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let simulated =
        SocialConnect::start(Settings::new("secret", "all"), listener).expect("it starts");
    simulated
        .visitor_says(&visitor(), "nobody hears this")
        .await;
    simulated.set_webhook_url(&target.url());
    simulated.visitor_says(&visitor(), "hello").await;
    assert_eq!(simulated.posted().len(), 1);
    let request = target.last_request();
    let signature = simulated.platform().signature(&request.body);
    assert_eq!(request.header("x-signature"), signature);
    assert_eq!(request.json()["message"]["content"], "<p>hello</p>");
    simulated.tell_again(&visitor()).await;
    assert_eq!(
        target.last_request().json()["unique_id"],
        request.json()["unique_id"]
    );
    target.stop().await;
    simulated.human_says(&visitor(), "Lee here.").await;
    assert_eq!(
        simulated.posted().last().map(|posted| posted.status),
        Some(None),
        "lost"
    );
    simulated.stop().await;
}
