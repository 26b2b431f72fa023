//! The end while a human owns the conversation.

use parloir_client::v1::{DeliveryState, Owner, OwnerChangeCause};

use super::{conversation, escalated, heard, owner_changed, pairs};
use crate::support::server::{ACCOUNT, TestServer, state};

#[tokio::test]
async fn ended_while_a_human_owns_it_a_conversation_belongs_to_nobody_until_the_visitor_returns() {
    let server = TestServer::start().await;
    let mut events = server.events();
    state(&server.say("C", "m-1", "hello").await);
    escalated(&server, &mut events).await;
    assert_eq!(owner_changed(&mut events).await.to(), Owner::Human);
    let ended = server.client.end(ACCOUNT, "C", "e").await.expect("an end");
    assert_eq!(ended.delivery, None, "the escalation has ended the session");
    let changed = owner_changed(&mut events).await;
    assert_eq!((changed.from(), changed.to()), (Owner::Human, Owner::None));
    assert_eq!(changed.cause(), OwnerChangeCause::Ended);
    let nobodys = conversation(&server).await;
    assert_eq!(nobodys.owner(), Owner::None);

    let sent = server.say("C", "m-2", "me again").await;
    assert_eq!(state(&sent), DeliveryState::Delivered);
    assert_eq!(sent.expect("a message").new_session, Some(true));
    let changed = owner_changed(&mut events).await;
    assert_eq!((changed.from(), changed.to()), (Owner::None, Owner::Agent));
    assert_eq!(changed.cause(), OwnerChangeCause::Reopened);
    assert_eq!(changed.owner_epoch, nobodys.owner_epoch + 1);
    let under = format!("C.e{}", changed.owner_epoch);
    assert_eq!(
        pairs(&heard(&server)),
        [("C", "hello"), (&under, "me again")]
    );
}

#[tokio::test]
async fn an_end_that_finds_nothing_to_end_adds_no_event_and_sends_nothing() {
    let server = TestServer::start().await;
    state(&server.say("C", "m-1", "hello").await);
    server
        .client
        .end(ACCOUNT, "C", "e-1")
        .await
        .expect("an end");
    let before = conversation(&server).await;
    let seen = server.platform.requests().len();
    let again = server
        .client
        .end(ACCOUNT, "C", "e-2")
        .await
        .expect("an end");
    assert_eq!(
        (again.delivery, again.cursor),
        (None, before.last_cursor.clone())
    );
    assert_eq!(conversation(&server).await, before);
    assert_eq!(server.platform.requests().len(), seen);
}
