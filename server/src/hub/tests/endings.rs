//! Ends of streams: lifetime, shutdown, caps.

use std::time::Duration;

use tokio::time::Instant;

use super::support::World;
use crate::{
    domain::{Error, Position},
    hub::{Filter, Leave, Notice, Settings, Start},
};

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_its_lifetime_with_a_place_to_resume() {
    let world = World::new(Settings {
        lifetime: Duration::from_secs(100),
        ..Settings::default()
    });
    let mut lifetimes = Vec::new();
    for _ in 0..20 {
        let mut reader = world.open(Start::Latest, Filter::all()).await.unwrap();
        let (begun, lifetime) = (Instant::now(), reader.subscription.terms().lifetime);
        let range = Duration::from_secs(80)..=Duration::from_secs(100);
        assert!(range.contains(&lifetime), "{lifetime:?}");
        let last = loop {
            let notice = reader.next().await;
            if let Notice::GoingAway { .. } = notice {
                break notice;
            }
        };
        let going = Notice::GoingAway {
            resume: Position(0),
            reconnect_after: Duration::ZERO,
            reason: Leave::Lifetime,
        };
        assert_eq!(last, going);
        assert!(begun.elapsed().abs_diff(lifetime) <= Duration::from_millis(250));
        lifetimes.push(lifetime);
    }
    lifetimes.dedup();
    assert!(lifetimes.len() > 10, "spread: {lifetimes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_goodbye_to_all_within_its_time_and_takes_no_new_ones() {
    let world = World::new(Settings::default());
    let mut readers = Vec::new();
    for _ in 0..200 {
        readers.push(world.open(Start::Latest, Filter::all()).await.unwrap());
    }
    let mut reading = Vec::new();
    for mut reader in readers {
        reading.push(tokio::spawn(async move {
            loop {
                if let Notice::GoingAway {
                    resume,
                    reconnect_after,
                    reason,
                } = reader.next().await
                {
                    return (resume, reconnect_after, reason, Instant::now());
                }
            }
        }));
    }
    let begun = Instant::now();
    let spread = Duration::from_secs(2);
    world.hub.shut_down(spread).await;
    assert!(begun.elapsed() <= spread);
    let (mut early, mut late) = (0, 0);
    for reader in reading {
        let (resume, reconnect_after, reason, at) = reader.await.unwrap();
        assert_eq!((resume, reason), (Position(0), Leave::Shutdown));
        assert!(reconnect_after <= spread);
        if at - begun < spread / 2 {
            early += 1;
        } else {
            late += 1;
        }
    }
    assert!(early >= 60 && late >= 60, "{early} and {late}");
    let refused = world.open(Start::Latest, Filter::all()).await;
    assert_eq!(refused.err(), Some(Error::Stopping));
    assert_eq!(world.hub.streams(), 0);
}

#[tokio::test]
async fn a_reader_that_has_not_read_everything_is_told_to_resume_before_it() {
    let world = World::new(Settings {
        max_frame_bytes: 100,
        ..Settings::default()
    });
    let mut reader = world.open(Start::Latest, Filter::all()).await.unwrap();
    reader.catch_up().await;
    world.publish_some(10);
    reader.next().await;
    let seen = *reader.events.last().expect("one at least");
    assert!(seen < 10);
    world.hub.shut_down(Duration::ZERO).await;
    let Notice::GoingAway { resume, .. } = reader.next().await else {
        panic!("goodbye")
    };
    assert_eq!(resume, Position(seen));
}

#[tokio::test]
async fn one_stream_too_many_is_refused_and_a_closed_one_makes_room() {
    let world = World::new(Settings {
        max_streams: 2,
        ..Settings::default()
    });
    let open = || world.open(Start::Latest, Filter::all());
    let first = open().await.unwrap();
    let _second = open().await.unwrap();
    let full = Error::Limit {
        setting: "max_streams",
        limit: 2,
    };
    assert_eq!(open().await.err(), Some(full));
    drop(first);
    assert!(open().await.is_ok());
}
