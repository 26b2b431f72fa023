//! Flows (a) and (b): Social Connect with its handover, and with a tag.

use parloir::simulate::{
    Fault,
    social_connect::{
        Call, Failure,
        Speaker::{Bot, Human, Visitor},
    },
};
use parloir_client::v1::{DeliveryState, Owner};

use super::{
    agent::{FALLBACK, HUMAN},
    desk::Desk,
    log,
    stage::Stage,
};

/// Every message asks who owns its visitor: what people give back there is noticed at once.
const ALWAYS_ASK: &str = r#"human_max_age = "0s""#;

#[tokio::test]
async fn by_tag_a_visitor_goes_from_the_bot_to_a_human_and_back() {
    walk("tag").await;
}

#[tokio::test]
async fn by_handover_a_visitor_goes_from_the_bot_to_a_human_and_back() {
    walk("handover").await;
}

async fn walk(ownership: &'static str) {
    let desk = Desk::start(ownership).await;
    let mut stage = Stage::start(&desk.source(ALWAYS_ASK, "")).await;
    desk.post_to(stage.setup.webhooks);
    desk.says("ask 1").await;
    desk.reads("answer 1").await;
    desk.says(HUMAN).await;
    stage.story.owner_changes_to(Owner::Human).await;
    desk.human_owns(true).await;
    desk.platform.human_says(&desk.visitor, "I am Lee").await;
    desk.says("ask 2").await;
    stage.story.holds("ask 2").await;
    desk.hand_back();
    desk.says("ask 3").await;
    stage.story.owner_changes_to(Owner::Agent).await;
    desk.reads("answer 3").await;
    stage
        .story
        .comes_to("answer 3", DeliveryState::Delivered)
        .await;

    let expected = [
        (Visitor, "ask 1"),
        (Bot, "answer 1"),
        (Visitor, HUMAN),
        (Human, "I am Lee"),
        (Visitor, "ask 2"),
        (Visitor, "ask 3"),
        (Bot, "answer 3"),
    ];
    assert_eq!(pairs(&desk.lines()), expected);
    let endings = log::check(&stage.log().await);
    let held = ("ask 2".to_owned(), DeliveryState::Held);
    assert!(endings.contains(&held), "{endings:?}");
}

#[tokio::test]
async fn by_tag_nothing_is_lost_or_said_twice_though_the_server_is_killed_at_every_turn() {
    walk_under_kills("tag", Call::EditContact, Call::EditContact, false).await;
}

#[tokio::test]
async fn by_handover_nothing_is_lost_or_said_twice_though_the_server_is_killed_at_every_turn() {
    walk_under_kills("handover", Call::HandOver, Call::HandBack, false).await;
}

#[tokio::test]
async fn a_kill_while_a_handover_that_was_done_waits_for_its_answer_leaves_the_visitor_to_the_human()
 {
    walk_under_kills("tag", Call::EditContact, Call::EditContact, true).await;
}

/// `done`: what is under way when the server is killed during a handover has been done all the same.
async fn walk_under_kills(ownership: &'static str, over: Call, back: Call, done: bool) {
    let desk = Desk::start(ownership).await;
    let mut stage = Stage::start(&desk.source(ALWAYS_ASK, "")).await;
    desk.post_to(stage.setup.webhooks);

    answer_under_kills(&desk, &mut stage).await;
    hand_over_under_kill(&desk, &mut stage, over, done).await;

    // While the human owns the visitor.
    desk.platform.human_says(&desk.visitor, "I am Lee").await;
    desk.says("ask 4").await;
    stage.story.holds("ask 4").await;
    stage.restart().await;
    desk.says("ask 5").await;
    stage.story.holds("ask 5").await;

    // Right after the human has given the visitor back.
    desk.hand_back();
    stage.restart().await;
    desk.says("ask 6").await;
    stage.story.owner_changes_to(Owner::Agent).await;
    desk.reads("answer 6").await;

    give_back_under_kill(&desk, &mut stage, back, done).await;

    let expected = [
        (Visitor, "ask 1"),
        (Bot, "answer 1"),
        (Visitor, "ask 2"),
        (Bot, "answer 2"),
        (Visitor, "ask 3"),
        (Bot, "answer 3"),
        (Visitor, HUMAN),
        (Human, "I am Lee"),
        (Visitor, "ask 4"),
        (Visitor, "ask 5"),
        (Visitor, "ask 6"),
        (Bot, "answer 6"),
        (Visitor, "ask 7"),
        (Bot, "answer 7"),
    ];
    assert_eq!(pairs(&desk.lines()), expected);
    let endings = log::check(&stage.log().await);
    let of = |words: &str| {
        let found = endings.iter().filter(|(known, _)| known == words);
        found.map(|(_, state)| *state).collect::<Vec<_>>()
    };
    for (words, state) in [
        ("answer 1", DeliveryState::Delivered),
        ("answer 2", DeliveryState::Delivered),
        ("answer 3", DeliveryState::Delivered),
        ("ask 4", DeliveryState::Held),
        ("ask 5", DeliveryState::Held),
        ("answer 6", DeliveryState::Delivered),
        ("answer 7", DeliveryState::Delivered),
    ] {
        assert_eq!(of(words), [state], "{words}: {endings:?}");
    }
    let moving = [DeliveryState::Queued, DeliveryState::Attempting];
    assert!(
        endings.iter().all(|(_, state)| !moving.contains(state)),
        "{endings:?}"
    );
}

/// After the webhook's 200: before the agent has the question, before its answer leaves, and while that is under way.
async fn answer_under_kills(desk: &Desk, stage: &mut Stage) {
    stage.agent.faults().push(&Fault::status(503));
    desk.says("ask 1").await;
    stage.story.comes_to("ask 1", DeliveryState::Queued).await;
    stage.restart().await;
    desk.reads("answer 1").await;

    desk.platform
        .fail_next(Call::Publish, Failure::error(503, "busy"));
    desk.says("ask 2").await;
    stage
        .story
        .comes_to("answer 2", DeliveryState::Queued)
        .await;
    stage.restart().await;
    desk.reads("answer 2").await;

    desk.platform
        .fail_next(Call::Publish, Failure::silent(true));
    desk.says("ask 3").await;
    desk.is_called(Call::Publish, 4).await;
    stage.restart().await;
}

/// The agent hands over, and nobody answers the call that does it.
async fn hand_over_under_kill(desk: &Desk, stage: &mut Stage, over: Call, done: bool) {
    let before = desk.platform.platform().count(over);
    desk.platform.fail_next(over, Failure::silent(done));
    desk.says(HUMAN).await;
    desk.is_called(over, before + 1).await;
    stage.restart().await;
    desk.human_owns(true).await;
    stage.story.owner_changes_to(Owner::Human).await;
    // The agent saw its question fail, and speaks on.
    stage.story.agent_says(FALLBACK).await;
}

/// A caller gives a visitor back whom it took, and nobody answers the call that does it.
async fn give_back_under_kill(desk: &Desk, stage: &mut Stage, back: Call, done: bool) {
    let conversation = stage.conversation().await;
    stage.transfer(&conversation, "take", Owner::Human).await;
    desk.human_owns(true).await;
    let before = desk.platform.platform().count(back);
    stage.story.comes_to("take", DeliveryState::Delivered).await;
    desk.platform.fail_next(back, Failure::silent(done));
    stage.transfer(&conversation, "give", Owner::Agent).await;
    desk.is_called(back, before + 1).await;
    stage.restart().await;
    desk.human_owns(false).await;
    desk.says("ask 7").await;
    desk.reads("answer 7").await;
    stage
        .story
        .comes_to("answer 7", DeliveryState::Delivered)
        .await;
}

fn pairs(
    lines: &[(parloir::simulate::social_connect::Speaker, String)],
) -> Vec<(parloir::simulate::social_connect::Speaker, &str)> {
    let each = lines.iter();
    each.map(|(from, text)| (*from, text.as_str())).collect()
}
