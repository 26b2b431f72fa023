//! Choices where a source shows nothing but text: numbered on the way out, understood on the way back.

use parloir_client::v1::{DeliveryState, event::Body, visitor_message::Content};

use super::{counter::Counter, desk::Desk};
use crate::support::webhook::chat;

const OFFER: &str = r#""eventType":"sendMessage","type":"text","text":"Which one?","buttons":[
    {"type":"reply","text":"The red mug"},{"type":"reply","text":"The blue mug"}]"#;

#[tokio::test]
async fn the_visitors_2_becomes_the_second_choice() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    counter.server.taken(&chat(&conversation, OFFER)).await;
    counter
        .story
        .comes_to("Which one?", DeliveryState::Delivered)
        .await;
    let shown = counter.desk.lines().pop().expect("a line").1;
    assert!(
        shown.contains("1. The red mug") && shown.contains("2. The blue mug"),
        "{shown:?}"
    );
    counter.desk.says("2").await;
    let choice = loop {
        if let (Body::VisitorMessage(message), _) = counter.story.next().await {
            break message.content;
        }
    };
    let Some(Content::Choice(choice)) = choice else {
        panic!("{choice:?}");
    };
    assert_eq!(choice.label, "The blue mug");
    counter
        .story
        .comes_to("The blue mug", DeliveryState::Delivered)
        .await;
    assert_eq!(counter.heard(), ["ask 1", "The blue mug"]);
    // Without an offer a number is a number again.
    counter.answers(&conversation, "Good choice.").await;
    counter.asks("2").await;
    assert_eq!(counter.heard()[2..], ["2"]);
}
