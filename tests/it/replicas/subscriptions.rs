//! A named subscription whose members are at several replicas: one order, one owner of each event, whoever holds what.

use super::stage::{Stage, Wishes};
use crate::{
    subscriptions::group::{Door, die_at_random},
    support::platform::FakeServer,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_at_two_replicas_die_at_random_and_nothing_is_lost_or_out_of_order() {
    let platform = FakeServer::start().await;
    let stage = Stage::running(&platform.url(), 2, Wishes::default()).await;
    let doors = stage.replicas.iter().map(|replica| Door {
        url: replica.setup.grpc_url(),
        webhooks: replica.setup.webhooks,
    });
    die_at_random(doors.collect()).await;
}
