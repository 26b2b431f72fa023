//! One order for all, whoever waits and whoever does not.

use super::*;
use crate::domain::Id;

#[tokio::test]
async fn a_unit_is_committed_also_when_nobody_waits_for_it_any_more() {
    let bench = Bench::new().await;
    drop(bench.committer.submit(Does::append("dropped", 1)));
    let next = bench.committer.submit(Does::append("next", 1)).await;
    assert_eq!(next.expect("committed").first, Position(2));
}

#[tokio::test]
async fn a_commit_is_published_before_it_is_answered() {
    let bench = Bench::new().await;
    for newest in 1..=20 {
        let unit = Does::append(&newest.to_string(), 1);
        bench.committer.submit(unit).await.expect("committed");
        let published = bench.published().concat();
        assert_eq!(published, (1..=newest).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn positions_have_no_gaps_however_many_submit_and_fail() {
    let bench = Bench::new().await;
    let callers = (0..8).map(|caller| {
        let committer = bench.committer.clone();
        tokio::spawn(async move {
            let mut draw = fastrand::Rng::with_seed(caller);
            let mut mine = Vec::new();
            for unit in 0..40 {
                let does = Does {
                    fails: draw.u8(..4) == 0,
                    saves: draw.bool(),
                    ..Does::append(&format!("{caller}-{unit}"), draw.u64(..4))
                };
                let (name, events, fails) = (does.key().id, does.events, does.fails);
                match committer.submit(does).await {
                    Ok(done) if events > 0 => mine.push((name, events, done.first)),
                    answer => assert_eq!(answer.is_err(), fails),
                }
            }
            mine
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut told = Vec::new();
    for caller in callers {
        told.extend(caller.await.expect("ends"));
    }
    told.sort_by_key(|(_, _, first)| *first);
    let newest = bench.newest().await;
    let log = bench
        .scratch
        .store
        .page(Position(0), 10_000, 1 << 30)
        .await
        .expect("reads");
    assert_eq!(log.len() as u64, newest);
    let mut next = Position(1);
    for (name, events, first) in told {
        assert_eq!(first, next, "no gap and no overlap");
        next = Position(first.0 + events);
        for position in first.0..next.0 {
            let at = usize::try_from(position - 1).expect("small");
            assert_eq!(log[at].position, Position(position));
            assert_eq!(
                log[at].conversation_id.as_ref().map(Id::as_str),
                Some(name.as_str())
            );
        }
    }
    assert_eq!(next, Position(newest + 1));
    assert_eq!(bench.published().concat(), (1..=newest).collect::<Vec<_>>());
}

#[tokio::test]
async fn draining_refuses_what_is_new_and_finishes_what_is_there() {
    let bench = Bench::new().await;
    let before = bench.committer.submit(Does::append("before", 1));
    let drained = bench.committer.clone();
    let drained = tokio::spawn(async move { drained.drain().await });
    tokio::task::yield_now().await;
    let after = bench.committer.submit(Does::append("after", 1));
    assert_eq!(after.await, Err(Error::Stopping));
    assert!(before.await.is_ok());
    drained.await.expect("ends");
    bench.committer.drain().await;
    assert_eq!(bench.newest().await, 1);
}
