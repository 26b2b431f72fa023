//! A platform that asks again.

use std::time::Duration;

use parloir_client::v1::{RequestDelivery, event::Body};

use crate::support::{
    http::Connection,
    questions::{action_requested, ask, metric, reply, request_closed},
    server::{AGENT, TestServer, Wishes, parameter},
    webhook::{action, says},
};

#[tokio::test]
async fn a_repeat_of_an_open_question_joins_it_and_gets_the_same_answer() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let first = ask(&server, &action("C", "fetch"));
    let request = action_requested(&mut events).await.request_id;
    let again = ask(&server, &action("C", "fetch"));
    metric(
        &server,
        r#"parloir_webhooks_total{tenant="default",agent="shop",outcome="asked"} 2"#,
    )
    .await;
    let results = vec![parameter("order", "A-1", false)];
    let answered = server.client.answer_action(&request, results).await;
    answered.expect("an answer");
    let (first, again) = (reply(first).await, reply(again).await);
    assert!(first.body.contains("A-1"), "{first:?}");
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    request_closed(&mut events).await;
    server.taken(&says("C", "anything else?")).await;
    let next = events.next().await.event.expect("an event").body;
    assert!(
        matches!(next, Some(Body::AgentMessage(_))),
        "one question was recorded: {next:?}"
    );
}

#[tokio::test]
async fn a_repeat_after_the_platform_hung_up_gets_the_answer() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let mut connection = Connection::open(server.webhooks).await;
    let body = action("C", "fetch");
    let path = format!("/webhooks/{AGENT}");
    connection.post(&path, &[], body.as_bytes()).await;
    let request = action_requested(&mut events).await.request_id;
    drop(connection);
    metric(
        &server,
        r#"parloir_requests_open{tenant="default",agent="shop",kind="action"} 0"#,
    )
    .await;
    let again = ask(&server, &action("C", "fetch"));
    metric(
        &server,
        r#"parloir_webhooks_total{tenant="default",agent="shop",outcome="asked"} 2"#,
    )
    .await;
    let results = vec![parameter("order", "A-1", false)];
    let answered = server.client.answer_action(&request, results).await;
    answered.expect("an answer");
    assert!(reply(again).await.body.contains("A-1"));
    let closed = request_closed(&mut events).await;
    assert_eq!(
        closed.delivery(),
        RequestDelivery::Written,
        "the repeat was waiting"
    );
}

#[tokio::test]
async fn a_question_that_is_asked_again_after_the_repeat_window_is_a_new_one() {
    let server = TestServer::start_with(Wishes {
        agent: r#"repeat_window = "30s""#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let first = ask(&server, &action("C", "count"));
    let request = action_requested(&mut events).await.request_id;
    let one = vec![parameter("n", "1", false)];
    server
        .client
        .answer_action(&request, one)
        .await
        .expect("an answer");
    assert!(reply(first).await.body.contains("\"1\""));
    server.clock.advance(Duration::from_secs(29));
    let within = reply(ask(&server, &action("C", "count"))).await;
    assert!(within.body.contains("\"1\""), "{within:?}");
    server.clock.advance(Duration::from_secs(31));
    let after = ask(&server, &action("C", "count"));
    let another = action_requested(&mut events).await.request_id;
    assert_ne!(another, request);
    let two = vec![parameter("n", "2", false)];
    server
        .client
        .answer_action(&another, two)
        .await
        .expect("an answer");
    assert!(reply(after).await.body.contains("\"2\""));
}

#[tokio::test]
async fn without_a_repeat_window_every_question_is_a_new_one() {
    let server = TestServer::start_with(Wishes {
        agent: r#"repeat_window = "0s""#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    let (first, second) = (
        ask(&server, &action("C", "n")),
        ask(&server, &action("C", "n")),
    );
    let one = action_requested(&mut events).await.request_id;
    let two = action_requested(&mut events).await.request_id;
    assert_ne!(one, two);
    for request in [one, two] {
        let answered = server.client.answer_action(&request, vec![]).await;
        answered.expect("an answer");
    }
    assert_eq!(
        (reply(first).await.status, reply(second).await.status),
        (200, 200)
    );
}
