//! Events that nobody can handle.

use parloir_client::{
    Outcome,
    v1::{ListParkedEventsRequest, RedriveParkedEventsRequest, WhenParked},
};

use super::stage::{Member, NAME, create, policy, say, stands};
use crate::support::server::TestServer;

/// Counted on hand-out: who dies of an event is not asked.
#[tokio::test]
async fn a_consumer_that_dies_of_an_event_does_not_do_so_for_ever() {
    let server = TestServer::start().await;
    create(&server.client, policy(3, WhenParked::Release)).await;
    say(&server, "C", &["poison"]).await;
    for attempt in 1..=3 {
        let mut member = Member::join(&server.client, "m").started().await;
        assert_eq!(member.hears("poison").await.attempt, attempt);
    }
    stands(&server.client, |found| {
        found.lag.as_ref().is_some_and(|lag| lag.parked == 1)
    })
    .await;
    say(&server, "C", &["next"]).await;
    let mut member = Member::join(&server.client, "m").started().await;
    let next = member.hears("next").await;
    member.done(&next).await;
}

#[tokio::test]
async fn a_parked_event_blocks_its_conversation_alone_where_the_policy_says_so() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Block)).await;
    let mut member = Member::join(&server.client, "m").started().await;
    say(&server, "C", &["one"]).await;
    let one = member.hears("one").await;
    member.says(&one, Outcome::Park).await;
    say(&server, "C", &["two"]).await;
    say(&server, "D", &["other"]).await;
    // What comes is the other conversation's.
    let other = member.hears("other").await;
    member.done(&other).await;
    let redrive = |preview| RedriveParkedEventsRequest {
        name: NAME.to_owned(),
        preview,
        ..RedriveParkedEventsRequest::default()
    };
    let before = stands(&server.client, |found| {
        found
            .lag
            .as_ref()
            .is_some_and(|lag| lag.parked == 1 && lag.held_back == 1)
    })
    .await;
    let count = server.client.redrive_parked_events(redrive(true)).await;
    assert_eq!(count.expect("a count").count, 1);
    let after = stands(&server.client, |found| {
        found.done_cursor == before.done_cursor
    })
    .await;
    assert_eq!(
        after.lag.map(|lag| lag.parked),
        Some(1),
        "a preview changes nothing"
    );
    let count = server.client.redrive_parked_events(redrive(false)).await;
    assert_eq!(count.expect("a count").count, 1);
    let one = member.hears("one").await;
    assert_eq!(one.attempt, 1, "as if for the first time");
    member.done(&one).await;
    let two = member.hears("two").await;
    member.done(&two).await;
}

#[tokio::test]
async fn a_parked_event_releases_its_conversation_otherwise_and_is_listed() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    let mut member = Member::join(&server.client, "m").started().await;
    say(&server, "C", &["one"]).await;
    let one = member.hears("one").await;
    member.says(&one, Outcome::Park).await;
    say(&server, "C", &["two"]).await;
    let two = member.hears("two").await;
    member.done(&two).await;
    let request = ListParkedEventsRequest {
        name: NAME.to_owned(),
        ..ListParkedEventsRequest::default()
    };
    let parked = server.client.list_parked_events(request).await;
    let parked = parked.expect("a list").events;
    assert_eq!(parked.len(), 1);
    let event = &parked[0];
    assert_eq!((event.conversation_id.as_str(), event.attempts), ("C", 1));
    assert_eq!(event.cursor, one.cursor);
}
