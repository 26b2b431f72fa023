//! What no webhook brought is found by looking.

use parloir::simulate::social_connect::Call;

use super::{counter::Counter, desk::Desk};

#[tokio::test]
async fn a_message_whose_webhook_was_lost_is_found_and_taken_once() {
    let own = "topic_ids = \"46283\"\nlooks_every = \"50ms\"";
    let mut counter = Counter::start(Desk::start("tag").await, "", own).await;
    counter.asks("ask 1").await;
    counter.desk.platform.set_webhook_url("");
    let desk = &counter.desk;
    desk.platform.visitor_says(&desk.visitor, "ask 2").await;
    counter.story.hears("ask 2").await;
    counter.server.platform.wait_for(2).await;
    // Its webhook comes after all, and looks go on.
    counter.desk.post_to(counter.server.webhooks);
    counter
        .desk
        .platform
        .tell_again(&counter.desk.visitor)
        .await;
    let looks = counter.desk.platform.platform().count(Call::ReadInbox);
    counter.desk.is_called(Call::ReadInbox, looks + 2).await;
    counter.asks("ask 3").await;
    assert_eq!(counter.heard(), ["ask 1", "ask 2", "ask 3"]);
}
