//! A database that can grow no more.

use std::time::Duration;

use parloir_client::{
    Code,
    v1::{DeliveryState, StartConversationRequest},
};

use super::{calls, earliest, follow, next_event};
use crate::support::{
    server::{ACCOUNT, TestServer, Wishes, parameter, state},
    webhook::says,
};

#[tokio::test]
async fn a_full_database_refuses_what_is_new_shows_what_it_has_and_goes_on_when_there_is_room() {
    let server = TestServer::start_with(Wishes {
        top: "database.max_bytes = 1048576\nlog.sweep_interval = \"10ms\"",
        ..Wishes::default()
    })
    .await;
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Delivered
    );
    let long = "x".repeat(10_000);
    let mut taken = 0;
    let refused = loop {
        // A conversation each, so that the end of many sessions waits to be recorded.
        let reply = server.webhook(&says(&format!("C{taken}"), &long)).await;
        if reply.status != 200 {
            break reply;
        }
        taken += 1;
    };
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(taken > 10, "{taken}");

    // What goes into a conversation that is there needs less room than what opens one.
    let mut said = 1;
    let large = loop {
        let id = (said + 1).to_string();
        match server.client.say(ACCOUNT, "C", &id, &long).await {
            Ok(_) => said += 1,
            Err(error) => break error,
        }
    };
    let parameters =
        (0..10).map(|number| parameter(&format!("p{number}"), &"x".repeat(8_000), false));
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: "s".to_owned(),
        parameters: parameters.collect(),
        ..StartConversationRequest::default()
    };
    let started = server.client.start_conversation(start).await;
    for error in [large, started.expect_err("it is full")] {
        assert_eq!(
            (error.code(), error.reason()),
            (Code::ResourceExhausted, Some("STORE_FULL"))
        );
        assert!(error.retry_after().is_some(), "{error}");
    }
    assert_eq!(
        server.platform.requests().len(),
        said,
        "what is not recorded is not sent"
    );

    let known = server.client.conversation(ACCOUNT, "C").await;
    assert!(known.expect("reading goes on").is_some());
    let url = format!("http://{}", server.app.grpc());
    let mut stream = follow(&mut calls(url).await, earliest())
        .await
        .expect("a stream");
    let mut shown = 0;
    while shown < taken {
        let (event, _) = next_event(&mut stream).await;
        let said = matches!(
            event.body,
            Some(parloir_client::v1::event::Body::AgentMessage(_))
        );
        shown += usize::from(said);
    }

    // Retention makes room, though the sessions that ran out meanwhile cannot be recorded before.
    server.clock.advance(Duration::from_hours(31 * 24));
    let body = says("C", &long);
    let room = async { while server.webhook(&body).await.status != 200 {} };
    let room = tokio::time::timeout(Duration::from_secs(30), room).await;
    room.expect("room in time");
    let id = (said + 1).to_string();
    let again = server.client.say(ACCOUNT, "C", &id, &long).await;
    assert_eq!(
        state(&again),
        DeliveryState::Delivered,
        "the same key, once there is room"
    );
}
