//! Replicas that start together, and beside those of another version.

use std::time::Duration;

use tokio::time::timeout;

use super::stage::{Stage, Wishes};
use crate::{
    process::ACCOUNT,
    support::{platform::FakeServer, server::state},
};

const SOON: Duration = Duration::from_secs(10);

/// Every replica takes commands, and reads what the others took.
async fn all_serve(stage: &Stage, name: &str) {
    for number in 0..stage.replicas.len() {
        let conversation = format!("{name}-{number}");
        let client = stage.client(number);
        state(
            &client
                .say(ACCOUNT, &conversation, &conversation, "one")
                .await,
        );
        for reader in 0..stage.replicas.len() {
            let client = stage.client(reader);
            let read = async {
                let known = client.conversation(ACCOUNT, &conversation);
                known.await.expect("an answer").expect("a conversation")
            };
            timeout(SOON, read).await.expect("an answer in time");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_replicas_that_start_at_once_on_an_empty_database_all_serve() {
    let platform = FakeServer::start().await;
    let stage = Stage::running(&platform.url(), 4, Wishes::default()).await;
    all_serve(&stage, "C").await;
    let steps = "SELECT count(*) - count(DISTINCT version) FROM seaql_migrations";
    assert_eq!(
        stage.postgres.count(steps).await,
        0,
        "each step is taken once"
    );
    // One database, one key under which all of them hash and seal.
    for table in ["meta", "log_head"] {
        let rows = format!("SELECT count(*) FROM {table}");
        assert_eq!(stage.postgres.count(&rows).await, 1, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_of_this_version_start_and_serve_beside_those_of_a_newer_one() {
    let platform = FakeServer::start().await;
    let mut stage = Stage::new(&platform.url(), 2, Wishes::default()).await;
    stage.replicas[0].start(&[]);
    stage.replicas[0].ready().await;
    // As a newer version would: its steps only add.
    for sql in [
        "ALTER TABLE event ADD COLUMN later TEXT",
        "ALTER TABLE conversation ADD COLUMN later BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE delivery ADD COLUMN later TEXT",
        "CREATE TABLE later (id BIGINT PRIMARY KEY)",
        "INSERT INTO seaql_migrations VALUES ('m29991231_000001_later', 0)",
    ] {
        stage.postgres.ask(sql).await;
    }
    stage.replicas[1].start(&[]);
    stage.replicas[1].ready().await;
    all_serve(&stage, "C").await;
    let words = stage.replicas[1].server().last_words();
    assert!(words.contains("newer version"), "{words}");
}
