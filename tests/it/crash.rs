//! Kills the server again and again while calls, webhooks and subscribers run, and holds what everybody wrote down
//! against the log.
//!
//! SIGKILL alone cannot tell whether commits reach the disk, because the kernel keeps what was written; that is what
//! `flush` looks at.

mod agent;
mod callers;
mod facts;
mod followers;
mod recorder;
mod run;
mod webhooks;

use std::{env, fs, path::Path};

use crate::journal::check;
use run::{Plan, Run};

/// Names the seed of a run that is to be repeated.
const SEED: &str = "PARLOIR_CRASH_SEED";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_after_kill() {
    let seed = env::var(SEED).map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a seed is a number"),
    );
    println!("seed {seed}; to repeat: {SEED}={seed} tests/run crash");
    let run = Run::new(seed, Plan::default()).await;
    let ended = run.play().await;
    println!("{}", ended.summary());

    let report = check(&ended.journals, &ended.replay);
    println!("{report}");
    if !report.faults.is_empty() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{seed}"));
        fs::create_dir_all(&folder).expect("a folder for the journals");
        for (number, journal) in ended.journals.iter().enumerate() {
            journal
                .write(&folder.join(format!("{number}.jsonl")))
                .expect("a journal can be written");
        }
        panic!("the journals are in {}", folder.display());
    }
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
