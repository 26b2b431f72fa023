//! When a session begins, goes on and ends.

use std::time::Duration;

use parloir_client::v1::{ConversationEnded, DeliveryState, EndCause, SessionState, event::Body};

use super::conversation;
use crate::support::{
    events::Events,
    server::{ACCOUNT, TestServer, Wishes, state},
    webhook::says,
};

const HOUR: Duration = Duration::from_hours(1);

/// With sweeps so rare that only what happens in a conversation ends its session.
fn unswept() -> Wishes {
    Wishes {
        top: r#"log.sweep_interval = "1day""#,
        agent: r#"session_timeout = "2h""#,
        ..Wishes::default()
    }
}

async fn ended(events: &mut Events) -> (ConversationEnded, u32) {
    events
        .find(|body, event| match body {
            Body::ConversationEnded(ended) => Some((ended, event.session)),
            _ => None,
        })
        .await
}

/// The session that a message went into, and whether it began it.
async fn session_of(server: &TestServer, id: &str) -> (u32, bool) {
    let sent = server.say("C", id, id).await;
    assert_eq!(state(&sent), DeliveryState::Delivered, "{id}");
    let sent = sent.expect("a message");
    let session = sent.delivery.expect("a delivery").session;
    (session, sent.new_session.expect("it is decided"))
}

#[tokio::test]
async fn a_session_lives_from_the_last_message_to_or_from_the_agent() {
    let server = TestServer::start_with(unswept()).await;
    assert_eq!(session_of(&server, "1").await, (1, true));
    server.clock.advance(HOUR + HOUR / 2);
    assert_eq!(
        session_of(&server, "2").await,
        (1, false),
        "within the timeout"
    );
    server.clock.advance(HOUR + HOUR / 2);
    server.taken(&says("C", "still there?")).await;
    server.clock.advance(HOUR + HOUR / 2);
    assert_eq!(
        session_of(&server, "3").await,
        (1, false),
        "the agent spoke in between"
    );
}

#[tokio::test]
async fn parameters_do_not_keep_a_session_alive() {
    let server = TestServer::start_with(unswept()).await;
    assert_eq!(session_of(&server, "1").await, (1, true));
    server.clock.advance(HOUR + HOUR / 2);
    let parameters = vec![crate::support::server::parameter("tier", "gold", false)];
    let set = server.set("C", "u", parameters).await.expect("an update");
    assert_eq!(
        set.delivery.expect("a delivery").state(),
        DeliveryState::Delivered
    );
    server.clock.advance(HOUR);
    assert_eq!(session_of(&server, "2").await, (2, true));
}

#[tokio::test]
async fn a_message_after_the_timeout_ends_the_session_and_begins_the_next() {
    let server = TestServer::start_with(unswept()).await;
    let mut events = server.events();
    assert_eq!(session_of(&server, "1").await, (1, true));
    server.clock.advance(2 * HOUR + Duration::from_secs(1));
    assert_eq!(session_of(&server, "2").await, (2, true));
    let (ended, session) = ended(&mut events).await;
    assert_eq!((ended.cause(), session), (EndCause::Expired, 1));
    assert_eq!(
        conversation(&server).await.session_state(),
        SessionState::Active
    );
}

#[tokio::test]
async fn a_session_in_which_nobody_speaks_is_ended_by_the_sweep() {
    let server = TestServer::start_with(Wishes {
        top: r#"log.sweep_interval = "10ms""#,
        ..Wishes::default()
    })
    .await;
    let mut events = server.events();
    assert_eq!(session_of(&server, "1").await, (1, true));
    server.clock.advance(2 * HOUR + Duration::from_secs(1));
    let (ended, session) = ended(&mut events).await;
    assert_eq!((ended.cause(), session), (EndCause::Expired, 1));
    let known = conversation(&server).await;
    assert_eq!(
        (known.session, known.session_state()),
        (1, SessionState::Ended)
    );
    assert_eq!(known.session_expires_at, None);
    assert_eq!(session_of(&server, "2").await, (2, true));
}

#[tokio::test]
async fn a_message_after_an_end_begins_a_new_session() {
    let server = TestServer::start().await;
    let mut events = server.events();
    assert_eq!(session_of(&server, "1").await, (1, true));
    let end = server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    assert_eq!(
        end.delivery.expect("a delivery").state(),
        DeliveryState::Delivered
    );
    let (ended, session) = ended(&mut events).await;
    assert_eq!((ended.cause(), session), (EndCause::Caller, 1));
    assert_eq!(ended.command_id, "e");
    assert_eq!(session_of(&server, "2").await, (2, true));
    let requests = server.platform.requests();
    let kinds: Vec<_> = requests
        .iter()
        .map(|request| request.json()["eventType"].clone())
        .collect();
    assert_eq!(kinds, ["message", "endSession", "message"]);
}

#[tokio::test]
async fn a_webhook_after_the_end_keeps_the_session_and_begins_none() {
    let server = TestServer::start().await;
    let mut events = server.events();
    assert_eq!(session_of(&server, "1").await, (1, true));
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    server.taken(&says("C", "goodbye")).await;
    let (_, event) = events.agent_message().await;
    assert_eq!(event.session, 1);
    assert_eq!(
        conversation(&server).await.session_state(),
        SessionState::Ended
    );
}

#[tokio::test]
async fn an_end_that_expects_another_session_is_aborted() {
    let server = TestServer::start().await;
    assert_eq!(session_of(&server, "1").await, (1, true));
    let request = |command: &str, session| parloir_client::v1::EndConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        command_id: command.to_owned(),
        expected_session: Some(session),
    };
    let error = server.client.end_conversation(request("e-1", 2)).await;
    assert_eq!(
        error.expect_err("the session differs").reason(),
        Some("SESSION_MOVED")
    );
    assert_eq!(
        conversation(&server).await.session_state(),
        SessionState::Active
    );
    let ended = server.client.end_conversation(request("e-2", 1)).await;
    assert!(ended.expect("an end").delivery.is_some());
}

#[tokio::test]
async fn the_end_of_a_conversation_sends_its_open_questions_the_fallback() {
    use crate::support::questions::{action_requested, ask, reply, request_closed};
    let server = TestServer::start().await;
    let mut events = server.events();
    assert_eq!(session_of(&server, "1").await, (1, true));
    let asked = ask(&server, &crate::support::webhook::action("C", "fetch"));
    let request = action_requested(&mut events).await.request_id;
    server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    let told = reply(asked).await;
    assert_eq!((told.status, told.body.as_str()), (200, ""));
    let closed = request_closed(&mut events).await;
    let ended = parloir_client::v1::RequestOutcome::ConversationEnded;
    assert_eq!((closed.request_id, closed.outcome), (request, ended.into()));
}
