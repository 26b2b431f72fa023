//! Subscribers that do not read.

use parloir_client::v1::subscribe_events_response::Message;

use super::{calls, earliest, follow, next, next_event};
use crate::support::{
    server::{TestServer, Wishes},
    webhook::says_as,
};

/// More than a stream's window and the ring hold together.
const EVENTS: u64 = 150;

#[tokio::test]
async fn subscribers_that_never_read_slow_nobody_and_find_everything_when_they_do() {
    let server = TestServer::start_with(Wishes {
        top: "stream.ring_events = 16",
        ..Wishes::default()
    })
    .await;
    let url = format!("http://{}", server.app.grpc());
    let mut silent = Vec::new();
    for _ in 0..5 {
        // A connection each: what is not read on one would fill a shared one's window, which is the client's affair.
        let mut calls = calls(url.clone()).await;
        silent.push(follow(&mut calls, earliest()).await.expect("a stream"));
    }
    let mut reading = follow(&mut calls(url).await, earliest())
        .await
        .expect("a stream");
    let text = "x".repeat(4_000);
    for number in 1..=EVENTS {
        server
            .taken(&says_as("C", &number.to_string(), &text))
            .await;
        assert_eq!(next_event(&mut reading).await.0.sequence, number);
    }
    for stream in &mut silent {
        let mut seen = Vec::new();
        let mut fell_behind = false;
        while seen.len() < usize::try_from(EVENTS).expect("a number") {
            match next(stream).await {
                Message::Event(delivered) => seen.push(delivered.event.expect("an event").sequence),
                Message::FellBehind(_) => fell_behind = true,
                _ => {}
            }
        }
        assert_eq!(seen, (1..=EVENTS).collect::<Vec<_>>());
        assert!(fell_behind, "the ring cannot have held it all");
    }
}
