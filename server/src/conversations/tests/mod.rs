//! Anything may happen in any order, and the process may die in between: there is one owner, under an epoch that grows,
//! and nothing is delivered under an old one.

mod callers;
mod cases;
mod ledger;
mod outside;
mod play;
mod rest;
mod rules;
mod setup;
mod steps;
mod there;
mod witness;
mod words;
mod world;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError},
};

use play::Play;
use setup::{Setup, setups};
use steps::{Step, histories};
use world::World;

/// As many as take about ten seconds on two busy cores; `PROPTEST_CASES` asks for more.
const CASES: u32 = 96;

fn config() -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    Config {
        cases: asked.and_then(|cases| cases.parse().ok()).unwrap_or(CASES),
        // A failing history is shown whole; what is found becomes a test of its own.
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn there_is_one_owner_and_nothing_is_delivered_under_an_old_epoch(
        setup in setups(),
        history in histories(),
    ) {
        play(setup, &history)?;
    }
}

/// Plays a history to its end and checks the rules after each step.
fn play(setup: Setup, history: &[(Step, bool)]) -> Result<(), TestCaseError> {
    let mut play = Play::new(World::new(setup));
    for (step, comes_to_rest) in history {
        play.step(step, *comes_to_rest);
        verdict(&play.world)?;
    }
    play.world.come_to_rest();
    verdict(&play.world)
}

fn verdict(world: &World) -> Result<(), TestCaseError> {
    let ledger = world.ledger.lock();
    if ledger.wrong.is_empty() {
        return Ok(());
    }
    let wrong = ledger.wrong.join("\n  ");
    let story = &ledger.story;
    Err(TestCaseError::fail(format!(
        "\n  {wrong}\nwhat happened:\n{story}"
    )))
}
