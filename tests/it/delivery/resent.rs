//! Messages that are sent once more because a caller asks for it, and those that are not.

use parloir_client::v1::{DeliveryState, SendMessageRequest, send_message_request::Content};

use super::{changed, recorded, texts};
use crate::support::{
    platform::Behaviour,
    server::{Sent, TestServer, Wishes, message, state},
};

async fn resend(server: &TestServer, id: &str, text: &str) -> Sent {
    let request = SendMessageRequest {
        content: Some(Content::Text(text.to_owned())),
        resend: true,
        ..message("C", id)
    };
    server.client.send_message(request).await
}

#[tokio::test]
async fn a_message_that_was_delivered_is_not_sent_again() {
    let server = TestServer::start().await;
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Delivered
    );
    assert_eq!(
        state(&resend(&server, "1", "one").await),
        DeliveryState::Delivered
    );
    assert_eq!(texts(&server.platform), ["one"]);
}

#[tokio::test]
async fn a_message_that_is_under_way_is_not_sent_twice() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let sending = async {
        tokio::join!(server.say("C", "1", "one"), async {
            recorded(&mut events, "1").await;
            server.platform.wait_for(1).await;
            let releasing = async {
                // The repetition is answered like the first: after the platform is.
                server.platform.release();
            };
            tokio::join!(resend(&server, "1", "one"), releasing).0
        })
    };
    let (first, again) = sending.await;
    assert_eq!(
        (state(&first), state(&again)),
        (DeliveryState::Delivered, DeliveryState::Delivered)
    );
    assert_eq!(texts(&server.platform), ["one"]);
}

#[tokio::test]
async fn a_message_that_failed_is_sent_again_when_asked_for_and_not_before() {
    let server = TestServer::start().await;
    server.platform.next(Behaviour::answer(400, "no"));
    let refused = server.say("C", "1", "one").await;
    assert_eq!(
        refused.expect_err("a refusal").reason(),
        Some("AGENT_REJECTED")
    );
    let repeated = server.say("C", "1", "one").await;
    assert_eq!(
        repeated.expect_err("the same outcome").reason(),
        Some("AGENT_REJECTED")
    );
    let again = resend(&server, "1", "one").await;
    assert_eq!(state(&again), DeliveryState::Delivered);
    assert_eq!(
        again
            .expect("a message")
            .delivery
            .expect("a delivery")
            .attempt,
        2
    );
    assert_eq!(texts(&server.platform), ["one", "one"]);
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Delivered
    );
}

#[tokio::test]
async fn a_message_sent_again_goes_behind_what_waits() {
    let server = TestServer::start_with(Wishes {
        agent: r#"send_timeout = "200ms""#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    server.platform.next(Behaviour::Silent);
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Unknown
    );
    assert_eq!(
        changed(&mut events, "1").await.state(),
        DeliveryState::Unknown
    );
    assert_eq!(
        state(&server.say("C", "2", "two").await),
        DeliveryState::Delivered
    );
    assert_eq!(
        state(&resend(&server, "1", "one").await),
        DeliveryState::Delivered
    );
    assert_eq!(
        changed(&mut events, "1").await.state(),
        DeliveryState::Delivered
    );
    assert_eq!(texts(&server.platform), ["one", "two", "one"]);
}

#[tokio::test]
async fn a_message_sent_again_while_a_human_owns_is_held() {
    let server = TestServer::start_with(Wishes {
        agent: r#"send_timeout = "200ms""#,
        ..Wishes::default()
    })
    .await;
    server.platform.next(Behaviour::Silent);
    assert_eq!(
        state(&server.say("C", "1", "one").await),
        DeliveryState::Unknown
    );
    let human = parloir_client::v1::Owner::Human;
    let handed = server.client.hand_over("demo", "C", "t", human, "").await;
    handed.expect("a transfer");
    assert_eq!(
        state(&resend(&server, "1", "one").await),
        DeliveryState::Held
    );
    assert_eq!(texts(&server.platform), ["one"]);
}
