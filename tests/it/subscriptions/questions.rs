//! What an agent asks, on a named subscription.

use std::time::Duration;

use parloir_client::{
    Subscription,
    v1::{
        ActionResults, DeliveredEvent, Disposition, event::Body, respond_to_agent_request::Answer,
    },
};

use super::stage::{Member, NAME, stands};
use crate::support::{
    questions::{ask, disposition, reply, respond},
    server::{TestServer, Wishes, parameter},
    webhook::action,
};

fn request_id(event: &DeliveredEvent) -> Option<String> {
    match &event.event.as_ref()?.body {
        Some(Body::ActionRequested(asked)) => Some(asked.request_id.clone()),
        _ => None,
    }
}

fn join(server: &TestServer, id: &str) -> Member {
    Member(server.client.consume(Subscription::new().named(NAME, id)))
}

/// The next question that comes to it.
async fn asked(member: &mut Member) -> (String, DeliveredEvent) {
    loop {
        let event = member.event().await;
        if let Some(id) = request_id(&event) {
            return (id, event);
        }
    }
}

#[tokio::test]
async fn an_accepted_answer_acknowledges_the_question() {
    let server = TestServer::start().await;
    let mut member = join(&server, "m").started().await;
    // Several, because whatever reads the log may come to one first.
    for number in 0..10 {
        let asking = ask(&server, &action(&format!("C-{number}"), "fetch"));
        let (id, event) = asked(&mut member).await;
        let left = event.time_left.expect("a time");
        assert!(left.seconds < 8, "at half of the time it moves on");
        let results = ActionResults {
            results: vec![parameter("order", "A-1", false)],
        };
        let answered = respond(&server, &id, "m", Answer::ActionResults(results)).await;
        assert_eq!(disposition(&answered), Disposition::Accepted);
        reply(asking).await;
        let result = member.says(&event, parloir_client::Outcome::Done).await;
        assert_eq!(result, parloir_client::v1::AckResult::DoneBefore);
    }
}

#[tokio::test]
async fn a_question_moves_on_when_its_member_goes() {
    let server = TestServer::start().await;
    let one = join(&server, "one").started().await;
    let two = join(&server, "two").started().await;
    stands(&server.client, |found| found.members.len() == 2).await;
    let asking = ask(&server, &action("C", "fetch"));
    let (mut one, mut two) = (one, two);
    let (id, first_was_one) = tokio::select! {
        (id, _) = asked(&mut one) => (id, true),
        (id, _) = asked(&mut two) => (id, false),
    };
    let mut other = if first_was_one {
        drop(one);
        two
    } else {
        drop(two);
        one
    };
    let (again, event) = asked(&mut other).await;
    assert_eq!((again, event.attempt), (id.clone(), 2));
    let answer = Answer::ActionResults(ActionResults::default());
    let answered = respond(&server, &id, "m", answer).await;
    assert_eq!(disposition(&answered), Disposition::Accepted);
    let told = tokio::time::timeout(Duration::from_secs(30), reply(asking)).await;
    assert_eq!(told.expect("in time").status, 200);
}

#[tokio::test]
async fn a_question_moves_on_at_half_of_the_time_that_is_left() {
    let server = TestServer::start_with(Wishes {
        agent: r#"action_time_limit = "6s""#,
        ..Wishes::default()
    })
    .await;
    let mut one = join(&server, "one").started().await;
    let mut two = join(&server, "two").started().await;
    stands(&server.client, |found| found.members.len() == 2).await;
    let asking = ask(&server, &action("C", "fetch"));
    // Whoever has it first says nothing, and stays.
    let ((id, first), first_was_one) = tokio::select! {
        it = asked(&mut one) => (it, true),
        it = asked(&mut two) => (it, false),
    };
    let other = if first_was_one { &mut two } else { &mut one };
    let (again, event) = asked(other).await;
    assert_eq!((again, event.attempt), (id.clone(), 2));
    let left = |event: &DeliveredEvent| {
        let left = event.time_left.expect("a time");
        Duration::try_from(left).expect("a span")
    };
    assert!(left(&first) <= Duration::from_secs(3), "half of it");
    assert!(left(&event) < left(&first), "half of what was left");
    let answer = Answer::ActionResults(ActionResults::default());
    let answered = respond(&server, &id, "m", answer).await;
    assert_eq!(disposition(&answered), Disposition::Accepted);
    assert_eq!(reply(asking).await.status, 200);
}
