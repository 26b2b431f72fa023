//! Members come, go and come back; acknowledgements and what they say.

use parloir_client::{
    Code, Item, Outcome, Subscription,
    v1::{AckEventsRequest, AckResult, EventAck, EventFilter, WhenParked},
};

use super::stage::{Member, NAME, create, policy, say, stands, text};
use crate::support::server::{ACCOUNT, TestServer};

#[tokio::test]
async fn it_is_created_by_its_first_use_and_remembers_what_was_done() {
    let server = TestServer::start().await;
    let all = || Subscription::new().named(NAME, "one").from_earliest();
    let filtered = |account: &str| all().accounts([account]);
    let mut member = Member(server.client.consume(filtered(ACCOUNT)));
    let Item::Started(started) = member.item().await.expect("a stream") else {
        panic!("started first");
    };
    let terms = started.named.expect("what is in force");
    assert_eq!(
        (terms.subscription.as_str(), terms.member_id.as_str()),
        (NAME, "one")
    );
    assert_eq!(terms.max_in_flight, 64);
    let filter = EventFilter {
        accounts: vec![ACCOUNT.to_owned()],
        ..EventFilter::default()
    };
    assert_eq!(terms.filter, Some(filter));
    let in_force = terms.policy.expect("a policy");
    assert_eq!((in_force.max_attempts, in_force.window), (5, 8));
    server.say("C", "m-1", "hello").await.expect("taken");
    let first = member.event().await;
    assert_eq!(first.attempt, 1);
    assert!(first.time_left.is_some());
    member.done(&first).await;
    drop(member);
    // With another filter it is another subscription.
    let mut other = server.client.consume(filtered("elsewhere"));
    let refused = other.next().await.expect("an item").expect_err("refused");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.reason(), Some("SUBSCRIPTION_DIFFERS"));
    // Nothing comes again that was done.
    let mut again = Member(server.client.consume(all())).started().await;
    let second = again.event().await;
    assert_ne!(second.cursor, first.cursor);
}

#[tokio::test]
async fn the_newer_of_two_streams_with_one_member_id_wins_and_has_everything_at_once() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    say(&server, "C", &["one"]).await;
    let mut older = Member::join(&server.client, "m").started().await;
    let first = older.hears("one").await;
    let mut newer = Member::join(&server.client, "m").started().await;
    let again = newer.hears("one").await;
    assert_eq!(again.attempt, 2);
    assert_eq!(older.says(&first, Outcome::Done).await, AckResult::Stale);
    newer.done(&again).await;
    assert_eq!(
        newer.says(&again, Outcome::Done).await,
        AckResult::DoneBefore
    );
    let ended = loop {
        match older.item().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(ended.code(), Code::Aborted, "it was replaced");
}

#[tokio::test]
async fn one_acknowledgement_may_speak_for_all_before_it_in_its_conversation() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    say(&server, "C", &["one", "two", "three"]).await;
    say(&server, "D", &["other"]).await;
    let mut member = Member::join(&server.client, "m").started().await;
    let mut events = Vec::new();
    while events.len() < 4 {
        events.push(member.event().await);
    }
    let of = |words: &str| {
        events
            .iter()
            .find(|event| text(event) == words)
            .expect(words)
    };
    let result = member.says(of("two"), Outcome::DoneUpToHere).await;
    assert_eq!(result, AckResult::Ok);
    let one = member.says(of("one"), Outcome::Done).await;
    assert_eq!(one, AckResult::DoneBefore);
    let found = stands(&server.client, |found| {
        found.lag.as_ref().is_some_and(|lag| lag.in_flight == 2)
    });
    found.await;
}

#[tokio::test]
async fn what_is_to_be_tried_again_comes_again_before_what_follows() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    say(&server, "C", &["one", "two"]).await;
    let mut member = Member::join(&server.client, "m").started().await;
    let one = member.hears("one").await;
    member.hears("two").await;
    let soon = Outcome::RetryAfter(std::time::Duration::from_millis(50));
    assert_eq!(member.says(&one, soon).await, AckResult::Ok);
    say(&server, "C", &["three"]).await;
    for (words, attempt) in [("one", 2), ("two", 2), ("three", 1)] {
        let event = member.hears(words).await;
        assert_eq!(event.attempt, attempt, "{words}");
        member.done(&event).await;
    }
}

#[tokio::test]
async fn an_event_that_nobody_acknowledges_in_time_comes_again() {
    let server = TestServer::start().await;
    let deadline = prost_types::Duration {
        seconds: 1,
        nanos: 0,
    };
    let policy = parloir_client::v1::SubscriptionPolicy {
        ack_deadline: Some(deadline),
        ..policy(5, WhenParked::Release)
    };
    create(&server.client, policy).await;
    say(&server, "C", &["one"]).await;
    let mut member = Member::join(&server.client, "m").started().await;
    assert_eq!(member.hears("one").await.attempt, 1);
    let again = member.hears("one").await;
    assert_eq!(again.attempt, 2);
    member.done(&again).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_by_its_field() {
    let server = TestServer::start().await;
    let client = &server.client;
    let place = client
        .say(ACCOUNT, "C", "m-1", "hello")
        .await
        .expect("taken")
        .cursor;
    for (wrong, field) in [
        (Subscription::new().named("No Name", "m"), "subscription"),
        (Subscription::new().named(NAME, ""), "member_id"),
        (Subscription::new().named("", "m"), "member_id"),
        (
            Subscription::new().named(NAME, "m").after(place),
            "after_cursor",
        ),
        (
            Subscription::new().named(NAME, "m").max_in_flight(100_000),
            "max_in_flight",
        ),
    ] {
        let refused = client.consume(wrong).next().await.expect("an item");
        let refused = refused.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        let fields: Vec<_> = refused
            .field_violations()
            .map(|it| it.field.to_owned())
            .collect();
        assert_eq!(fields, [field]);
    }
    create(client, policy(5, WhenParked::Release)).await;
    let request = AckEventsRequest {
        subscription: NAME.to_owned(),
        acks: vec![EventAck {
            ack_id: "none".to_owned(),
            outcome: None,
        }],
    };
    let refused = client.ack_events(request).await.expect_err("no such id");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn slots_are_shared_among_members_and_no_event_goes_to_two() {
    let server = TestServer::start().await;
    create(&server.client, policy(5, WhenParked::Release)).await;
    let mut one = Member::join(&server.client, "one").started().await;
    let mut two = Member::join(&server.client, "two").started().await;
    stands(&server.client, |found| {
        found.members.iter().all(|member| member.slots == 32)
    })
    .await;
    let conversations: Vec<_> = (0..24).map(|n| format!("C-{n}")).collect();
    for conversation in &conversations {
        say(&server, conversation, &["first", "second"]).await;
    }
    let mut seen = std::collections::HashMap::new();
    for _ in 0..48 {
        let (event, who) = tokio::select! {
            event = one.event() => (event, "one"),
            event = two.event() => (event, "two"),
        };
        let stored = event.event.as_ref().expect("an event").clone();
        let (member, words) = seen
            .entry(stored.conversation_id)
            .or_insert((who, Vec::new()));
        assert_eq!(*member, who, "a conversation stays with its member");
        words.push(text(&event));
    }
    assert!(
        seen.values()
            .all(|(_, words)| *words == ["first", "second"])
    );
    let of_one = seen.values().filter(|(who, _)| *who == "one").count();
    assert!((1..24).contains(&of_one), "{of_one} of 24");
}
