//! The end, seen by those who are connected, and the start after it.

use std::time::{Duration, Instant};

use parloir::{app::App, config};
use parloir_client::v1::{
    GoingAway, GoingAwayReason, subscribe_events_request::Start, subscribe_events_response::Message,
};
use tokio::{net::TcpStream, sync::oneshot, task::JoinSet};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{Stream, calls, earliest, follow, next, next_event};
use crate::{
    process::Setup,
    support::{
        platform::FakeServer,
        server::{TestServer, state},
    },
    webhook,
};

/// What the process may take from the signal to its end.
const NOTICE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(8);
const SETTINGS: &str = r#"
    shutdown.notice = "1s"
    shutdown.grace = "8s"
    shutdown.hard_deadline = "20s"
"#;

const CONNECTIONS: usize = 20;
const STREAMS_EACH: usize = 50;

/// Reads a stream to its end: the goodbye, when it came, and the status after it.
async fn to_the_end(mut stream: Stream) -> (GoingAway, Instant, Code) {
    let goodbye = loop {
        if let Message::GoingAway(goodbye) = next(&mut stream).await {
            break goodbye;
        }
    };
    let at = Instant::now();
    let status = stream.message().await.expect_err("the stream ends");
    (goodbye, at, status.code())
}

/// When the watched service was first told to be not serving.
async fn not_serving(url: String, begun: oneshot::Sender<()>) -> Instant {
    let endpoint = Channel::from_shared(url).expect("an address");
    let channel = endpoint.connect().await.expect("a server that listens");
    let request = HealthCheckRequest {
        service: "parloir.v1.ConversationService".to_owned(),
    };
    let watched = HealthClient::new(channel).watch(request).await;
    let mut watched = watched.expect("a watch").into_inner();
    begun.send(()).expect("somebody who waits for the watch");
    while let Some(answer) = watched.message().await.expect("an open watch") {
        if answer.status() == ServingStatus::NotServing {
            return Instant::now();
        }
    }
    panic!("the watch ended before it said anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_ends_in_order_within_its_grace_under_a_thousand_streams_and_silent_peers() {
    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), SETTINGS);
    let mut server = setup.start(&[]);
    server.ready().await;
    let mut readers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut calls = calls(setup.grpc_url()).await;
        for _ in 0..STREAMS_EACH {
            let mut stream = follow(&mut calls, earliest()).await.expect("a stream");
            assert!(matches!(next(&mut stream).await, Message::Started(_)));
            readers.spawn(to_the_end(stream));
        }
    }
    let mut silent = Vec::new();
    for address in [setup.grpc, setup.webhooks] {
        silent.push(TcpStream::connect(address).await.expect("a listener"));
    }
    let half = TcpStream::connect(setup.webhooks)
        .await
        .expect("a listener");
    half.try_write(b"POST /webhooks/shop HTTP/1.1\r\nhost: par")
        .expect("room for half a head");
    let (begun, begins) = oneshot::channel();
    let watching = tokio::spawn(not_serving(setup.grpc_url(), begun));
    begins.await.expect("a watch");

    let told = Instant::now();
    server.terminate();
    let not_serving = watching.await.expect("the watch sees it");
    let mut goodbyes = Vec::new();
    while let Some(ended) = readers.join_next().await {
        let (goodbye, at, code) = ended.expect("a reader");
        assert_eq!(goodbye.reason(), GoingAwayReason::Shutdown);
        assert!(!goodbye.resume_cursor.is_empty());
        assert_eq!(code, Code::Unavailable);
        goodbyes.push(at);
    }
    assert_eq!(goodbyes.len(), CONNECTIONS * STREAMS_EACH);
    let first = goodbyes.iter().min().expect("a thousand");
    assert!(
        not_serving < *first,
        "health spoke after a stream had ended"
    );
    let status = server.exited().await;
    assert_eq!(status.code(), Some(0), "{}", server.last_words());
    assert!(told.elapsed() < NOTICE + GRACE, "{:?}", told.elapsed());
    drop(silent);
}

#[tokio::test]
async fn a_stream_resumes_at_the_restarted_server_and_misses_nothing() {
    let platform = FakeServer::start().await;
    let setup = Setup::new(&platform.url(), r#"shutdown.notice = "0s""#);
    let mut server = setup.start(&[]);
    server.ready().await;
    let mut stream = follow(&mut calls(setup.grpc_url()).await, earliest()).await;
    let stream = stream.as_mut().expect("a stream");
    for number in 1..=20 {
        let body = webhook::message("C", &number.to_string());
        assert_eq!(
            webhook::post(setup.webhooks, &body)
                .await
                .expect("an answer"),
            200
        );
    }
    let mut seen = Vec::new();
    while seen.len() < 10 {
        seen.push(next_event(stream).await.0.sequence);
    }
    server.terminate();
    let goodbye = loop {
        match next(stream).await {
            Message::Event(delivered) => seen.push(delivered.event.expect("an event").sequence),
            Message::GoingAway(goodbye) => break goodbye,
            _ => {}
        }
    };
    let status = stream.message().await.expect_err("the stream ends");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(server.exited().await.code(), Some(0));

    let mut server = setup.start(&[]);
    server.ready().await;
    for number in 21..=40 {
        let body = webhook::message("C", &number.to_string());
        assert_eq!(
            webhook::post(setup.webhooks, &body)
                .await
                .expect("an answer"),
            200
        );
    }
    let after = Start::AfterCursor(goodbye.resume_cursor);
    let mut stream = follow(&mut calls(setup.grpc_url()).await, after).await;
    let stream = stream.as_mut().expect("a stream");
    while seen.len() < 40 {
        seen.push(next_event(stream).await.0.sequence);
    }
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_second_server_on_one_database_refuses_to_start_and_says_why() {
    let server = TestServer::start().await;
    let file = server.path("parloir.toml");
    let loaded = config::load(Some(&file), std::iter::empty());
    let config = loaded.expect("a valid configuration").config;
    let error = App::start(&config)
        .await
        .expect_err("the database is in use");
    let words = format!("{error:#}");
    assert!(words.contains("parloir.db"), "{words}");
    assert!(words.contains("another server"), "{words}");
    let sent = server.say("C", "1", "one").await;
    assert_eq!(
        state(&sent),
        parloir_client::v1::DeliveryState::Delivered,
        "the first goes on"
    );
    server.app.stop().await;
    let second = App::start(&config)
        .await
        .expect("the database is free again");
    second.stop().await;
}
