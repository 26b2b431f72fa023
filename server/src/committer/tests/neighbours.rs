//! What units of one batch mean to each other: nothing.

use super::*;

#[tokio::test]
async fn what_waits_is_committed_together() {
    let bench = Bench::new().await;
    let submitted: Vec<_> = (0..100)
        .map(|unit| bench.committer.submit(Does::append(&unit.to_string(), 1)))
        .collect();
    for (unit, answer) in submitted.into_iter().enumerate() {
        let committed = answer.await.expect("committed");
        assert_eq!(committed.output, unit.to_string());
        assert_eq!(committed.first, Position(unit as u64 + 1));
    }
    assert_eq!(bench.published(), [(1..=100).collect::<Vec<_>>()]);
}

#[tokio::test]
async fn a_batch_is_never_larger_than_its_setting() {
    let settings = CommitterSettings {
        max_batch: 4,
        ..CommitterSettings::default()
    };
    let bench = Bench::with(|_| (), settings).await;
    let submitted: Vec<_> = (0..10)
        .map(|unit| bench.committer.submit(Does::append(&unit.to_string(), 1)))
        .collect();
    for answer in submitted {
        answer.await.expect("committed");
    }
    let sizes: Vec<_> = bench.published().iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 4, 2]);
}

#[tokio::test]
async fn a_neighbour_that_fails_changes_nothing() {
    for saves in [false, true] {
        let bench = Bench::new().await;
        let bad = Does {
            fails: true,
            saves,
            ..Does::append("bad", 3)
        };
        let good = |name: &str| Does {
            saves: true,
            ..Does::append(name, 2)
        };
        let first = bench.committer.submit(good("first"));
        let failed = bench.committer.submit(bad);
        let last = bench.committer.submit(good("last"));
        let (first, failed, last) = (first.await, failed.await, last.await);
        assert!(matches!(failed, Err(Error::Invalid(_))));
        assert_eq!(first.expect("committed").first, Position(1));
        let last = last.expect("committed");
        assert_eq!(
            (last.position(0), last.position(1)),
            (Position(3), Position(4))
        );
        assert_eq!(bench.published(), [[1, 2, 3, 4]], "one commit");
        let store = &bench.scratch.store;
        assert_eq!(store.conversation(&key("bad")).await, Ok(None));
        assert!(
            store
                .conversation(&key("last"))
                .await
                .expect("reads")
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_unit_that_panics_is_answered_and_its_neighbours_are_committed() {
    let bench = Bench::new().await;
    let bad = Does {
        panics: true,
        saves: true,
        ..Does::append("bad", 1)
    };
    let first = bench.committer.submit(Does::append("first", 1));
    let panicked = bench.committer.submit(bad);
    let last = bench.committer.submit(Does::append("last", 1));
    assert_eq!(panicked.await, Err(Error::Internal));
    assert_eq!(first.await.expect("committed").first, Position(1));
    assert_eq!(last.await.expect("committed").first, Position(2));
    let store = &bench.scratch.store;
    assert_eq!(store.conversation(&key("bad")).await, Ok(None));
}

#[tokio::test]
async fn a_unit_whose_events_are_refused_is_found_and_told() {
    let bench = Bench::new().await;
    let once = bench.committer.submit(Does::append("c", 1));
    // The same sequence of the same conversation again.
    let twice = bench.committer.submit(Does::append("c", 1));
    let other = bench.committer.submit(Does::append("d", 1));
    assert_eq!(once.await.expect("committed").first, Position(1));
    assert_eq!(twice.await, Err(Error::Internal));
    assert_eq!(other.await.expect("committed").first, Position(2));
}

#[tokio::test]
async fn a_unit_without_events_is_answered_as_well() {
    let bench = Bench::new().await;
    let unit = Does {
        saves: true,
        ..Does::append("c", 0)
    };
    let committed = bench.committer.submit(unit).await;
    assert_eq!(committed.expect("committed").output, "c");
    let saved = bench.scratch.store.conversation(&key("c")).await;
    assert!(saved.expect("reads").is_some());
}
