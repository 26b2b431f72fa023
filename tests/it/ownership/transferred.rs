//! From one to the other, because a caller says so.

use parloir_client::{
    Code,
    v1::{Owner, OwnerChangeCause, SessionState},
};

use super::{conversation, hand_over, owner_changed, transfer};
use crate::support::server::{ACCOUNT, TestServer, state};

#[tokio::test]
async fn a_transfer_with_the_present_epoch_changes_the_owner() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    let epoch = conversation(&server).await.owner_epoch;
    let request = transfer("t-1", Owner::Human, epoch);
    let handed = server.client.transfer_conversation(request.clone()).await;
    let handed = handed.expect("a transfer");
    assert_eq!(
        (handed.owner(), handed.owner_epoch),
        (Owner::Human, epoch + 1)
    );
    let changed = owner_changed(&mut events).await;
    assert_eq!((changed.from(), changed.to()), (Owner::Agent, Owner::Human));
    assert_eq!(changed.cause(), OwnerChangeCause::Transfer);
    assert_eq!(
        (changed.owner_epoch, changed.command_id.as_str()),
        (epoch + 1, "t-1")
    );
    // The key finds the outcome though its epoch has moved since.
    let again = server.client.transfer_conversation(request).await;
    assert_eq!(again.expect("the same outcome"), handed);
}

#[tokio::test]
async fn a_transfer_with_an_epoch_that_moved_is_aborted() {
    let server = TestServer::start().await;
    state(&server.say("C", "m-1", "hello").await);
    let epoch = conversation(&server).await.owner_epoch;
    hand_over(&server, "t-1", Owner::Human, "").await;
    let late = server
        .client
        .transfer_conversation(transfer("t-2", Owner::Agent, epoch))
        .await;
    let error = late.expect_err("the epoch moved");
    assert_eq!(
        (error.code(), error.reason()),
        (Code::Aborted, Some("OWNER_EPOCH_MOVED"))
    );
    let known = conversation(&server).await;
    assert_eq!(
        (known.owner(), known.owner_epoch),
        (Owner::Human, epoch + 1)
    );
}

#[tokio::test]
async fn a_transfer_to_the_present_owner_changes_nothing() {
    let server = TestServer::start().await;
    state(&server.say("C", "m-1", "hello").await);
    let before = conversation(&server).await;
    let handed = server
        .client
        .hand_over(ACCOUNT, "C", "t-1", Owner::Agent, "note")
        .await;
    let handed = handed.expect("a transfer");
    assert_eq!(
        (handed.owner(), handed.owner_epoch),
        (Owner::Agent, before.owner_epoch)
    );
    assert_eq!(handed.cursor, before.last_cursor);
    assert_eq!(conversation(&server).await, before);
}

#[tokio::test]
async fn a_conversation_is_transferred_to_the_agent_or_a_human_only() {
    let server = TestServer::start().await;
    state(&server.say("C", "m-1", "hello").await);
    for owner in [Owner::None, Owner::Unknown, Owner::Unspecified] {
        let handed = server.client.hand_over(ACCOUNT, "C", "t", owner, "").await;
        let error = handed.expect_err("no such transfer");
        assert_eq!(error.code(), Code::InvalidArgument);
        let fields: Vec<_> = error.field_violations().map(|it| it.field).collect();
        assert_eq!(fields, ["to"]);
    }
    let unknown = server
        .client
        .hand_over(ACCOUNT, "nobody", "t", Owner::Human, "")
        .await;
    assert_eq!(
        unknown.expect_err("no such conversation").code(),
        Code::NotFound
    );
    assert_eq!(
        conversation(&server).await.session_state(),
        SessionState::Active
    );
}
