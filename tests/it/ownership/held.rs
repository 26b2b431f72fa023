//! What was on its way when the owner changed.

use parloir_client::v1::{DeliveryState, Owner, event::Body};

use super::{changed, hand_over, heard, pairs};
use crate::support::{
    questions::{ask, escalation_requested, reply},
    server::{TestServer, state},
    webhook::escalate,
};

#[tokio::test]
async fn a_message_that_waited_when_the_owner_changed_is_held_and_never_replayed() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let both = async {
        tokio::join!(server.say("C", "m-1", "one"), async {
            server.platform.wait_for(1).await;
            server.say("C", "m-2", "two").await
        })
    };
    let handing = async {
        let second = events.find(|body, _| match body {
            Body::VisitorMessage(message) if message.message_id == "m-2" => Some(message.held),
            _ => None,
        });
        assert!(
            !second.await,
            "the agent owned the conversation when it was said"
        );
        hand_over(&server, "t-1", Owner::Human, "").await;
        server.platform.release();
    };
    let ((one, two), ()) = tokio::join!(both, handing);
    assert_eq!(state(&one), DeliveryState::Delivered, "it was under way");
    assert_eq!(state(&two), DeliveryState::Held);
    let held = changed(&mut events, "m-2").await;
    assert_eq!(
        (held.state(), held.reason.as_str(), held.attempt),
        (DeliveryState::Held, "NOT_OWNER", 0)
    );
    let epoch = hand_over(&server, "t-2", Owner::Agent, "").await;
    assert_eq!(
        state(&server.say("C", "m-3", "three").await),
        DeliveryState::Delivered
    );
    let under = format!("C.e{epoch}");
    assert_eq!(pairs(&heard(&server)), [("C", "one"), (&under, "three")]);
}

#[tokio::test]
async fn a_message_that_waited_for_an_escalation_is_held_when_it_is_accepted() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    let asked = ask(&server, &escalate("C"));
    let request = escalation_requested(&mut events).await;
    let deciding = async {
        let queued = events.find(|body, _| matches!(body, Body::VisitorMessage(_)).then_some(()));
        queued.await;
        let accepted = server.client.decide_escalation(&request, true).await;
        accepted.expect("a decision");
    };
    let (sent, ()) = tokio::join!(server.say("C", "m-2", "hello?"), deciding);
    assert_eq!(reply(asked).await.status, 200);
    assert_eq!(state(&sent), DeliveryState::Held);
    assert_eq!(pairs(&heard(&server)), [("C", "hello")]);
}

#[tokio::test]
async fn a_message_that_waited_is_held_though_the_agent_owns_again() {
    let server = TestServer::start().await;
    let mut events = server.events();
    server.platform.hold();
    let both = async {
        tokio::join!(server.say("C", "m-1", "one"), async {
            server.platform.wait_for(1).await;
            server.say("C", "m-2", "two").await
        })
    };
    let handing = async {
        let second = events.find(|body, _| match body {
            Body::VisitorMessage(message) => (message.message_id == "m-2").then_some(()),
            _ => None,
        });
        second.await;
        hand_over(&server, "t-1", Owner::Human, "").await;
        hand_over(&server, "t-2", Owner::Agent, "").await;
        server.platform.release();
    };
    let ((_, two), ()) = tokio::join!(both, handing);
    assert_eq!(
        state(&two),
        DeliveryState::Held,
        "it belongs to the time before"
    );
    assert_eq!(pairs(&heard(&server)), [("C", "one")]);
}
