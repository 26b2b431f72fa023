//! Each limit turns away what goes beyond it, says when to come back, names its setting, and is counted.

use std::time::Duration;

use parloir_client::{Code, Error, Item, Subscription, v1::GetConversationRequest};
use tokio::time::timeout;

use super::house::{House, PATIENCE, caller};
use crate::support::{
    http::Connection,
    server::{AGENT, TestServer, Wishes},
    webhook::{self, says},
};

async fn house(limits: &str, own: &str) -> House {
    House::start(|folder| {
        let scopes = "\"converse\", \"subscribe\"";
        format!(
            "{limits}\n{}{}",
            caller(folder, "one", scopes, own),
            caller(folder, "two", scopes, "")
        )
    })
    .await
}

async fn get(house: &House, caller: &str, id: &str) -> Error {
    let request = GetConversationRequest {
        account: "none".into(),
        conversation_id: id.into(),
    };
    let client = house.client(caller).await;
    client
        .get_conversation(request)
        .await
        .expect_err("no such account")
}

async fn assert_limited(house: &House, error: &Error, setting: &str) {
    assert_eq!(
        (error.code(), error.reason()),
        (Code::ResourceExhausted, Some("LIMIT_REACHED")),
        "{error}"
    );
    assert_eq!(error.metadata("setting"), Some(setting));
    let line = format!("parloir_limited_total{{tenant=\"default\",limit=\"{setting}\"}}");
    let metrics = house.metrics().await;
    assert!(metrics.contains(&line), "no {line} in\n{metrics}");
}

#[tokio::test]
async fn calls_beyond_a_callers_rate_are_told_when_to_come_back() {
    let house = house("", "calls_per_second = 1\ncall_burst = 2").await;
    for _ in 0..2 {
        assert_eq!(get(&house, "one", "c").await.code(), Code::NotFound);
    }
    let error = get(&house, "one", "c").await;
    assert_limited(&house, &error, "limits.caller_calls_per_second").await;
    let wait = error.retry_after().expect("RetryInfo");
    assert!(
        wait > Duration::ZERO && wait <= Duration::from_secs(1),
        "{wait:?}"
    );
    // Its neighbour is not held up, and it is itself let in again after that time.
    assert_eq!(get(&house, "two", "c").await.code(), Code::NotFound);
    let let_in = async { while get(&house, "one", "c").await.code() != Code::NotFound {} };
    timeout(PATIENCE, let_in)
        .await
        .expect("a second brings another call");
}

#[tokio::test]
async fn a_tenants_rate_counts_all_its_callers() {
    let house = house(
        "[limits]\ntenant_calls_per_second = 1\ntenant_call_burst = 2",
        "",
    )
    .await;
    assert_eq!(get(&house, "one", "c").await.code(), Code::NotFound);
    assert_eq!(get(&house, "two", "c").await.code(), Code::NotFound);
    let error = get(&house, "two", "c").await;
    assert_limited(&house, &error, "limits.tenant_calls_per_second").await;
}

#[tokio::test]
async fn streams_beyond_a_callers_number_are_refused_until_one_ends() {
    let house = house("", "streams = 1").await;
    let client = house.client("one").await;
    let mut first = client.subscribe(Subscription::new());
    let opened = timeout(PATIENCE, first.next()).await.expect("in time");
    assert!(matches!(opened, Some(Ok(Item::Started(_)))), "{opened:?}");
    let error = refused(&house).await.expect("refused");
    assert_limited(&house, &error, "limits.caller_streams").await;
    assert!(error.retry_after().is_some());
    drop(first);
    let freed = async { while refused(&house).await.is_some() {} };
    timeout(PATIENCE, freed).await.expect("a place gets free");
}

/// How another stream is refused, if it is.
async fn refused(house: &House) -> Option<Error> {
    use parloir_client::v1::{
        SubscribeEventsRequest, conversation_service_client::ConversationServiceClient,
    };
    let mut calls = ConversationServiceClient::new(house.channel().await);
    let mut request = tonic::Request::new(SubscribeEventsRequest::default());
    let key = super::house::bearer(&house.key("one"))
        .parse()
        .expect("a header");
    request.metadata_mut().insert("authorization", key);
    calls.subscribe_events(request).await.err().map(Error::from)
}

#[tokio::test]
async fn a_request_of_more_bytes_than_its_caller_may_send_is_refused() {
    let house = house("", "message_bytes = 100").await;
    assert_eq!(get(&house, "one", "short").await.code(), Code::NotFound);
    let error = get(&house, "one", &"x".repeat(200)).await;
    assert_limited(&house, &error, "limits.caller_message_bytes").await;
    assert_eq!(
        get(&house, "two", &"x".repeat(200)).await.code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn webhooks_beyond_an_agents_rate_are_answered_429() {
    let house = house("[limits]\nwebhooks_per_second = 1\nwebhook_burst = 1", "").await;
    let post = async |agent: &str| webhook::post(house.app.webhooks(), agent, &[], b"{}").await;
    assert_eq!(post("shop").await.status, 404);
    let reply = post("shop").await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("1"));
    let line = "parloir_limited_total{tenant=\"\",limit=\"limits.webhooks_per_second\"} 1";
    assert!(house.metrics().await.contains(line));
    // Names are made up easily: those that nobody has share one rate.
    assert_eq!(post("made-up").await.status, 429);
}

#[tokio::test]
async fn nobody_can_use_up_the_rate_of_an_agent_under_other_names() {
    let server = TestServer::start_with(Wishes {
        top: "limits.webhooks_per_second = 1\nlimits.webhook_burst = 1",
        ..Wishes::default()
    })
    .await;
    let post = async |path: &str| {
        let mut connection = Connection::open(server.webhooks).await;
        connection.post(path, &[], b"{}").await;
        connection.reply().await.expect("an answer").status
    };
    assert_eq!(post("/webhooks/made-up").await, 404);
    assert_eq!(post("/webhooks/made-up-too").await, 429);
    // There is no source of that name.
    assert_eq!(post(&format!("/sources/{AGENT}")).await, 429);
    server.taken(&says("C", "hello")).await;
}
