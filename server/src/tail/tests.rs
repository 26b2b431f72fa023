//! The end of the log, read as other replicas wrote it.

use parloir_proto::v1;
use prost::Message;

use super::*;
use crate::{
    domain::{EventKind, Id},
    hub::{self, Notice, OnExpired, Start, Subscription, Wish, tests::support},
    metrics::Metrics,
    store::tests::{Scratch, event, later},
};

#[tokio::test]
async fn an_event_of_a_later_version_reaches_whoever_takes_any_kind_and_stops_nobody() {
    let scratch = Scratch::new().await;
    let store: Arc<dyn Store> = scratch.store.clone();
    let hub = Hub::start(
        hub::Settings::default(),
        Arc::clone(&store),
        support::live(),
        Metrics::new(),
        Position(0),
    );
    let tail = Tail::new(store, Arc::clone(&hub), Arc::default(), Position(0));
    let open = async |kinds: &[EventKind]| {
        let tenant = Id::trusted("acme");
        let wish = Wish {
            filter: hub.filter(&tenant, Vec::new(), Vec::new(), kinds),
            start: Start::After(Position(0)),
            on_expired: OnExpired::Fail,
            heartbeat: None,
        };
        hub.subscribe(wish).await.expect("opens")
    };
    let (mut all, mut alerts) = (open(&[]).await, open(&[EventKind::PlatformAlert]).await);
    scratch
        .commit(async |tx| {
            for sequence in 1..=3 {
                tx.append(event("c", sequence, 1));
            }
        })
        .await;
    scratch.write_later(2, later::KIND, later::BODY).await;
    tail.read_on(&mut 0).await.expect("reads to the end");
    assert_eq!(hub.head(), Position(3));
    let read = read(&mut all, 3).await;
    assert_eq!(sequences(&read), [1, 2, 3]);
    assert!(
        read[1]
            .1
            .windows(later::BODY.len())
            .any(|it| it == later::BODY)
    );
    assert_eq!(sequences(&self::read(&mut alerts, 2).await), [1, 3]);
    // Whoever comes later and reads on from the past gets it, too.
    assert_eq!(
        sequences(&self::read(&mut open(&[]).await, 3).await),
        [1, 2, 3]
    );
}

/// So many events, each with the bytes that it came in.
async fn read(stream: &mut Subscription, events: usize) -> Vec<(v1::Event, Vec<u8>)> {
    let mut read = Vec::new();
    while read.len() < events {
        match stream.next().await {
            Notice::Events(bytes) => read.extend(decoded(&bytes)),
            Notice::Failed(error) => panic!("{error}"),
            _ => {}
        }
    }
    read
}

fn decoded(mut frames: &[u8]) -> Vec<(v1::Event, Vec<u8>)> {
    let mut events = Vec::new();
    while !frames.is_empty() {
        let length = u32::from_be_bytes(frames[1..5].try_into().expect("four bytes"));
        let (frame, rest) = frames[5..].split_at(usize::try_from(length).expect("small"));
        let message = v1::SubscribeEventsResponse::decode(frame).expect("a message");
        let Some(v1::subscribe_events_response::Message::Event(delivered)) = message.message else {
            panic!("an event")
        };
        events.push((delivered.event.expect("an event"), frame.to_vec()));
        frames = rest;
    }
    events
}

fn sequences(events: &[(v1::Event, Vec<u8>)]) -> Vec<u64> {
    events.iter().map(|(event, _)| event.sequence).collect()
}
