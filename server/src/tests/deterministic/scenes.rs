//! Scenes that chance would seldom play, each told from its beginning to its end.

use std::{future::poll_fn, sync::Arc, time::Duration};

use super::{
    chance::Chance,
    members,
    plan::Plan,
    replica::Replica,
    run::{end, in_virtual_time, serve},
    world::World,
};
use crate::{
    domain::{Error, Id, Result},
    hub::Leave,
    subscriptions::{Mail, MemberStream},
};

/// Replicas that serve, and no trouble but what the scene makes.
async fn stage(replicas: usize, max_members: usize) -> (Arc<World>, Vec<Arc<Replica>>) {
    let chance = Chance::new(1);
    let plan = Plan {
        replicas,
        max_members,
        bells_lost: 0,
        reads_failing: 0,
        bodies_failing: 0,
        commits_unclear: 0,
        ..Plan::draw(&chance)
    };
    let world = World::new(plan, chance, None);
    serve(&world);
    while world.serving().len() < replicas {
        world.turns.after(Duration::from_millis(10)).await;
    }
    let serving = world.serving();
    (world, serving)
}

async fn open(world: &World, replica: &Replica, member: &str) -> Result<MemberStream> {
    let (key, creation) = (members::key(), members::creation(world));
    let opened = replica
        .subscriptions
        .open(key, Id::trusted(member), creation, (8, None));
    opened.await
}

/// How a stream ends.
async fn last(stream: &MemberStream) -> Mail {
    loop {
        let mail = poll_fn(|context| stream.poll(context)).await;
        if matches!(mail, Mail::GoingAway { .. } | Mail::Failed(_)) {
            return mail;
        }
    }
}

#[test]
fn a_member_that_wakes_to_a_full_subscription_is_told_so() {
    in_virtual_time(1, async {
        let (world, replicas) = stage(2, 1).await;
        let asleep = open(&world, &replicas[0], "a").await.expect("a stream");
        replicas[0].life.stand_still(true);
        let _other = loop {
            match open(&world, &replicas[1], "b").await {
                Ok(stream) => break stream,
                // Until the lease of the first one is over.
                Err(Error::Limit { .. }) => world.turns.after(Duration::from_secs(1)).await,
                Err(error) => panic!("{error}"),
            }
        };
        replicas[0].life.stand_still(false);
        let told = tokio::time::timeout(Duration::from_mins(1), last(&asleep)).await;
        let Ok(Mail::Failed(Error::Limit { setting, .. })) = told else {
            panic!("it was told {told:?}");
        };
        assert_eq!(setting, "subscriptions.max_members");
        end(&world);
    });
}

#[test]
fn members_come_back_spread_over_the_time_of_a_stop() {
    in_virtual_time(1, async {
        let (world, replicas) = stage(1, 100).await;
        let mut streams = Vec::new();
        for number in 0..40 {
            let member = format!("m{number}");
            streams.push(open(&world, &replicas[0], &member).await.expect("a stream"));
        }
        let subscriptions = &replicas[0].subscriptions;
        assert_eq!(subscriptions.streams(), 40);
        let spread = Duration::from_secs(2);
        subscriptions.shut_down(spread).await;
        let mut late = 0;
        for stream in &streams {
            let told = last(stream).await;
            let Mail::GoingAway {
                reconnect_after,
                reason: Leave::Shutdown,
                ..
            } = told
            else {
                panic!("it was told {told:?}");
            };
            assert!(reconnect_after <= spread);
            late += u32::from(reconnect_after > spread / 2);
        }
        assert!((10..=30).contains(&late), "{late} of 40 come late");
        drop(streams);
        assert_eq!(subscriptions.streams(), 0);
        end(&world);
    });
}
