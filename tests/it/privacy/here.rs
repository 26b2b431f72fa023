//! What becomes of the data on this server.

use parloir_client::{
    Code,
    v1::{
        DeliveryState, ErasureState, GetErasureRequest, ListEventsRequest,
        StartConversationRequest, Visitor, event::Body,
    },
};
use prost::Message;

use super::{erase, is_in_files, receipt};
use crate::support::{
    server::{ACCOUNT, TestServer, parameter, state},
    webhook::says,
};

const WORDS: &str = "my-leg-is-broken-7431";
const NAME: &str = "Ana-Marija-Kovac-9920";
const ANSWER: &str = "poor-you-which-leg-5512";
const VALUE: &str = "ana-8841-at-example";
const ALL: [&str; 4] = [WORDS, NAME, ANSWER, VALUE];

/// A conversation that holds all of them.
async fn converse(server: &TestServer, id: &str) {
    let start = StartConversationRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: id.to_owned(),
        command_id: format!("start-{id}"),
        visitor: Some(Visitor {
            display_name: NAME.to_owned(),
            ..Visitor::default()
        }),
        parameters: vec![parameter("contact", VALUE, true)],
        ..StartConversationRequest::default()
    };
    server
        .client
        .start_conversation(start)
        .await
        .expect("starts");
    let said = server.say(id, &format!("m-{id}"), WORDS).await;
    assert_eq!(state(&said), DeliveryState::Delivered);
    server.taken(&says(id, ANSWER)).await;
}

/// Everything that a transcript answers, as bytes.
async fn transcript(server: &TestServer, id: &str) -> (Vec<u8>, Vec<Body>) {
    let request = ListEventsRequest {
        account: ACCOUNT.to_owned(),
        conversation_id: id.to_owned(),
        ..ListEventsRequest::default()
    };
    let page = server.client.list_events(request).await.expect("a page");
    let bodies = page.events.iter().map(|delivered| {
        let event = delivered.event.clone().expect("an event");
        event.body.expect("a body")
    });
    let bodies = bodies.collect();
    (page.encode_to_vec(), bodies)
}

fn holds(bytes: &[u8], words: &str) -> bool {
    let mut windows = bytes.windows(words.len());
    windows.any(|window| window == words.as_bytes())
}

#[tokio::test]
async fn what_is_erased_is_gone_from_streams_transcripts_and_every_byte_of_the_files() {
    let server = TestServer::start().await;
    converse(&server, "C").await;
    let (before, _) = transcript(&server, "C").await;
    for words in ALL {
        assert!(holds(&before, words), "{words} was never there");
    }

    let erasure = erase(&server.client, "C", "e-1").await.expect("erased");
    assert_eq!(erasure.state(), ErasureState::Erased);
    assert!(erasure.erase_time.is_some());
    let through = erasure.conversations[0].through_sequence;
    assert!(through >= 4, "{through}");

    let database = server.path("parloir.db");
    for words in ALL {
        assert!(!is_in_files(&database, words), "{words} is still in a file");
    }
    let (after, bodies) = transcript(&server, "C").await;
    for words in ALL {
        assert!(!holds(&after, words), "{words} is still told");
    }
    let erased = bodies.iter().take(usize::try_from(through).expect("small"));
    for body in erased {
        let Body::Erased(erased) = body else {
            panic!("{body:?} was not erased");
        };
        assert_eq!(
            (erased.receipt_id.as_str(), erased.through_sequence),
            ("", 0)
        );
    }
    // A fresh stream reads the same from the first event on, and the news at its end.
    let mut events = server.events();
    let news = events
        .find(|body, event| {
            for words in ALL {
                assert!(!holds(&event.encode_to_vec(), words), "{words}");
            }
            match body {
                Body::Erased(erased) if !erased.receipt_id.is_empty() => Some(erased),
                _ => None,
            }
        })
        .await;
    assert_eq!(news.receipt_id, erasure.receipt_id);
    assert_eq!(news.through_sequence, through);
    let known = server
        .client
        .conversation(ACCOUNT, "C")
        .await
        .expect("read");
    let known = known.expect("the conversation stays");
    assert!(known.parameters.is_empty() && known.visitor.is_none_or(|v| v.display_name.is_empty()));
}

#[tokio::test]
async fn a_stream_that_follows_is_told_and_other_conversations_keep_what_they_have() {
    let server = TestServer::start().await;
    converse(&server, "C").await;
    converse(&server, "D").await;
    let mut events = server.events();
    events.texts(2).await;
    erase(&server.client, "C", "e-1").await.expect("erased");
    let told = events
        .find(|body, event| match body {
            Body::Erased(_) => Some(event.conversation_id.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told, "C");
    let (other, _) = transcript(&server, "D").await;
    assert!(ALL.into_iter().all(|words| holds(&other, words)));
    // What is said afterwards is new, and is read.
    let said = server.say("C", "m-2", "a new day").await;
    assert_eq!(state(&said), DeliveryState::Delivered);
    let (after, _) = transcript(&server, "C").await;
    assert!(holds(&after, "a new day") && !holds(&after, WORDS));
}

#[tokio::test]
async fn what_waits_for_the_agent_is_not_sent_any_more() {
    let server = TestServer::start().await;
    server.platform.hold();
    let (client, first) = (server.client.clone(), "m-1");
    let held = tokio::spawn(async move { client.say(ACCOUNT, "C", first, WORDS).await });
    server.platform.wait_for(1).await;
    let (client, second) = (server.client.clone(), "m-2");
    let queued = tokio::spawn(async move { client.say(ACCOUNT, "C", second, NAME).await });
    let mut events = server.events();
    events
        .find(|body, _| match body {
            Body::VisitorMessage(message) => (message.message_id == second).then_some(()),
            _ => None,
        })
        .await;

    erase(&server.client, "C", "e-1").await.expect("erased");
    let left = held.await.expect("a call");
    assert_eq!(state(&left), DeliveryState::Unknown, "its request had left");
    let refused = queued.await.expect("a call").expect_err("it is not sent");
    assert_eq!(refused.reason(), Some("ERASED"));
    server.platform.release();
    server
        .say("D", "m-3", "next")
        .await
        .expect("the server goes on");
    let requests = server.platform.requests();
    assert!(requests.iter().all(|request| !holds(&request.body, NAME)));
}

#[tokio::test]
async fn an_erasure_is_done_once_and_only_of_what_there_is() {
    let server = TestServer::start().await;
    converse(&server, "C").await;
    converse(&server, "D").await;
    let first = erase(&server.client, "C", "e-1").await.expect("erased");
    let again = erase(&server.client, "C", "e-1").await.expect("the same");
    assert_eq!(again.receipt_id, first.receipt_id);
    assert_eq!(receipt(&server.client, &first.receipt_id).await, again);
    let (_, bodies) = transcript(&server, "C").await;
    let news = bodies
        .iter()
        .filter(|body| matches!(body, Body::Erased(erased) if !erased.receipt_id.is_empty()));
    assert_eq!(news.count(), 1);

    let other = erase(&server.client, "D", "e-1").await;
    let other = other.expect_err("the key stands for another erasure");
    assert_eq!(other.reason(), Some("IDEMPOTENCY_KEY_REUSED"));
    let unknown = erase(&server.client, "X", "e-2").await;
    let unknown = unknown.expect_err("nobody has heard of it");
    assert_eq!(
        (unknown.code(), unknown.reason()),
        (Code::NotFound, Some("CONVERSATION_NOT_FOUND"))
    );
    let request = GetErasureRequest {
        receipt_id: "x".to_owned(),
    };
    let unknown = server.client.get_erasure(request).await;
    let unknown = unknown.expect_err("there is no such receipt");
    assert_eq!(
        (unknown.code(), unknown.reason()),
        (Code::NotFound, Some("ERASURE_NOT_FOUND"))
    );
}
