//! What is said that hands a visitor over without asking the agent.

use parloir_client::v1::{DeliveryState, Owner, OwnerChangeCause};

use super::{counter::Counter, desk::Desk};

#[tokio::test]
async fn a_handover_phrase_reaches_a_human_and_not_the_agent() {
    let general = r#"handover_phrases = { "" = ["Un humain, s'il vous plait"] }"#;
    let mut counter = Counter::start(Desk::start("tag").await, general, "").await;
    counter.asks("ask 1").await;
    counter.desk.says("un HUMAIN s'il vous plaît !").await;
    counter.story.holds("un HUMAIN s'il vous plaît !").await;
    let changed = counter.story.owner_change().await;
    assert_eq!(
        (changed.to(), changed.cause()),
        (Owner::Human, OwnerChangeCause::HandoverPhrase)
    );
    // No command made the change.
    counter.story.comes_to("", DeliveryState::Delivered).await;
    counter.desk.human_owns(true).await;
    // More than the phrase is for the agent, once it answers again.
    counter.desk.hand_back();
    counter.asks("un humain s'il vous plait, ou pas").await;
    assert_eq!(
        counter.heard(),
        ["ask 1", "un humain s'il vous plait, ou pas"]
    );
}
