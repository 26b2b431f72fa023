//! The platform's own widget: the agent hands over there, and humans speak there.

use parloir_client::v1::{
    DeliveryState, HumanJoined, HumanLeft, HumanQueue, HumanText, Owner, OwnerChangeCause,
    SendHumanMessageRequest, event::Body, send_human_message_request::Content,
};

use crate::support::{
    server::{ACCOUNT, TestServer},
    webhook::chat,
};

fn tells(id: &str, content: Content) -> SendHumanMessageRequest {
    SendHumanMessageRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "W-1".to_owned(),
        message_id: id.to_owned(),
        content: Some(content),
        expected_owner_epoch: None,
    }
}

fn text(words: &str) -> Content {
    Content::Text(HumanText {
        text: words.to_owned(),
        ..HumanText::default()
    })
}

#[tokio::test]
async fn a_widgets_visitor_is_handed_over_spoken_to_and_leaves() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server
        .taken(&chat(
            "W-1",
            r#""eventType":"widgetEscalate","escalateTo":"sales""#,
        ))
        .await;
    let changed = events.find(|body, _| match body {
        Body::OwnerChanged(changed) => Some(changed),
        _ => None,
    });
    let changed = changed.await;
    assert_eq!(
        (changed.to(), changed.cause()),
        (Owner::Human, OwnerChangeCause::WidgetEscalation)
    );
    let early = server
        .client
        .send_human_message(tells("h-0", text("hello")))
        .await;
    assert_eq!(
        early.expect_err("nobody joined").reason(),
        Some("HUMAN_NOT_JOINED")
    );
    let queue = Content::Queue(HumanQueue {
        position: Some(2),
        waiting_time: None,
    });
    let joined = Content::Joined(HumanJoined {
        name: "Lee".to_owned(),
        avatar_url: String::new(),
    });
    for (id, content) in [
        ("h-1", queue),
        ("h-2", joined),
        ("h-3", text("I am Lee")),
        ("h-4", Content::Left(HumanLeft {})),
    ] {
        let told = server.client.send_human_message(tells(id, content)).await;
        let delivery = told.expect("a word").delivery.expect("a delivery");
        assert_eq!(delivery.state(), DeliveryState::Delivered, "{id}");
    }
    let seen = server.platform.requests();
    let seen: Vec<_> = seen
        .iter()
        .map(|request| {
            assert!(
                request.path.ends_with("/send-message-to-widget"),
                "{}",
                request.path
            );
            request.json()["eventType"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(
        seen,
        [
            "escalationQueueUpdate",
            "escalationSuccess",
            "message",
            "agentDisconnect"
        ]
    );

    server
        .taken(&chat(
            "W-1",
            r#""eventType":"widgetMessage","text":"thank you""#,
        ))
        .await;
    let said = events.find(|body, _| match body {
        Body::VisitorMessage(message) => Some(message),
        _ => None,
    });
    assert!(said.await.held, "it is for the human");
    server
        .taken(&chat("W-1", r#""eventType":"widgetEndSession""#))
        .await;
    let ended = events.find(|body, _| match body {
        Body::OwnerChanged(changed) => Some(changed.to()),
        _ => None,
    });
    assert_eq!(ended.await, Owner::None);
    let late = server
        .client
        .send_human_message(tells("h-5", text("still there?")))
        .await;
    assert_eq!(
        late.expect_err("nobody is there").reason(),
        Some("NOT_OWNER")
    );
}
