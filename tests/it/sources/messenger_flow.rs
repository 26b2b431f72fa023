//! Flow (c): the bot on Messenger, Social Connect the application beside it.

use parloir::simulate::Fault;
use parloir_client::v1::{DeliveryState, Owner};

use super::{
    agent::{FALLBACK, HUMAN},
    fake_server::Behaviour,
    log,
    messenger_page::{APP, SOCIAL_CONNECT},
    page::{PSID, Page},
    stage::Stage,
};

#[tokio::test]
async fn on_messenger_nothing_is_lost_or_said_twice_though_the_server_is_killed_at_every_turn() {
    walk_under_kills(false).await;
}

#[tokio::test]
async fn a_kill_while_a_pass_that_was_done_waits_for_its_answer_leaves_the_visitor_to_the_human() {
    walk_under_kills(true).await;
}

/// `done`: what is under way when the server is killed during the handover has been done all the same.
async fn walk_under_kills(done: bool) {
    let page = Page::start().await;
    let mut stage = Stage::start(&page.source("", "")).await;

    answer_under_kills(&page, &mut stage).await;
    hand_over_under_kill(&page, &mut stage, done).await;

    // While the human owns the visitor.
    let echo = page
        .messenger
        .echoes(PSID, "m_h1", Some(SOCIAL_CONNECT), "I am Lee");
    page.tell(stage.setup.webhooks, &echo).await;
    says(&page, &stage, 4).await;
    stage.story.holds("ask 4").await;
    stage.restart().await;
    says(&page, &stage, 5).await;
    stage.story.holds("ask 5").await;

    // Right after the human has given the visitor back.
    let passed = page.messenger.passes(PSID, APP);
    page.tell(stage.setup.webhooks, &passed).await;
    stage.restart().await;
    says(&page, &stage, 6).await;
    stage.story.owner_changes_to(Owner::Agent).await;
    stage
        .story
        .comes_to("answer 6", DeliveryState::Delivered)
        .await;

    // The platform itself refuses a bot that speaks while somebody else owns the conversation.
    assert_eq!(
        page.shown(),
        ["answer 1", "answer 2", "answer 3", "answer 6"]
    );
    let failed = page.messenger.calls_to("messages").into_iter();
    let intruding: Vec<_> = failed.filter(|call| !call.succeeded).collect();
    assert!(intruding.is_empty(), "{intruding:?}");
    let endings = log::check(&stage.log().await);
    for (words, state) in [
        ("answer 1", DeliveryState::Delivered),
        // Nobody can ask the platform whether it arrived.
        ("answer 2", DeliveryState::Unknown),
        ("answer 3", DeliveryState::Delivered),
        ("ask 4", DeliveryState::Held),
        ("ask 5", DeliveryState::Held),
        ("answer 6", DeliveryState::Delivered),
    ] {
        let ended = endings.iter().filter(|(known, _)| known == words);
        let ended: Vec<_> = ended.map(|(_, state)| *state).collect();
        assert_eq!(ended, [state], "{words}: {endings:?}");
    }
}

async fn says(page: &Page, stage: &Stage, number: u32) {
    let mid = format!("m_{number}");
    let body = page.messenger.says(PSID, &mid, &format!("ask {number}"));
    page.tell(stage.setup.webhooks, &body).await;
}

/// After the webhook's 200: before the agent has the question, while its answer is under way, and before the next leaves.
async fn answer_under_kills(page: &Page, stage: &mut Stage) {
    stage.agent.faults().push(&Fault::status(503));
    says(page, stage, 1).await;
    stage.story.comes_to("ask 1", DeliveryState::Queued).await;
    stage.restart().await;
    stage
        .story
        .comes_to("answer 1", DeliveryState::Delivered)
        .await;

    // The second answer is under way and the third waits behind it.
    let before = page.server.requests().len();
    page.server.hold();
    says(page, stage, 2).await;
    page.server.wait_for(before + 1).await;
    says(page, stage, 3).await;
    stage.story.agent_says("answer 3").await;
    stage.kill();
    page.server.release();
    stage.revive().await;
    stage
        .story
        .comes_to("answer 2", DeliveryState::Unknown)
        .await;
    stage
        .story
        .comes_to("answer 3", DeliveryState::Delivered)
        .await;
}

/// The agent hands over, and nobody answers the call that does it.
async fn hand_over_under_kill(page: &Page, stage: &mut Stage, done: bool) {
    let before = page.server.requests().len();
    if done {
        page.server.hold();
    } else {
        page.server.next(Behaviour::Silent);
    }
    let body = page.messenger.says(PSID, "m_human", HUMAN);
    page.tell(stage.setup.webhooks, &body).await;
    page.server.wait_for(before + 1).await;
    stage.kill();
    page.server.release();
    stage.revive().await;
    stage.story.owner_changes_to(Owner::Human).await;
    assert_eq!(page.messenger.owner(PSID).as_deref(), Some(SOCIAL_CONNECT));
    // The agent saw its question fail, and speaks on.
    stage.story.agent_says(FALLBACK).await;
}
