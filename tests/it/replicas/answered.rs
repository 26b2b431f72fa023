//! A question that one replica holds is answered at another.

use std::time::Duration;

use parloir_client::{
    Subscription,
    v1::{Disposition, RequestOutcome},
};
use tokio::time::{Instant, timeout};

use super::stage::{Stage, Wishes};
use crate::{
    process::AGENT,
    support::{
        events::Events,
        http::{Connection, Reply},
        platform::FakeServer,
        questions::{action_requested, disposition, request_closed},
        server::parameter,
        webhook::action,
    },
};

/// The replica that holds the question hears of the answer by the doorbell, and looks every second if it does not.
const HEARD_WITHIN: Duration = Duration::from_secs(3);

/// How long a question waits for its answer, in the second test.
const ITS_TIME: Duration = Duration::from_secs(2);

async fn ask(stage: &Stage, replica: usize, conversation: &str) -> Connection {
    let mut connection = Connection::open(stage.replicas[replica].setup.webhooks).await;
    let body = action(conversation, "fetch");
    connection
        .post(&format!("/webhooks/{AGENT}"), &[], body.as_bytes())
        .await;
    connection
}

fn events(stage: &Stage, replica: usize) -> Events {
    let subscription = Subscription::new().from_earliest();
    Events::new(stage.client(replica).subscribe(subscription))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_at_one_replica_closes_a_question_that_another_holds() {
    let platform = FakeServer::start().await;
    let stage = Stage::running(&platform.url(), 2, Wishes::default()).await;
    let mut seen_there = events(&stage, 1);
    let mut asked = ask(&stage, 0, "C").await;
    let request = action_requested(&mut seen_there).await.request_id;
    let answered = Instant::now();
    let results = vec![parameter("order", "A-1", false)];
    let accepted = stage.client(1).answer_action(&request, results).await;
    assert_eq!(disposition(&accepted), Disposition::Accepted);
    let Reply { status, body, .. } = timeout(HEARD_WITHIN, asked.reply())
        .await
        .expect("the answer in time")
        .expect("an answer");
    println!("answered after {} ms", answered.elapsed().as_millis());
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("A-1"), "{body}");
    let closed = request_closed(&mut seen_there).await;
    assert_eq!(
        (&closed.request_id, closed.outcome()),
        (&request, RequestOutcome::Answered)
    );
    // At the replica that held it, a second answer is told that it is one.
    let results = vec![parameter("order", "A-2", false)];
    let late = stage.client(0).answer_action(&request, results).await;
    assert_eq!(disposition(&late), Disposition::Lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_of_a_replica_that_was_killed_is_closed_by_another_and_no_earlier_than_its_time()
{
    let platform = FakeServer::start().await;
    let wishes = Wishes {
        settings: r#"log.sweep_interval = "500ms""#,
        agent: r#"action_time_limit = "2s""#,
    };
    let mut stage = Stage::running(&platform.url(), 2, wishes).await;
    let mut seen_there = events(&stage, 1);
    let mut asked = ask(&stage, 0, "C").await;
    let request = action_requested(&mut seen_there).await.request_id;
    let killed = Instant::now();
    stage.replicas[0].kill();
    assert_eq!(asked.reply().await, None, "nobody answered the platform");
    let closed = request_closed(&mut seen_there).await;
    println!("closed after {} ms", killed.elapsed().as_millis());
    assert!(killed.elapsed() > ITS_TIME / 2, "it might still be held");
    assert_eq!(
        (&closed.request_id, closed.outcome()),
        (&request, RequestOutcome::Abandoned)
    );
}
