//! Who owns a visitor of Social Connect, and what follows from it: numbered checks, through the whole service.

use std::time::Duration;

use parloir::simulate::social_connect::{Call, Failure};
use parloir_client::v1::{DeliveryState, ListConversationsRequest, Owner, OwnerChangeCause};

use super::{counter::Counter, desk::Desk};
use crate::support::server::Wishes;

#[tokio::test]
async fn qsc_14_escalating_twice_leaves_the_visitor_to_the_human_and_is_no_error() {
    let mut counter = Counter::start(Desk::start("handover").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    // It did so already, for somebody else.
    counter
        .desk
        .platform
        .platform()
        .take_over(&counter.desk.visitor);
    assert_eq!(counter.escalates(&conversation).await, 200);
    counter.story.owner_changes_to(Owner::Human).await;
    counter.transfer(&conversation, "again", Owner::Human).await;
    assert_eq!(
        counter.escalates(&conversation).await,
        200,
        "a repeat gets what it got"
    );
    counter.desk.says("ask 2").await;
    counter.story.holds("ask 2").await;
    counter.desk.human_owns(true).await;
    let calls = counter.desk.platform.platform().count(Call::HandOver);
    assert!((1..=2).contains(&calls), "{calls}");
    assert_eq!(counter.heard(), ["ask 1"]);
}

#[tokio::test]
async fn qsc_15_resuming_the_bot_is_one_delete_and_the_next_message_is_the_bots() {
    let mut counter = Counter::start(Desk::start("handover").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    counter.transfer(&conversation, "take", Owner::Human).await;
    counter
        .story
        .comes_to("take", DeliveryState::Delivered)
        .await;
    counter.desk.human_owns(true).await;
    let epoch = counter.transfer(&conversation, "give", Owner::Agent).await;
    counter
        .story
        .comes_to("give", DeliveryState::Delivered)
        .await;
    counter.desk.human_owns(false).await;
    counter.asks("ask 2").await;
    let upstream = format!("{conversation}.e{epoch}");
    counter.answers(&upstream, "answer 2").await;
    assert_eq!(counter.desk.platform.platform().count(Call::HandBack), 1);
}

#[tokio::test]
async fn qsc_16_an_owner_that_is_not_understood_silences_the_bot_until_the_policy_decides() {
    let wishes = Wishes {
        top: r#"log.sweep_interval = "20ms""#,
        ..Wishes::default()
    };
    let desk = Desk::start("handover").await;
    let own = r#"owner_words = { application = "agent" }"#;
    let mut counter = Counter::start_with(desk, "", own, wishes).await;
    counter.asks("ask 1").await;
    counter
        .desk
        .platform
        .platform()
        .take_over(&counter.desk.visitor);
    // What is known has grown old: the owner is read again.
    counter.server.clock.advance(Duration::from_hours(2));
    counter.desk.says("ask 2").await;
    let changed = counter.story.owner_change().await;
    assert_eq!(
        (changed.to(), changed.cause()),
        (Owner::Unknown, OwnerChangeCause::Observed)
    );
    let alert = counter.story.alert().await;
    assert_eq!(alert.name, "owner_unknown");
    assert!(alert.raw.contains("engage"), "{}", alert.raw);
    counter.story.holds("ask 2").await;
    counter.server.clock.advance(Duration::from_mins(16));
    let changed = counter.story.owner_change().await;
    assert_eq!(
        (changed.to(), changed.cause()),
        (Owner::Human, OwnerChangeCause::UnknownTooLong)
    );
    assert_eq!(counter.heard(), ["ask 1"]);
    assert!(!counter.desk.calls().contains(&Call::Publish));
}

#[tokio::test]
async fn qsc_26_a_tag_in_any_spelling_keeps_the_bot_silent() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    counter
        .desk
        .platform
        .platform()
        .agent_tags(&counter.desk.visitor, "Escalated to agent ");
    counter.desk.says("ask 1").await;
    counter.story.holds("ask 1").await;
    let conversation = counter
        .server
        .client
        .list_conversations(ListConversationsRequest::default())
        .await;
    let conversation = conversation.expect("a list").conversations.remove(0);
    assert_eq!(conversation.owner(), Owner::Human);
    assert_eq!(
        counter.desk.calls(),
        [],
        "nothing is asked and nothing published"
    );
    assert_eq!(counter.heard().len(), 0);
}

#[tokio::test]
async fn qsc_27_without_tags_in_the_message_the_contact_is_read_once_with_its_topics() {
    let desk = Desk::start_with("tag", |settings| settings.tells_tags = false).await;
    let desk = desk.on("whatsapp");
    let mut counter = Counter::start(desk, "", "").await;
    counter.asks("ask 1").await;
    let calls = counter.desk.platform.platform().calls();
    let [read] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    assert_eq!(read.call, Call::ReadContact);
    assert_eq!(read.field("topic_ids"), Some("46283"));
}

#[tokio::test]
async fn qsc_28_a_contact_that_cannot_be_read_keeps_the_bot_silent_until_it_can() {
    let desk = Desk::start_with("tag", |settings| settings.tells_tags = false).await;
    let mut counter = Counter::start(desk, "", "").await;
    let failed = Failure::error(500, "internal_server_error");
    counter.desk.platform.fail_next(Call::ReadContact, failed);
    counter.desk.says("ask 1").await;
    counter.desk.is_called(Call::ReadContact, 1).await;
    counter.desk.is_called(Call::ReadContact, 2).await;
    counter
        .story
        .comes_to("ask 1", DeliveryState::Delivered)
        .await;
    assert_eq!(counter.desk.calls(), [Call::ReadContact; 2]);
    assert_eq!(counter.heard(), ["ask 1"]);
}

#[tokio::test]
async fn qsc_36_after_people_take_the_tag_away_the_bot_answers_in_a_new_session() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    let conversation = counter.asks("ask 1").await;
    assert_eq!(counter.escalates(&conversation).await, 200);
    counter.desk.human_owns(true).await;
    counter.desk.says("ask 2").await;
    counter.story.holds("ask 2").await;
    counter.desk.hand_back();
    counter.desk.says("ask 3").await;
    let delivered = counter
        .story
        .comes_to("ask 3", DeliveryState::Delivered)
        .await;
    assert_eq!(delivered.session, 2);
    let seen = counter.server.platform.last_request().json();
    let upstream = seen["platformConversationId"].as_str().expect("an id");
    assert_eq!(upstream, format!("{conversation}.e3"));
    counter.answers(upstream, "answer 3").await;
}

#[tokio::test]
async fn a_webhook_from_before_a_takeover_that_comes_late_does_not_bring_the_bot_back() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    counter.asks("ask 1").await;
    let platform = counter.desk.platform.platform();
    platform.agent_tags(&counter.desk.visitor, "escalated to agent");
    counter.desk.says("ask 2").await;
    counter.story.holds("ask 2").await;
    let late = counter.desk.tells("9001", |mention| {
        let added = mention["date"]["added"].as_u64().expect("a time");
        mention["date"]["added"] = (added - 1).into();
        mention["message"]["content"] = "<p>ask late</p>".into();
        mention["author"]["tags"] = serde_json::json!([]);
    });
    assert_eq!(late.await, 200);
    counter.story.holds("ask late").await;
    assert_eq!(counter.heard(), ["ask 1"]);
}

#[tokio::test]
async fn a_webhook_from_before_a_handback_that_comes_late_does_not_silence_the_bot() {
    let mut counter = Counter::start(Desk::start("tag").await, "", "").await;
    counter.asks("ask 1").await;
    let late = counter.desk.tells("9001", |mention| {
        let added = mention["date"]["added"].as_u64().expect("a time");
        mention["date"]["added"] = (added - 1).into();
        mention["message"]["content"] = "<p>ask late</p>".into();
        mention["author"]["tags"] = serde_json::json!(["escalated to agent"]);
    });
    assert_eq!(late.await, 200);
    counter
        .story
        .comes_to("ask late", DeliveryState::Delivered)
        .await;
}
