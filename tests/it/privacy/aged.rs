//! A tenant that keeps less than the log does.

use std::time::Duration;

use parloir_client::v1::{ListEventsRequest, event::Body};
use prost::Message;

use super::is_in_files;
use crate::support::{
    server::{ACCOUNT, TestServer, Wishes},
    webhook::says,
};

const WORDS: &str = "my-leg-is-broken-7431";

/// Whether all that was recorded before the time went on is erased.
async fn reads_as_erased(server: &TestServer) -> bool {
    let request = ListEventsRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: "C".to_owned(),
        ..ListEventsRequest::default()
    };
    let page = server.client.list_events(request).await.expect("a page");
    let said = page.events.iter().filter_map(|delivered| {
        let body = delivered.event.as_ref()?.body.as_ref()?;
        Some(matches!(
            body,
            Body::VisitorMessage(_) | Body::AgentMessage(_)
        ))
    });
    !said.into_iter().any(|is_said| is_said)
}

/// How many events read as erased up to the news; absent: the words still came.
async fn erased_on_a_new_stream(server: &TestServer) -> Option<usize> {
    let (mut erased, mut is_said) = (0, false);
    let mut events = server.events();
    events
        .find(|body, event| {
            let bytes = event.encode_to_vec();
            let mut windows = bytes.windows(WORDS.len());
            is_said |= windows.any(|window| window == WORDS.as_bytes());
            match body {
                Body::Erased(_) => {
                    erased += 1;
                    None
                }
                Body::AgentMessage(message) => (message.text == "news").then_some(()),
                _ => None,
            }
        })
        .await;
    (!is_said).then_some(erased)
}

#[tokio::test]
async fn what_is_older_than_its_tenant_keeps_reads_as_erased_and_streams_go_on_across_it() {
    let server = TestServer::start_with(Wishes {
        top: "log.sweep_interval = \"10ms\"",
        end: "[[tenants]]\nname = \"default\"\nretention_age = \"1h\"".to_owned(),
        ..Wishes::default()
    })
    .await;
    server.say("C", "m-1", WORDS).await.expect("taken");
    server.taken(&says("C", WORDS)).await;
    let mut before = server.events();
    before.texts(1).await;
    server.clock.advance(Duration::from_mins(61));
    server.taken(&says("D", "news")).await;

    let gone = async {
        while !reads_as_erased(&server).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(super::PATIENCE, gone)
        .await
        .expect("the words are erased in time");
    assert!(!is_in_files(&server.path("parloir.db"), WORDS));
    // A stream that followed goes on, and a new one reads across what was erased, without a gap.
    assert_eq!(before.texts(1).await, ["news"]);
    // What is in memory goes right after the commit.
    let forgotten = async {
        loop {
            if let Some(erased) = erased_on_a_new_stream(&server).await {
                return erased;
            }
        }
    };
    let erased = tokio::time::timeout(super::PATIENCE, forgotten)
        .await
        .expect("nothing of it is in memory in time");
    assert!(erased >= 2, "{erased}");
    let known = server
        .client
        .conversation(ACCOUNT, "C")
        .await
        .expect("read");
    assert!(known.is_some(), "the conversation stays");
}
