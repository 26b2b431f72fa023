//! All subscribers lose their replica at once and resume far behind at the other, while it goes on to take what is new.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::stage::{Stage, Wishes};
use crate::{
    crash::followers::{open, request},
    full::is_full,
    process::ACCOUNT,
    support::platform::FakeServer,
    webhook,
};
use parloir_client::v1::subscribe_events_response::Message;

const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(30);
/// Nothing that is committed meanwhile waits longer than this.
const WRITTEN_WITHIN: Duration = Duration::from_secs(3);
const WRITERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_subscribers_that_resume_is_over_soon_and_stops_no_writer() {
    let (subscribers, behind) = if is_full() {
        (5_000, 10_000)
    } else {
        (200, 1_000)
    };
    let platform = FakeServer::start().await;
    let mut stage = Stage::running(&platform.url(), 2, Wishes::default()).await;
    post(&stage, 0, behind).await;
    let begun = start_of(&stage).await;
    stage.replicas[0].kill();
    let stormed = Instant::now();
    let mut storm = JoinSet::new();
    let url = stage.url(1);
    for _ in 0..subscribers {
        storm.spawn(catch_up(url.clone(), begun.clone(), behind));
    }
    let mut slowest = Duration::ZERO;
    let mut written = 0;
    let writing = async {
        let client = stage.client(1);
        loop {
            let id = format!("{written}");
            let asked = Instant::now();
            let started = client.start(ACCOUNT, "writer", &id).await;
            started.expect("a writer is never turned away");
            slowest = slowest.max(asked.elapsed());
            written += 1;
        }
    };
    let caught_up = async {
        while let Some(done) = storm.join_next().await {
            done.expect("it catches up");
        }
    };
    let caught_up = timeout(CAUGHT_UP_WITHIN, async {
        tokio::select! {
            () = caught_up => {}
            never = writing => never,
        }
    });
    let in_time = caught_up.await.is_ok();
    println!(
        "{subscribers} subscribers came {behind} events nearer within {} ms; {written} commands meanwhile, the slowest took {} ms",
        stormed.elapsed().as_millis(),
        slowest.as_millis()
    );
    assert!(in_time, "not caught up within {CAUGHT_UP_WITHIN:?}");
    assert!(
        written > 0 && slowest <= WRITTEN_WITHIN,
        "{written} {slowest:?}"
    );
}

/// So many webhooks, as fast as they are taken.
async fn post(stage: &Stage, replica: usize, count: usize) {
    let to = stage.replicas[replica].setup.webhooks;
    let turns = Arc::new(Semaphore::new(WRITERS));
    let mut posts = JoinSet::new();
    for number in 0..count {
        let turn = Arc::clone(&turns)
            .acquire_owned()
            .await
            .expect("it is open");
        posts.spawn(async move {
            let body = webhook::message(&format!("C{}", number % 50), &number.to_string());
            let answer = webhook::post(to, &body).await;
            drop(turn);
            assert_eq!(answer.expect("an answer"), 200);
        });
    }
    while let Some(posted) = posts.join_next().await {
        posted.expect("it is taken");
    }
}

/// The cursor behind the first event.
async fn start_of(stage: &Stage) -> String {
    let mut messages = open(&stage.url(0), request(&[], None))
        .await
        .expect("a stream");
    loop {
        let message = messages
            .message()
            .await
            .expect("an open stream")
            .expect("a message");
        if let Some(Message::Event(delivered)) = message.message {
            return delivered.cursor;
        }
    }
}

async fn catch_up(url: String, cursor: String, behind: usize) {
    let mut messages = open(&url, request(&[], Some(cursor)))
        .await
        .expect("a stream");
    let mut seen = 1;
    while seen < behind {
        let message = messages
            .message()
            .await
            .expect("an open stream")
            .expect("a message");
        seen += usize::from(matches!(message.message, Some(Message::Event(_))));
    }
}
