//! `parloir delete-user-data` against the simulated platform.

use clap::Parser;
use serde_json::Value;

use super::{
    super::{Cli, tests::platform::Stage},
    *,
};
use crate::simulate::Fault;

fn ids(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("id-{number}")).collect()
}

async fn deleted(stage: &Stage, ids: &[String]) -> (String, Result<()>) {
    let user_data = UserData::new(&stage.settings).expect("valid");
    let mut out = Vec::new();
    let done = delete(&user_data, ids, &mut out).await;
    (String::from_utf8(out).expect("text"), done)
}

#[tokio::test]
async fn check_97_conversations_are_deleted_a_hundred_at_a_time() {
    let stage = Stage::start().await;
    let (said, done) = deleted(&stage, &ids(201)).await;
    done.expect("accepted");
    assert_eq!(
        said,
        "1 to 100 of 201: accepted\n101 to 200 of 201: accepted\n201 to 201 of 201: accepted\n"
    );
    let seen = stage.simulator.requests();
    let sent: Vec<Value> = seen
        .iter()
        .filter_map(|request| request.json()["conversationIds"].as_array().cloned())
        .flatten()
        .collect();
    assert_eq!(sent, ids(201));
}

#[tokio::test]
async fn a_batch_that_fails_is_told_and_the_others_are_sent() {
    let stage = Stage::start().await;
    stage.simulator.faults().push(&Fault::status(500));
    let (said, done) = deleted(&stage, &ids(101)).await;
    let error = done.expect_err("some were not accepted").to_string();
    assert!(error.starts_with("100 of 101 were not accepted"), "{error}");
    assert!(
        said.starts_with("1 to 100 of 101: the platform answered 500"),
        "{said}"
    );
    assert!(said.ends_with("101 to 101 of 101: accepted\n"), "{said}");
}

#[tokio::test]
async fn refused_credentials_are_shown_once() {
    let stage = Stage::start().await;
    stage
        .simulator
        .set_key(super::super::tests::platform::BOT, "new-key");
    let (said, done) = deleted(&stage, &ids(300)).await;
    let error = done.expect_err("refused").to_string();
    assert!(error.starts_with("300 of 300 were not accepted"), "{error}");
    assert!(said.contains("refused the credentials (401"), "{said}");
    assert_eq!(stage.simulator.requests().len(), 1);
}

#[test]
fn only_a_yes_deletes() {
    let asked = |answer: &str| {
        let mut out = Vec::new();
        let confirmed = confirmed(&mut answer.as_bytes(), &mut out, 2, "support");
        let said = String::from_utf8(out).expect("text");
        assert!(
            said.contains("2 conversations of agent \"support\""),
            "{said}"
        );
        confirmed.expect("an answer")
    };
    for yes in ["y\n", "Yes\n", " yes "] {
        assert!(asked(yes), "{yes:?}");
    }
    for no in ["", "\n", "n\n", "no\n", "yes please\n"] {
        assert!(!asked(no), "{no:?}");
    }
}

#[test]
fn check_98_a_command_line_without_conversations_is_refused() {
    let parsed = |ids: &[&str]| {
        let line = ["parloir", "delete-user-data", "--agent", "support"];
        Cli::try_parse_from(line.iter().chain(ids))
    };
    assert!(parsed(&[]).is_err());
    assert!(parsed(&["65f0a"]).is_ok());
}
