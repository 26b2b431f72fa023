//! From the agent to a human, because the agent asked.

use parloir_client::v1::{
    DeliveryState, EndCause, Owner, OwnerChangeCause, RequestOutcome, SessionState, event::Body,
};

use super::{conversation, ended, escalated, heard, owner_changed, pairs};
use crate::support::{
    questions::{ask, escalation_requested, reply, request_closed},
    server::{TestServer, parameter, state},
    webhook::{escalate, says},
};

#[tokio::test]
async fn an_accepted_escalation_changes_the_owner_and_ends_the_session_in_one_commit() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    let before = conversation(&server).await;
    let asked = ask(&server, &escalate("C"));
    let request = escalation_requested(&mut events).await;
    let accepted = server.client.decide_escalation(&request, true).await;
    let cursor = accepted.expect("a decision").cursor;
    assert_eq!(reply(asked).await.status, 200);

    let closed = events.next().await;
    assert_eq!(closed.cursor, cursor);
    let closed = closed.event.expect("an event");
    assert!(
        matches!(closed.body, Some(Body::RequestClosed(_))),
        "{closed:?}"
    );
    assert_eq!(closed.owner_epoch, before.owner_epoch);
    let changed = events.next().await.event.expect("an event");
    assert_eq!(changed.owner_epoch, before.owner_epoch + 1);
    let Some(Body::OwnerChanged(owner)) = changed.body else {
        panic!("{changed:?}");
    };
    assert_eq!((owner.from(), owner.to()), (Owner::Agent, Owner::Human));
    assert_eq!(owner.cause(), OwnerChangeCause::EscalationAccepted);
    assert_eq!(owner.request_id, request);
    assert_eq!(ended(&mut events).await.cause(), EndCause::Escalated);
    let after = conversation(&server).await;
    assert_eq!(
        (after.owner(), after.owner_epoch),
        (Owner::Human, before.owner_epoch + 1)
    );
    assert_eq!(after.session_state(), SessionState::Ended);
}

#[tokio::test]
async fn after_an_accepted_escalation_the_agent_hears_nothing() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    escalated(&server, &mut events).await;
    let held = server.say("C", "m-2", "are you human?").await;
    assert_eq!(state(&held), DeliveryState::Held);
    let delivery = held.expect("a message").delivery.expect("a delivery");
    assert_eq!(delivery.reason, "NOT_OWNER");
    let message = events
        .find(|body, _| match body {
            Body::VisitorMessage(message) => Some(message),
            _ => None,
        })
        .await;
    assert!(message.held && message.message_id == "m-2", "{message:?}");
    let pressed = parloir_client::v1::Choice {
        label: "Yes".to_owned(),
        ..parloir_client::v1::Choice::default()
    };
    assert_eq!(
        state(&server.choose("C", "m-3", pressed).await),
        DeliveryState::Held
    );
    let started = server
        .client
        .start("demo", "C", "s")
        .await
        .expect("a start");
    assert_eq!(
        started.delivery.expect("a delivery").state(),
        DeliveryState::Held
    );
    let set = server
        .set("C", "u", vec![parameter("tier", "gold", false)])
        .await;
    assert_eq!(set.expect("an update").delivery, None, "kept for the agent");
    // Another conversation's message goes out, so nothing of this one is on its way behind it.
    assert_eq!(
        state(&server.say("D", "m", "hi").await),
        DeliveryState::Delivered
    );
    assert_eq!(pairs(&heard(&server)), [("C", "hello"), ("D", "hi")]);
    assert_eq!(server.platform.requests().len(), 2);
}

#[tokio::test]
async fn what_the_agent_still_says_while_a_human_owns_is_superseded() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    escalated(&server, &mut events).await;
    server.taken(&says("C", "as I was saying")).await;
    let (message, event) = events.agent_message().await;
    assert_eq!(message.text, "as I was saying");
    assert!(event.superseded, "{event:?}");
    assert_eq!(
        conversation(&server).await.session_state(),
        SessionState::Ended
    );
}

#[tokio::test]
async fn an_escalation_is_accepted_though_its_platform_hung_up() {
    let server = TestServer::start().await;
    let mut events = server.events();
    let mut connection = crate::support::http::Connection::open(server.webhooks).await;
    let body = escalate("C");
    connection
        .post("/webhooks/shop", &[], body.as_bytes())
        .await;
    let request = escalation_requested(&mut events).await;
    drop(connection);
    let open = r#"parloir_requests_open{tenant="default",agent="shop",kind="escalation"} 0"#;
    crate::support::questions::metric(&server, open).await;
    let accepted = server.client.decide_escalation(&request, true).await;
    accepted.expect("a decision");
    assert_eq!(
        request_closed(&mut events).await.outcome(),
        RequestOutcome::Answered
    );
    assert_eq!(owner_changed(&mut events).await.to(), Owner::Human);
    assert_eq!(
        state(&server.say("C", "m", "hello?").await),
        DeliveryState::Held
    );
}

#[tokio::test]
async fn messages_wait_while_an_escalation_is_open_and_go_on_when_it_is_refused() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    let asked = ask(&server, &escalate("C"));
    let request = escalation_requested(&mut events).await;
    let waiting = server.say("C", "m-2", "hello?");
    let deciding = async {
        let queued = events.find(|body, _| matches!(body, Body::VisitorMessage(_)).then_some(()));
        queued.await;
        assert_eq!(server.platform.requests().len(), 1, "the lane waits");
        let refused = server.client.decide_escalation(&request, false).await;
        refused.expect("a decision");
    };
    let (sent, ()) = tokio::join!(waiting, deciding);
    assert_eq!(reply(asked).await.status, 500);
    assert_eq!(state(&sent), DeliveryState::Delivered);
    assert_eq!(pairs(&heard(&server)), [("C", "hello"), ("C", "hello?")]);
}
