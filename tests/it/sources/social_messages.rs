//! Messages of Social Connect in and out: numbered checks, through the whole service.

use std::time::Duration;

use parloir::simulate::social_connect::{Call, Failure, Speaker};
use parloir_client::v1::{DeliveryState, ListConversationsRequest, Owner};
use serde_json::json;

use super::{counter::Counter, desk::Desk};
use crate::support::webhook::says;

#[tokio::test]
async fn qsc_22_a_message_that_is_told_three_times_is_one_turn_of_the_bot() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    counter.asks("ask 1").await;
    counter
        .desk
        .platform
        .tell_again(&counter.desk.visitor)
        .await;
    counter
        .desk
        .platform
        .tell_again(&counter.desk.visitor)
        .await;
    counter.asks("ask 2").await;
    let posted = counter.desk.platform.posted();
    let answered: Vec<_> = posted.iter().filter_map(|posted| posted.status).collect();
    assert_eq!(answered, [200; 4]);
    assert_eq!(counter.heard(), ["ask 1", "ask 2"]);
}

#[tokio::test]
async fn qsc_29_30_40_what_is_not_the_bots_to_answer_is_not_heard() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    counter.asks("ask 1").await;
    let desk = &counter.desk;
    desk.platform
        .human_says(&desk.visitor, "by the brand")
        .await;
    let public = desk.tells("9001", |mention| {
        mention["message"]["type"] = json!("tweet");
    });
    assert_eq!(public.await, 200);
    let by_flow = desk.tells("9002", |mention| {
        mention["handled_by"] = json!({ "flow_id": 7 });
    });
    assert_eq!(by_flow.await, 200);
    counter.asks("ask 2").await;
    assert_eq!(counter.heard(), ["ask 1", "ask 2"]);
    assert_eq!(counter.desk.calls(), []);
    // Each would have been an event of its own.
    let log = counter
        .server
        .client
        .list_conversations(ListConversationsRequest::default())
        .await;
    assert_eq!(log.expect("a list").conversations.len(), 1);
}

#[tokio::test]
async fn qsc_32_without_the_permission_to_publish_the_answer_fails_and_people_are_told() {
    let desk = Desk::start_with("tag", |settings| settings.may_publish = false).await;
    let mut counter = Counter::start(desk, "", "").await;
    let conversation = counter.asks("ask 1").await;
    counter.server.taken(&says(&conversation, "answer 1")).await;
    let failed = counter
        .story
        .comes_to("answer 1", DeliveryState::Failed)
        .await;
    assert_eq!(failed.reason, "SOURCE_CREDENTIALS_REJECTED");
    assert_eq!(
        counter.story.alert().await.name,
        "source_credentials_rejected"
    );
    assert_eq!(counter.desk.calls(), [Call::Publish]);
}

#[tokio::test]
async fn qsc_32_with_the_fallback_configured_people_are_asked_to_approve() {
    let desk = Desk::start_with("tag", |settings| settings.may_publish = false).await;
    let mut counter = Counter::start(desk, "", "approval_fallback = true").await;
    let conversation = counter.asks("ask 1").await;
    counter.server.taken(&says(&conversation, "answer 1")).await;
    counter
        .story
        .comes_to("answer 1", DeliveryState::Delivered)
        .await;
    let waiting = counter.desk.platform.platform().awaiting_approval();
    assert_eq!(waiting, ["answer 1"]);
}

#[tokio::test]
async fn qsc_35_a_handover_whose_words_fail_stays_a_handover() {
    let general = r#"handover_text = { "" = "A colleague takes over." }"#;
    let mut counter = Counter::start(Desk::start("tag").await, general, "").await;
    let conversation = counter.asks("ask 1").await;
    let failed = Failure::error(400, "invalid_parameter");
    counter.desk.platform.fail_next(Call::Publish, failed);
    assert_eq!(counter.escalates(&conversation).await, 200);
    counter.story.owner_changes_to(Owner::Human).await;
    counter
        .story
        .comes_to("escalation", DeliveryState::Failed)
        .await;
    counter.desk.human_owns(true).await;
    counter.desk.says("ask 2").await;
    counter.story.holds("ask 2").await;
    assert_eq!(counter.desk.calls(), [Call::EditContact, Call::Publish]);
}

#[tokio::test]
async fn qsc_39_an_answer_whose_arrival_is_unclear_is_looked_up_and_not_sent_again() {
    let general = r#"send_timeout = "300ms""#;
    let mut counter = Counter::start(Desk::start("tag").await, general, "").await;
    let conversation = counter.asks("ask 1").await;
    counter
        .desk
        .platform
        .fail_next(Call::Publish, Failure::silent(true));
    counter.server.taken(&says(&conversation, "answer 1")).await;
    counter
        .story
        .comes_to("answer 1", DeliveryState::Delivered)
        .await;
    assert_eq!(counter.desk.calls(), [Call::Publish, Call::ReadPublished]);
    let by_the_bot = |(from, _): &(Speaker, String)| *from == Speaker::Bot;
    assert_eq!(
        counter.desk.lines().into_iter().filter(by_the_bot).count(),
        1
    );
}

#[tokio::test]
async fn qsc_39_an_answer_that_certainly_did_not_arrive_is_sent_once_more() {
    let general = r#"send_timeout = "300ms""#;
    let mut counter = Counter::start(Desk::start("tag").await, general, "").await;
    let conversation = counter.asks("ask 1").await;
    let lost = Failure::silent(false);
    counter.desk.platform.fail_next(Call::Publish, lost);
    counter.server.taken(&says(&conversation, "answer 1")).await;
    // It might still turn up.
    counter.desk.is_called(Call::ReadPublished, 1).await;
    counter.server.clock.advance(Duration::from_mins(1));
    // What is said next finds that it did not.
    counter.server.taken(&says(&conversation, "answer 2")).await;
    counter
        .story
        .comes_to("answer 1", DeliveryState::Delivered)
        .await;
    counter
        .story
        .comes_to("answer 2", DeliveryState::Delivered)
        .await;
    let lines: Vec<_> = counter
        .desk
        .lines()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(lines, ["ask 1", "answer 1", "answer 2"]);
}
