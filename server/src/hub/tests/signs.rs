//! Signs of life: checkpoints and the clock of the streams.

use std::time::Duration;

use tokio::time::Instant;

use super::support::{World, ids};
use crate::{
    domain::Position,
    hub::{Filter, Notice, OnExpired, Settings, Start, Wish},
};

fn wish(filter: Filter, seconds: u64) -> Wish {
    Wish {
        filter,
        start: Start::Latest,
        on_expired: OnExpired::Fail,
        heartbeat: Some(Duration::from_secs(seconds)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_gives_a_sign_of_life_within_each_heartbeat() {
    let world = World::new(Settings::default());
    for seconds in [1, 15, 60] {
        let mut reader = world.open_as(wish(Filter::all(), seconds)).await.unwrap();
        let heartbeat = Duration::from_secs(seconds);
        assert_eq!(reader.subscription.terms().heartbeat, heartbeat);
        reader.catch_up().await;
        for _ in 0..5 {
            let since = Instant::now();
            assert_eq!(reader.next().await, Notice::Checkpoint(Position(0)));
            assert!(since.elapsed() <= heartbeat, "{:?}", since.elapsed());
            assert!(since.elapsed() * 2 >= heartbeat, "{:?}", since.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_with_traffic_gives_no_checkpoint() {
    let world = World::new(Settings::default());
    let mut reader = world.open_as(wish(Filter::all(), 2)).await.unwrap();
    reader.catch_up().await;
    for count in 1..=20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.publish_some(1);
        assert!(matches!(reader.next().await, Notice::Events(_)));
        assert_eq!(reader.events.len(), count);
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_moves_on_when_everything_was_filtered_out() {
    let world = World::new(Settings::default());
    let filter = world.filter(ids(&["b"]), Vec::new(), &[]);
    let mut reader = world.open_as(wish(filter, 15)).await.unwrap();
    reader.catch_up().await;
    world.publish_some(77);
    assert_eq!(reader.next().await, Notice::Checkpoint(Position(77)));
}

#[tokio::test(start_paused = true)]
async fn everyone_is_given_a_checkpoint_when_asked() {
    let world = World::new(Settings::default());
    let filter = world.filter(ids(&["b"]), Vec::new(), &[]);
    let mut idle = world.open(Start::Latest, filter).await.unwrap();
    let mut busy = world.open(Start::Latest, Filter::all()).await.unwrap();
    idle.catch_up().await;
    busy.catch_up().await;
    world.publish_some(5);
    world.hub.checkpoint_all();
    assert_eq!(idle.ready().await, Some(Notice::Checkpoint(Position(5))));
    // What is there goes first, so that the checkpoint is true.
    assert!(matches!(busy.ready().await, Some(Notice::Events(_))));
    assert_eq!(busy.ready().await, Some(Notice::Checkpoint(Position(5))));
    assert_eq!(busy.ready().await, None);
}
