//! Callers that go away, repeat themselves or come all at once.

use parloir_client::v1::DeliveryState;

use super::{changed, recorded, texts};
use crate::support::server::{ACCOUNT, TestServer, state};

#[tokio::test]
async fn a_caller_who_gives_up_changes_nothing() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let client = server.client.clone();
    let calling = tokio::spawn(async move { client.say(ACCOUNT, "C", "1", "one").await });
    server.platform.wait_for(1).await;
    calling.abort();
    calling.await.expect_err("the call was given up");
    server.platform.release();
    assert_eq!(
        changed(&mut events, "1").await.state(),
        DeliveryState::Delivered
    );
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Delivered
    );
    assert_eq!(texts(&server.platform), ["one"]);
}

#[tokio::test]
async fn a_message_repeated_while_it_is_under_way_is_one_request() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let releasing = async {
        recorded(&mut events, "1").await;
        server.platform.wait_for(1).await;
        // Another message's commit stands behind the repetitions'.
        let behind = server.say("D", "2", "elsewhere");
        let release = async {
            server.platform.wait_for(2).await;
            server.platform.release();
        };
        tokio::join!(behind, release).0
    };
    let say = || server.say("C", "1", "one");
    let (first, second, third, other) = tokio::join!(say(), say(), say(), releasing);
    for sent in [&first, &second, &third, &other] {
        assert_eq!(state(sent), DeliveryState::Delivered);
    }
    let cursors = [first, second, third].map(|sent| sent.expect("a message").cursor);
    assert!(
        cursors.iter().all(|cursor| *cursor == cursors[0]),
        "{cursors:?}"
    );
    assert_eq!(texts(&server.platform), ["one", "elsewhere"]);
}

#[tokio::test]
async fn many_messages_at_once_go_out_in_the_order_of_the_log() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let ids: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let mut calls = tokio::task::JoinSet::new();
    for id in &ids {
        let (client, id) = (server.client.clone(), id.clone());
        calls.spawn(async move { client.say(ACCOUNT, "C", &id, &id).await });
    }
    while let Some(sent) = calls.join_next().await {
        assert_eq!(state(&sent.expect("a call")), DeliveryState::Delivered);
    }
    let mut logged = Vec::new();
    while logged.len() < ids.len() {
        let id = events.find(|body, _| match body {
            parloir_client::v1::event::Body::VisitorMessage(message) => Some(message.message_id),
            _ => None,
        });
        logged.push(id.await);
    }
    assert_eq!(texts(&server.platform), logged);
}
