//! Order, hand-over from the log to the ring, and slow readers.

use std::sync::Arc;

use super::support::{World, event, positions};
use crate::{
    domain::{EventKind, Position},
    hub::{Filter, Notice, Settings, Start},
};

fn tiny_ring() -> Settings {
    Settings {
        ring_events: 8,
        page_events: 16,
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_reader_that_starts_at_the_end_is_level_at_once_and_sees_what_comes() {
    let world = World::new(Settings::default());
    world.publish_some(3);
    let mut reader = world.open(Start::Latest, Filter::all()).await.unwrap();
    assert_eq!(reader.next().await, Notice::CaughtUp(Position(3)));
    assert_eq!(reader.ready().await, None);
    world.publish_some(2);
    reader.until(2).await;
    assert_eq!(reader.events, [4, 5]);
}

#[tokio::test]
async fn what_was_committed_together_is_taken_as_one_piece_of_shared_memory() {
    let world = World::new(Settings::default());
    let open = || world.open(Start::Latest, Filter::all());
    let (mut one, mut other) = (open().await.unwrap(), open().await.unwrap());
    one.catch_up().await;
    other.catch_up().await;
    world.publish_some(16);
    let (Notice::Events(a), Notice::Events(b)) = (one.next().await, other.next().await) else {
        panic!("events")
    };
    assert_eq!(positions(&a), (1..=16).collect::<Vec<_>>());
    assert_eq!(a.as_ptr(), b.as_ptr());
}

#[tokio::test]
async fn a_piece_is_no_larger_than_configured_and_a_larger_event_goes_alone() {
    let settings = Settings {
        max_frame_bytes: 300,
        ..Settings::default()
    };
    let world = World::new(settings);
    let mut reader = world.open(Start::Latest, Filter::all()).await.unwrap();
    reader.catch_up().await;
    let mut events: Vec<_> = (0..8)
        .map(|_| event("a", "1", EventKind::AgentMessage))
        .collect();
    let large = parloir_proto::v1::Event {
        traceparent: "x".repeat(1000),
        ..Default::default()
    };
    events[4].bytes = prost::Message::encode_to_vec(&large).into();
    world.publish(events);
    let mut pieces = Vec::new();
    while reader.events.len() < 8 {
        if let Notice::Events(bytes) = reader.next().await {
            let count = positions(&bytes).len();
            assert!(
                bytes.len() <= 300 || count == 1,
                "{count} in {}",
                bytes.len()
            );
            pieces.push(count);
        }
    }
    assert_eq!(reader.events, (1..=8).collect::<Vec<_>>());
    assert!(pieces.len() >= 4, "{pieces:?}");
}

#[tokio::test]
async fn single_commits_that_wait_are_taken_together() {
    let world = World::new(Settings::default());
    let mut reader = world.open(Start::Latest, Filter::all()).await.unwrap();
    reader.catch_up().await;
    for _ in 0..20 {
        world.publish_some(1);
    }
    let Notice::Events(bytes) = reader.next().await else {
        panic!("events")
    };
    assert_eq!(positions(&bytes), (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_that_fell_out_of_the_ring_reads_on_from_the_log_and_loses_nothing() {
    let world = World::new(tiny_ring());
    let mut reader = world.open(Start::Latest, Filter::all()).await.unwrap();
    reader.catch_up().await;
    world.publish_some(2);
    reader.until(2).await;
    for _ in 0..100 {
        world.publish_some(1);
    }
    assert_eq!(reader.next().await, Notice::FellBehind(Position(2)));
    assert_eq!(reader.catch_up().await, Position(102));
    assert_eq!(reader.events, (1..=102).collect::<Vec<_>>());
    world.publish_some(1);
    reader.until(103).await;
    assert_eq!(reader.events.last(), Some(&103));
}

#[tokio::test]
async fn a_reader_that_never_reads_costs_the_others_nothing() {
    let world = World::new(tiny_ring());
    let mut stuck = world.open(Start::Latest, Filter::all()).await.unwrap();
    let mut brisk = world.open(Start::Latest, Filter::all()).await.unwrap();
    stuck.catch_up().await;
    brisk.catch_up().await;
    for count in 1..=1000 {
        world.publish_some(1);
        brisk.until(count).await;
    }
    assert_eq!(brisk.events, (1..=1000).collect::<Vec<_>>());
    // The brisk one was served from memory all the time.
    let pages = &world.log.pages_read;
    assert_eq!(pages.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(stuck.next().await, Notice::FellBehind(Position(0)));
    stuck.catch_up().await;
    assert_eq!(stuck.events, brisk.events);
}

#[tokio::test]
async fn events_that_were_not_published_here_are_read_from_the_log_and_repeats_are_passed_over() {
    let world = World::new(Settings::default());
    let mut level = world.open(Start::Latest, Filter::all()).await.unwrap();
    level.catch_up().await;
    let mut waiting = world.open(Start::Latest, Filter::all()).await.unwrap();
    waiting.catch_up().await;
    world.publish_some(3);
    level.until(3).await;
    let batch = |count| {
        let event = || event("a", "1", EventKind::AgentMessage);
        world.log.append((0..count).map(|_| event()).collect())
    };
    let elsewhere = batch(5);
    let here = batch(2);
    world.hub.publish(&here);
    world.hub.publish(&elsewhere);
    world.hub.publish(&here);
    world.publish_some(1);
    for reader in [&mut level, &mut waiting] {
        reader.drain(Position(11)).await;
        assert_eq!(reader.events, (1..=11).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hand_over_from_log_to_ring_has_no_gap_while_events_are_published() {
    const EVENTS: usize = 600;
    for seed in 0..25 {
        let world = World::new(tiny_ring());
        let mut random = fastrand::Rng::with_seed(seed);
        world.publish_some(random.usize(0..100));
        let mut readers = Vec::new();
        let all: Arc<Vec<u64>> = Arc::new((1..=EVENTS as u64).collect());
        for _ in 0..6 {
            let (world, all, pause) = (world.clone(), all.clone(), random.usize(0..30));
            readers.push(tokio::spawn(async move {
                for _ in 0..pause {
                    tokio::task::yield_now().await;
                }
                let mut reader = world.open(Start::Earliest, Filter::all()).await.unwrap();
                reader.until(EVENTS).await;
                assert_eq!(reader.events, *all);
            }));
        }
        while world.log.all().len() < EVENTS {
            let left = EVENTS - world.log.all().len();
            world.publish_some(random.usize(1..=7).min(left));
            if random.bool() {
                tokio::task::yield_now().await;
            }
        }
        for reader in readers {
            reader.await.expect("the reader saw everything in order");
        }
    }
}
