//! Flows (a) and (b): Social Connect with its handover, and with a tag.

use parloir::simulate::social_connect::Speaker::{Bot, Human, Visitor};
use parloir_client::v1::{DeliveryState, Owner};

use super::{agent::HUMAN, desk::Desk, log, stage::Stage, stage::SOURCE};

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
    let mut stage = Stage::start(&desk.source(r#"human_max_age = "0s""#, "")).await;
    desk.platform.set_webhook_url(&stage.setup.source_url(SOURCE));
    desk.says("ask 1").await;
    desk.reads("answer 1").await;
    desk.says(HUMAN).await;
    stage.owner_changes_to(Owner::Human).await;
    desk.human_owns(true).await;
    desk.platform.human_says(&desk.visitor, "I am Lee").await;
    desk.says("ask 2").await;
    stage.holds("ask 2").await;
    desk.hand_back();
    desk.says("ask 3").await;
    stage.owner_changes_to(Owner::Agent).await;
    desk.reads("answer 3").await;

    let expected = [
        (Visitor, "ask 1"),
        (Bot, "answer 1"),
        (Visitor, HUMAN),
        (Human, "I am Lee"),
        (Visitor, "ask 2"),
        (Visitor, "ask 3"),
        (Bot, "answer 3"),
    ];
    let lines = desk.lines();
    let lines: Vec<_> = lines.iter().map(|(from, text)| (*from, text.as_str())).collect();
    assert_eq!(lines, expected);
    let endings = log::check(&stage.log().await);
    assert!(
        endings.contains(&("ask 2".to_owned(), DeliveryState::Held)),
        "{endings:?}"
    );
}
