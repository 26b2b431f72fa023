//! Messages of Messenger in and out: numbered checks, through the whole service.

use std::time::Duration;

use parloir_client::v1::{
    DeliveryState, HumanText, Owner, SendHumanMessageRequest, send_human_message_request::Content,
};

use super::page::{ALONE, PSID, PageCounter};
use crate::support::{server::ACCOUNT, webhook::chat};

#[tokio::test]
async fn fb_06_a_message_that_is_told_twice_is_one_turn_of_the_bot() {
    let mut counter = PageCounter::start("", "").await;
    let body = counter.page.messenger.says(PSID, "m_1", "ask 1");
    counter.tell(&body).await;
    counter.tell(&body).await;
    counter.asks("ask 2").await;
    assert_eq!(counter.heard(), 2);
}

#[tokio::test]
async fn fb_25_a_refused_token_fails_the_answer_and_is_told() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    counter.page.messenger.accept_token("another");
    let reason = counter
        .answers(&conversation, "answer 1", DeliveryState::Failed)
        .await;
    assert_eq!(reason, "SOURCE_CREDENTIALS_REJECTED");
    assert_eq!(
        counter.story.alert().await.name,
        "source_credentials_rejected"
    );
    let calls = counter.page.messenger.calls().len();
    counter
        .answers(&conversation, "answer 2", DeliveryState::Failed)
        .await;
    assert_eq!(
        counter.page.messenger.calls().len(),
        calls,
        "sending has stopped"
    );
}

#[tokio::test]
async fn fb_26_fourteen_choices_are_never_more_than_thirteen_quick_replies_in_one_call() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    let buttons: Vec<_> = (1..=14)
        .map(|number| format!(r#"{{"type":"reply","text":"Choice {number}"}}"#))
        .collect();
    let offer = format!(
        r#""eventType":"sendMessage","type":"text","text":"Which?","buttons":[{}]"#,
        buttons.join(",")
    );
    counter.server.taken(&chat(&conversation, &offer)).await;
    counter
        .story
        .comes_to("Which?", DeliveryState::Delivered)
        .await;
    let shown = counter.page.messenger.shown(PSID);
    let replies =
        |message: &serde_json::Value| message["quick_replies"].as_array().map_or(0, Vec::len);
    assert!(
        shown.iter().all(|message| replies(message) <= 13),
        "{shown:?}"
    );
    let all = shown.iter().map(ToString::to_string).collect::<String>();
    for number in 1..=14 {
        assert!(all.contains(&format!("Choice {number}")), "{all}");
    }
}

#[tokio::test]
async fn fb_33_a_day_after_the_visitors_last_word_the_bot_sends_nothing() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    counter.pass_time(Duration::from_hours(25));
    let reason = counter
        .answers(&conversation, "answer 1", DeliveryState::Failed)
        .await;
    assert_eq!(reason, "WINDOW_CLOSED");
    assert_eq!(counter.page.messenger.calls_to("messages").len(), 0);
}

#[tokio::test]
async fn a_humans_words_are_shown_with_the_humans_name() {
    let counter = human_says(ALONE, DeliveryState::Delivered).await;
    assert_eq!(counter.page.shown(), ["Lee: I send another."]);
}

#[tokio::test]
async fn a_human_cannot_speak_through_us_where_the_visitor_was_given_to_another_application() {
    let counter = human_says("", DeliveryState::Failed).await;
    assert_eq!(counter.page.shown().len(), 0);
}

async fn human_says(own: &str, state: DeliveryState) -> PageCounter {
    let mut counter = PageCounter::start("", own).await;
    let conversation = counter.asks("ask 1").await;
    let client = counter.server.client.clone();
    let taken = client.hand_over(ACCOUNT, &conversation, "take", Owner::Human, "");
    taken.await.expect("a transfer");
    let said = SendHumanMessageRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: conversation,
        message_id: "h-1".to_owned(),
        content: Some(Content::Text(HumanText {
            text: "I send another.".to_owned(),
            name: "Lee".to_owned(),
            avatar_url: String::new(),
        })),
        expected_owner_epoch: None,
    };
    client.send_human_message(said).await.expect("words");
    counter.story.comes_to("I send another.", state).await;
    counter
}
