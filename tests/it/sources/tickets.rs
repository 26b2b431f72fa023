//! A conversation that is a ticket: no session to begin or end, one reply to each message.

use parloir_client::v1::{
    ConversationKind, DeliveryState, SendMessageRequest, StartConversationRequest, event::Body,
    send_message_request::Content,
};

use crate::support::server::{ACCOUNT, TestServer, message, parameter, state};
use crate::support::webhook::flat;

fn ticket(id: &str, text: &str) -> SendMessageRequest {
    SendMessageRequest {
        content: Some(Content::Text(text.to_owned())),
        kind: ConversationKind::Ticket.into(),
        ..message("T-1", id)
    }
}

#[tokio::test]
async fn a_ticket_goes_to_its_own_endpoint_and_is_answered_by_a_reply() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "T-1".to_owned(),
        command_id: "start".to_owned(),
        kind: ConversationKind::Ticket.into(),
        ..StartConversationRequest::default()
    };
    server
        .client
        .start_conversation(start)
        .await
        .expect("a start");
    let updated = server.set("T-1", "set", vec![parameter("tier", "gold", false)]);
    updated.await.expect("an update");
    let sent = server
        .client
        .send_message(ticket("m-1", "my mug broke"))
        .await;
    assert_eq!(state(&sent), DeliveryState::Delivered);
    server
        .client
        .end(ACCOUNT, "T-1", "end")
        .await
        .expect("an end");
    // Another conversation's message goes out, so nothing of the ticket is on its way behind it.
    state(&server.say("C", "m-2", "hello").await);
    let paths: Vec<_> = server
        .platform
        .requests()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    let of_chats = server.platform.last_request().path;
    assert_eq!(paths.len(), 2, "no start, no metadata, no end: {paths:?}");
    assert!(paths[0].ends_with("/converse/ticket"), "{paths:?}");
    assert!(!of_chats.ends_with("/ticket"));
    let body = server.platform.requests().remove(0).json();
    assert_eq!(body["platformConversationId"], "T-1");
    assert!(body.to_string().contains("gold"), "{body}");

    let replied = flat(
        r#""platformConversationId":"T-1","text":"We send another.",
        "predictedIntents":[{"value":"9021","name":"Refund","confidence":1}],
        "attachments":[{"path":"files/1.pdf"}]"#,
    );
    server.taken(&replied).await;
    let reply = events
        .find(|body, event| match body {
            Body::TicketReplied(reply) => Some((reply, event.conversation_id.clone())),
            _ => None,
        })
        .await;
    assert_eq!(
        (reply.0.text.as_str(), reply.1.as_str()),
        ("We send another.", "T-1")
    );
    assert_eq!(reply.0.attachments, ["files/1.pdf"]);
    assert_eq!(reply.0.intents.len(), 1);
}

#[tokio::test]
async fn a_conversation_keeps_its_kind() {
    let server = TestServer::start().await;
    state(
        &server
            .client
            .send_message(ticket("m-1", "my mug broke"))
            .await,
    );
    let chat = SendMessageRequest {
        kind: ConversationKind::Chat.into(),
        ..ticket("m-2", "hello?")
    };
    let other = server.client.send_message(chat).await;
    assert_eq!(
        other.expect_err("another kind").reason(),
        Some("OTHER_KIND")
    );
}
