//! How much is played, and by which seed: tests that draw lots, or that would take hours, ask here.

use std::env;

/// Whether everything is played in full numbers, as `tests/full` does: `PARLOIR_FULL=1`.
pub fn is_full() -> bool {
    env::var("PARLOIR_FULL").is_ok_and(|full| full == "1")
}

/// The seed of a run of this test: `PARLOIR_SEED`, or any. Says how to repeat it.
pub fn seed(test: &str) -> u64 {
    let seed = env::var("PARLOIR_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a seed is a number"),
    );
    let full = if is_full() { "PARLOIR_FULL=1 " } else { "" };
    println!(
        "seed {seed}; to repeat: {full}PARLOIR_SEED={seed} cargo test --test it -- --nocapture {test}"
    );
    seed
}
