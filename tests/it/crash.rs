//! Kills the server again and again while calls, webhooks and subscribers run, and holds what everybody wrote down
//! against the log.
//!
//! SIGKILL alone cannot tell whether commits reach the disk, because the kernel keeps what was written; that is what
//! `flush` looks at.

pub mod agent;
pub mod callers;
pub mod facts;
pub mod followers;
pub mod gallery;
pub mod load;
pub mod recorder;
mod run;
pub mod webhooks;

use std::{env, fs, path::Path};

use crate::{
    full::is_full,
    journal::{Journal, Logged, Report, check},
};
use run::{Plan, Run};

/// Names the seed of a run that is to be repeated.
const SEED: &str = "PARLOIR_CRASH_SEED";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_after_kill() {
    let seed = env::var(SEED).map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a seed is a number"),
    );
    let (full, plan) = if is_full() {
        ("PARLOIR_FULL=1 ", Plan::full())
    } else {
        ("", Plan::default())
    };
    println!("seed {seed}; to repeat: {full}{SEED}={seed} tests/run crash");
    let run = Run::new(seed, plan).await;
    let ended = run.play().await;
    println!("{}", ended.summary());

    let report = verdict("crash", seed, &ended.journals, &ended.replay);
    assert!(ended.kills >= ended.plan.kills && ended.loaded_kills >= ended.plan.loaded_kills);
    assert!(
        report.acknowledged > ended.plan.kills,
        "hardly anything was under way"
    );
    // Everybody was there: an empty journal has no faults either.
    assert!(
        ended.resumed > ended.plan.kills,
        "subscribers hardly reconnected"
    );
}

/// Prints what the checker finds; where that is a fault, keeps the journals and fails.
pub fn verdict(name: &str, seed: u64, journals: &[Journal], replay: &[Logged]) -> Report {
    let report = check(journals, replay);
    println!("{report}");
    if !report.faults.is_empty() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{seed}"));
        fs::create_dir_all(&folder).expect("a folder for the journals");
        for (number, journal) in journals.iter().enumerate() {
            journal
                .write(&folder.join(format!("{number}.jsonl")))
                .expect("a journal can be written");
        }
        panic!("the journals are in {}", folder.display());
    }
    report
}
