//! Who owns a visitor on Messenger, and what follows from it: numbered checks, through the whole service.

use std::time::Duration;

use parloir_client::v1::{DeliveryState, Owner, OwnerChangeCause};

use super::{
    messenger_page::{APP, INBOX, SOCIAL_CONNECT},
    page::{PSID, PageCounter},
};
use crate::support::{
    questions::ask,
    server::ACCOUNT,
    webhook::{escalate, says},
};

#[tokio::test]
async fn fb_07_what_comes_on_standby_is_recorded_and_nothing_is_sent() {
    let mut counter = PageCounter::start("", "").await;
    counter.asks("ask 1").await;
    // Nobody told that somebody else owns the conversation: that it comes on standby says so.
    let _ = counter.page.messenger.takes(PSID, INBOX);
    counter.pass_time(Duration::from_secs(10));
    counter
        .tell(&counter.page.messenger.says(PSID, "m_2", "ask 2"))
        .await;
    counter.story.holds("ask 2").await;
    assert_eq!(counter.heard(), 1);
    assert_eq!(counter.page.shown().len(), 0);
}

#[tokio::test]
async fn fb_11_taken_from_the_bot_what_it_still_says_is_not_sent() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    counter
        .tell(&counter.page.messenger.takes(PSID, INBOX))
        .await;
    counter.story.owner_changes_to(Owner::Human).await;
    counter.server.taken(&says(&conversation, "answer 1")).await;
    counter.story.agent_says("answer 1").await;
    counter
        .tell(&counter.page.messenger.passes(PSID, APP))
        .await;
    counter.story.owner_changes_to(Owner::Agent).await;
    counter.asks("ask 2").await;
    let upstream = format!("{conversation}.e3");
    counter
        .answers(&upstream, "answer 2", DeliveryState::Delivered)
        .await;
    assert_eq!(counter.page.shown(), ["answer 2"]);
}

#[tokio::test]
async fn fb_12_whoever_asks_for_the_visitor_gets_it_once_and_the_bot_is_silent() {
    let mut counter = PageCounter::start("", "").await;
    counter.asks("ask 1").await;
    let request = counter.page.messenger.requests(PSID, SOCIAL_CONNECT);
    counter.tell(&request).await;
    counter.tell(&request).await;
    counter.story.owner_changes_to(Owner::Human).await;
    assert_eq!(
        counter.page.messenger.owner(PSID).as_deref(),
        Some(SOCIAL_CONNECT)
    );
    assert_eq!(
        counter.page.messenger.calls_to("pass_thread_control").len(),
        1
    );
    counter
        .tell(&counter.page.messenger.says(PSID, "m_2", "ask 2"))
        .await;
    counter.story.holds("ask 2").await;
}

#[tokio::test]
async fn fb_15_after_a_strange_echo_the_owner_is_read_before_anything_more_is_sent() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    let _ = counter.page.messenger.takes(PSID, INBOX);
    counter
        .tell(
            &counter
                .page
                .messenger
                .echoes(PSID, "m_h", None, "I take this"),
        )
        .await;
    counter.server.taken(&says(&conversation, "answer 1")).await;
    counter.story.owner_changes_to(Owner::Human).await;
    counter
        .tell(&counter.page.messenger.says(PSID, "m_2", "ask 2"))
        .await;
    counter.story.holds("ask 2").await;
    assert_eq!(counter.page.shown().len(), 0);
    assert_eq!(counter.page.messenger.calls_to("messages").len(), 0);
}

#[tokio::test]
async fn fb_22_refused_as_not_ours_the_answer_fails_once_and_the_owner_changes() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    let _ = counter.page.messenger.passes(PSID, SOCIAL_CONNECT);
    counter.server.taken(&says(&conversation, "answer 1")).await;
    let changed = counter.story.owner_change().await;
    assert_eq!(
        (changed.to(), changed.cause()),
        (Owner::Human, OwnerChangeCause::RefusedBySource)
    );
    let failed = counter
        .story
        .comes_to("answer 1", DeliveryState::Failed)
        .await;
    assert_eq!(failed.reason, "SOURCE_NOT_OWNER");
    assert_eq!(counter.page.messenger.calls_to("messages").len(), 1);
}

#[tokio::test]
async fn fb_36_after_a_day_of_silence_the_bot_answers_in_a_new_session() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    let asked = ask(&counter.server, &escalate(&conversation));
    assert_eq!(asked.await.expect("an answer").status, 200);
    counter.story.owner_changes_to(Owner::Human).await;
    counter.pass_time(Duration::from_hours(25));
    counter
        .tell(&counter.page.messenger.says(PSID, "m_2", "ask 2"))
        .await;
    counter.story.owner_changes_to(Owner::Agent).await;
    let delivered = counter
        .story
        .comes_to("ask 2", DeliveryState::Delivered)
        .await;
    assert_eq!(delivered.session, 2);
    let upstream = format!("{conversation}.e3");
    counter
        .answers(&upstream, "answer 2", DeliveryState::Delivered)
        .await;
}

#[tokio::test]
async fn given_back_while_the_handover_is_under_way_the_visitor_is_the_agents_in_the_end() {
    let mut counter = PageCounter::start("", "").await;
    let conversation = counter.asks("ask 1").await;
    let client = counter.server.client.clone();
    counter.page.server.hold();
    let seen = counter.page.server.requests().len();
    for (command, to) in [("take", Owner::Human), ("give", Owner::Agent)] {
        let moved = client
            .hand_over(ACCOUNT, &conversation, command, to, "")
            .await;
        assert_eq!(moved.expect("a transfer").owner(), to);
        counter.page.server.wait_for(seen + 1).await;
    }
    counter.page.server.release();
    counter
        .story
        .comes_to("give", DeliveryState::Delivered)
        .await;
    assert_eq!(counter.page.messenger.owner(PSID).as_deref(), Some(APP));
    counter.asks("ask 2").await;
}
