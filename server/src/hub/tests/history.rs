//! Starting in the past: pages, expired and foreign positions, retention.

use std::sync::{Arc, atomic::Ordering};

use super::support::{MemoryLog, World, event};
use crate::{
    domain::{Error, EventKind, Position, Timestamp},
    hub::{Filter, Notice, OnExpired, Settings, Start, Wish},
};

/// A hub that was started on a log of so many events: all of them are history.
fn world_with(events: usize) -> World {
    let log = Arc::new(MemoryLog::default());
    let event = || event("a", "1", EventKind::AgentMessage);
    log.append((0..events).map(|_| event()).collect());
    let settings = Settings {
        page_events: 64,
        ..Settings::default()
    };
    World::on(log, settings)
}

fn wish(start: Start, on_expired: OnExpired) -> Wish {
    Wish {
        filter: Filter::all(),
        start,
        on_expired,
        heartbeat: None,
    }
}

#[tokio::test]
async fn a_reader_reads_pages_until_it_is_level() {
    let world = world_with(1000);
    for (start, first) in [
        (Start::Earliest, 1),
        (Start::After(Position(0)), 1),
        (Start::After(Position(333)), 334),
        (Start::At(Timestamp(500)), 500),
        (Start::At(Timestamp(0)), 1),
    ] {
        let mut reader = world.open(start, Filter::all()).await.unwrap();
        assert_eq!(reader.subscription.terms().after, Position(first - 1));
        assert_eq!(reader.catch_up().await, Position(1000));
        assert_eq!(
            reader.events,
            (first..=1000).collect::<Vec<_>>(),
            "{start:?}"
        );
    }
}

#[tokio::test]
async fn a_time_to_come_begins_with_what_comes() {
    let world = world_with(10);
    let mut reader = world
        .open(Start::At(Timestamp(99)), Filter::all())
        .await
        .unwrap();
    assert_eq!(reader.next().await, Notice::CaughtUp(Position(10)));
}

#[tokio::test]
async fn readers_of_the_same_stretch_share_its_pages() {
    let world = world_with(1024);
    let mut readers = Vec::new();
    for _ in 0..50 {
        readers.push(world.open(Start::Earliest, Filter::all()).await.unwrap());
    }
    let all: Vec<_> = readers
        .into_iter()
        .map(|mut reader| {
            tokio::spawn(async move {
                reader.catch_up().await;
                reader.events.len()
            })
        })
        .collect();
    for reader in all {
        assert_eq!(reader.await.unwrap(), 1024);
    }
    assert_eq!(world.log.pages_read.load(Ordering::SeqCst), 1024 / 64);
}

#[tokio::test]
async fn an_expired_position_is_refused_with_the_first_one_that_is_left() {
    let world = world_with(100);
    world.log.trim(40);
    let refused = world.open(Start::After(Position(38)), Filter::all()).await;
    let expired = Error::CursorExpired {
        first_available: Position(40),
    };
    assert_eq!(refused.err(), Some(expired));
    let mut reader = world
        .open(Start::After(Position(39)), Filter::all())
        .await
        .unwrap();
    reader.catch_up().await;
    assert_eq!(reader.events.first(), Some(&40));
    assert_eq!(reader.events.len(), 61);
}

#[tokio::test]
async fn an_expired_position_goes_on_where_the_reader_wishes_after_a_gap() {
    let world = world_with(100);
    world.log.trim(40);
    let asked = Position(7);
    for (on_expired, resumed) in [(OnExpired::Earliest, 39), (OnExpired::Latest, 100)] {
        let wish = wish(Start::After(asked), on_expired);
        let mut reader = world.open_as(wish).await.unwrap();
        let resumed = Position(resumed);
        assert_eq!(reader.subscription.terms().after, resumed);
        assert_eq!(reader.next().await, Notice::Gap { asked, resumed });
        reader.catch_up().await;
        assert_eq!(reader.events, (resumed.0 + 1..=100).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_earliest_position_and_an_early_time_begin_at_the_floor_without_a_gap() {
    let world = world_with(100);
    world.log.trim(90);
    for start in [Start::Earliest, Start::At(Timestamp(3))] {
        let mut reader = world.open(start, Filter::all()).await.unwrap();
        assert!(matches!(reader.next().await, Notice::Events(_)));
        reader.catch_up().await;
        assert_eq!(reader.events, (90..=100).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_log_that_is_trimmed_to_nothing_is_a_gap_up_to_its_end() {
    let world = world_with(100);
    world.log.trim(101);
    let wish = wish(Start::After(Position(5)), OnExpired::Earliest);
    let mut reader = world.open_as(wish).await.unwrap();
    let gap = Notice::Gap {
        asked: Position(5),
        resumed: Position(100),
    };
    assert_eq!(reader.next().await, gap);
    assert_eq!(reader.next().await, Notice::CaughtUp(Position(100)));
}

#[tokio::test]
async fn retention_that_overtakes_a_reader_is_told_as_a_gap() {
    let world = world_with(300);
    let mut reader = world.open(Start::Earliest, Filter::all()).await.unwrap();
    reader.until(64).await;
    world.log.trim(200);
    let gap = Notice::Gap {
        asked: Position(64),
        resumed: Position(199),
    };
    assert_eq!(reader.next().await, gap);
    reader.catch_up().await;
    let seen: Vec<u64> = (1..=64).chain(200..=300).collect();
    assert_eq!(reader.events, seen);
}

#[tokio::test]
async fn a_position_that_the_log_never_reached_is_of_another_database() {
    let world = world_with(10);
    let refused = world.open(Start::After(Position(11)), Filter::all()).await;
    assert_eq!(refused.err(), Some(Error::CursorUnknown));
}

#[tokio::test]
async fn a_position_that_is_committed_and_not_yet_published_is_good() {
    let world = world_with(10);
    let committed = world.log.append(vec![
        event("a", "1", EventKind::AgentMessage),
        event("a", "1", EventKind::AgentMessage),
    ]);
    let mut reader = world
        .open(Start::After(Position(11)), Filter::all())
        .await
        .unwrap();
    assert_eq!(reader.next().await, Notice::CaughtUp(Position(11)));
    world.hub.publish(&committed);
    reader.drain(Position(12)).await;
    assert_eq!(reader.events, [12]);
}

#[tokio::test]
async fn a_reader_in_the_ring_resumes_without_asking_the_database() {
    let world = World::new(Settings::default());
    world.publish_some(100);
    world.log.fails.store(true, Ordering::SeqCst);
    let mut reader = world
        .open(Start::After(Position(42)), Filter::all())
        .await
        .unwrap();
    reader.catch_up().await;
    assert_eq!(reader.events, (43..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_log_that_cannot_be_read_ends_the_stream_and_a_later_one_reads_it() {
    let world = world_with(10);
    let mut reader = world.open(Start::Earliest, Filter::all()).await.unwrap();
    world.log.fails.store(true, Ordering::SeqCst);
    assert_eq!(reader.next().await, Notice::Failed(Error::StoreUnavailable));
    world.log.fails.store(false, Ordering::SeqCst);
    world.log.panics.store(true, Ordering::SeqCst);
    let mut reader = world.open(Start::Earliest, Filter::all()).await.unwrap();
    assert_eq!(reader.next().await, Notice::Failed(Error::Internal));
    world.log.panics.store(false, Ordering::SeqCst);
    let mut reader = world.open(Start::Earliest, Filter::all()).await.unwrap();
    reader.catch_up().await;
    assert_eq!(reader.events.len(), 10);
}

#[tokio::test]
async fn large_events_end_a_page_early_and_are_all_read() {
    let log = Arc::new(MemoryLog::default());
    log.append(
        (0..50)
            .map(|_| event("a", "1", EventKind::AgentMessage))
            .collect(),
    );
    let settings = Settings {
        page_events: 16,
        page_bytes: 100,
        page_cache_bytes: 400,
        ..Settings::default()
    };
    let world = World::on(log, settings);
    for after in [0, 3, 17, 49] {
        let start = Start::After(Position(after));
        let mut reader = world.open(start, Filter::all()).await.unwrap();
        reader.catch_up().await;
        assert_eq!(reader.events, (after + 1..=50).collect::<Vec<_>>());
    }
}
