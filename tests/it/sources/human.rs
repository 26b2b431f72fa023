//! The human side speaks through the source, or to whoever listens.

use parloir_client::v1::{
    DeliveryState, HumanText, Owner, SendHumanMessageRequest, event::Body,
    send_human_message_request::Content,
};

use super::{counter::Counter, desk::Desk};
use crate::support::server::{ACCOUNT, TestServer, state};

fn says(conversation: &str, id: &str, text: &str) -> SendHumanMessageRequest {
    SendHumanMessageRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: conversation.to_owned(),
        message_id: id.to_owned(),
        content: Some(Content::Text(HumanText {
            text: text.to_owned(),
            name: "Lee".to_owned(),
            avatar_url: String::new(),
        })),
        expected_owner_epoch: None,
    }
}

#[tokio::test]
async fn a_humans_words_reach_the_visitor_at_the_source_once() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    let client = counter.server.client.clone();
    let early = client
        .send_human_message(says(&conversation, "h-0", "hello"))
        .await;
    assert_eq!(
        early.expect_err("the agent owns it").reason(),
        Some("NOT_OWNER")
    );
    let epoch = counter.transfer(&conversation, "take", Owner::Human).await;
    let stale = SendHumanMessageRequest {
        expected_owner_epoch: Some(epoch - 1),
        ..says(&conversation, "h-1", "hello")
    };
    let stale = client.send_human_message(stale).await;
    assert_eq!(
        stale.expect_err("it moved").reason(),
        Some("OWNER_EPOCH_MOVED")
    );
    let said = client
        .send_human_message(says(&conversation, "h-2", "I send another."))
        .await;
    let again = client
        .send_human_message(says(&conversation, "h-2", "I send another."))
        .await;
    assert_eq!(
        said.expect("words").cursor,
        again.expect("the same words").cursor
    );
    counter
        .story
        .comes_to("I send another.", DeliveryState::Delivered)
        .await;
    let lines = counter
        .desk
        .platform
        .platform()
        .lines(&counter.desk.visitor);
    let read: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(read, ["ask 1", "Lee: I send another."]);
}

#[tokio::test]
async fn a_transfer_in_a_sources_conversation_tells_the_source_and_back() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    counter.transfer(&conversation, "take", Owner::Human).await;
    counter.desk.human_owns(true).await;
    counter.transfer(&conversation, "give", Owner::Agent).await;
    counter.desk.human_owns(false).await;
    counter
        .story
        .comes_to("give", DeliveryState::Delivered)
        .await;
}

#[tokio::test]
async fn without_a_source_or_a_widget_a_humans_words_are_recorded_and_nothing_is_sent() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    let taken = server
        .client
        .hand_over(ACCOUNT, "C", "take", Owner::Human, "")
        .await;
    taken.expect("a transfer");
    let said = server
        .client
        .send_human_message(says("C", "h-1", "I am Lee"))
        .await;
    assert_eq!(said.expect("words").delivery, None);
    let message = events.find(|body, _| match body {
        Body::HumanMessage(message) => Some(message),
        _ => None,
    });
    let message = message.await;
    assert_eq!(
        (message.text.as_str(), message.name.as_str()),
        ("I am Lee", "Lee")
    );
    state(&server.say("D", "m-2", "hello").await);
    assert_eq!(server.platform.requests().len(), 2);
    let unknown = server
        .client
        .send_human_message(says("X", "h-2", "hello"))
        .await;
    assert_eq!(
        unknown.expect_err("unknown").code(),
        parloir_client::Code::NotFound
    );
}
