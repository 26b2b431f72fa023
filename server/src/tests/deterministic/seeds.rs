//! The seeds that are run.

use std::{
    env,
    fmt::Write,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    sync::{Mutex, PoisonError},
    thread,
};

use super::{
    plan::Bug,
    run::{Outcome, run},
};

/// How many are run unless `PARLOIR_SEEDS` says otherwise.
const SEEDS: u64 = 2000;

/// Seeds that have failed once, each with what was wrong.
const REGRESSIONS: &[(u64, &str)] = &[
    (13, "what a lost answer to a pull held was overtaken"),
    (131, "what a lost answer to a pull held was overtaken"),
];

/// Failures after which no more seeds are begun.
const ENOUGH: usize = 3;

#[test]
fn every_seed_keeps_the_promises() {
    let seeds = match number("PARLOIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PARLOIR_SEEDS").unwrap_or(SEEDS),
    };
    let count = seeds.end - seeds.start;
    let began = std::time::Instant::now();
    let (failed, events) = all(seeds, None);
    let took = began.elapsed();
    println!("simulated {count} seeds in {took:.1?}: {events} events");
    assert!(failed.is_empty(), "{}", told(&failed));
}

#[test]
fn a_seed_that_failed_once_stays_mended() {
    for (seed, what) in REGRESSIONS {
        let outcome = run(*seed, None);
        assert!(outcome.wrong.is_empty(), "{what}: {}", told(&[outcome]));
    }
}

#[test]
fn a_seed_is_the_same_run_whenever_it_is_run() {
    for seed in 0..50 {
        let (one, other) = (run(seed, None), run(seed, None));
        assert_eq!(
            (one.sum, one.steps, one.events),
            (other.sum, other.steps, other.events),
            "seed {seed}"
        );
    }
}

#[test]
fn a_position_that_is_drawn_before_the_commit_is_found() {
    assert!(found(Bug::EarlyPositions));
}

#[test]
fn an_answer_before_the_commit_is_found() {
    assert!(found(Bug::EarlyAnswers));
}

#[test]
fn an_owner_that_is_not_fenced_is_found() {
    assert!(found(Bug::NoFencing));
}

#[test]
fn an_acknowledgement_that_is_not_kept_is_found() {
    assert!(found(Bug::ForgottenAcks));
}

/// Whether some of the first seeds fails with the bug.
fn found(bug: Bug) -> bool {
    let seed = (0..500).find(|seed| {
        let outcome = run(*seed, Some(bug));
        if let Some(wrong) = outcome.wrong.first() {
            println!("{bug:?} is found by seed {seed}: {wrong}");
        }
        !outcome.wrong.is_empty()
    });
    seed.is_some()
}

/// Runs seeds on all cores. Answers those that failed, and how many events there were.
fn all(seeds: std::ops::Range<u64>, bug: Option<Bug>) -> (Vec<Outcome>, u64) {
    let next = AtomicU64::new(seeds.start);
    let (events, failures) = (AtomicU64::new(0), AtomicUsize::new(0));
    let failed: Mutex<Vec<Outcome>> = Mutex::default();
    let work = || {
        while failures.load(Ordering::Relaxed) < ENOUGH {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = run(seed, bug);
            events.fetch_add(outcome.events, Ordering::Relaxed);
            if !outcome.wrong.is_empty() {
                failures.fetch_add(1, Ordering::Relaxed);
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.push(outcome);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    (failed, events.into_inner())
}

fn told(failed: &[Outcome]) -> String {
    let mut words = String::new();
    for outcome in failed {
        let seed = outcome.seed;
        let _ = writeln!(words, "\nseed {seed} failed: {:?}", outcome.plan);
        for wrong in outcome.wrong.iter().take(8) {
            let _ = writeln!(words, "  {wrong}");
        }
        let _ = writeln!(
            words,
            "  again: PARLOIR_SEED={seed} cargo test -p parloir --lib deterministic::seeds::every -- --nocapture"
        );
        if env::var_os("PARLOIR_SEED").is_some() {
            words.push_str(&outcome.story);
        }
    }
    words
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}
