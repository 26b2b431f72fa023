//! A store that cannot do its work.

use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::*;

#[tokio::test]
async fn a_full_disk_is_told_reads_go_on_and_space_helps() {
    let bench = Bench::in_file(
        |settings| settings.max_pages = Some(120),
        CommitterSettings::default(),
    )
    .await;
    let large = |unit: u64| Does {
        size: 20_000,
        ..Does::append(&unit.to_string(), 1)
    };
    let mut written = 0;
    let error = loop {
        match bench.committer.submit(large(written)).await {
            Ok(committed) => written = committed.first.0,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::StoreFull);
    assert!(written > 1);
    assert_eq!(bench.newest().await, written);
    let page = bench.scratch.store.page(Position(0), 1000, 1 << 30).await;
    assert_eq!(page.expect("reads").len() as u64, written);
    bench.committer.submit(Trim(2)).await.expect("deletes");
    let committed = bench.committer.submit(large(written)).await;
    assert_eq!(committed.expect("committed").first, Position(written + 1));
    assert!(!bench.fatal.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_commit_that_may_or_may_not_be_made_stops_everything() {
    let bench = Bench::in_file(|_| (), CommitterSettings::default()).await;
    bench
        .committer
        .submit(Does::append("before", 1))
        .await
        .expect("committed");
    // A constraint that is looked at no earlier than in COMMIT, which we have none of.
    let db = bench.scratch.behind().await;
    db.execute_unprepared(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER orphan AFTER INSERT ON event BEGIN INSERT INTO child VALUES (1); END;",
    )
    .await
    .expect("runs");
    db.close().await.expect("closes");
    let one = bench.committer.submit(Does::append("one", 1));
    let two = bench.committer.submit(Does::append("two", 1));
    assert_eq!(one.await, Err(Error::StoreUnavailable));
    assert_eq!(two.await, Err(Error::StoreUnavailable));
    bench.committer.drain().await;
    assert!(bench.fatal.load(Ordering::SeqCst));
    let late = bench.committer.submit(Does::append("late", 1)).await;
    assert_eq!(late, Err(Error::StoreUnavailable));
    assert_eq!(bench.published(), [[1]]);
    assert_eq!(bench.newest().await, 1);
    // The store itself has a fresh connection to write with.
    let mut tx = bench.scratch.store.begin().await.expect("begins");
    assert!(tx.conversation(&key("one")).await.is_ok());
}

#[tokio::test]
async fn too_much_that_waits_is_refused_at_once_and_its_age_is_known() {
    let settings = CommitterSettings {
        max_waiting: 2,
        ..CommitterSettings::default()
    };
    let bench = Bench::with(|_| (), settings).await;
    assert_eq!(bench.committer.stalled_for(), Duration::ZERO);
    let go = Arc::new(AtomicBool::new(false));
    let slow = bench.committer.submit(Does {
        waits_for: Some(Arc::clone(&go)),
        ..Does::append("slow", 1)
    });
    // Taken out of the queue as soon as the task runs.
    tokio::task::yield_now().await;
    let waiting: Vec<_> = (0..2)
        .map(|unit| bench.committer.submit(Does::append(&unit.to_string(), 1)))
        .collect();
    let refused = bench.committer.submit(Does::append("refused", 1));
    assert_eq!(refused.await, Err(Error::StoreUnavailable));
    while bench.committer.stalled_for() < Duration::from_millis(20) {
        tokio::task::yield_now().await;
    }
    go.store(true, Ordering::SeqCst);
    assert!(slow.await.is_ok());
    for answer in waiting {
        assert!(answer.await.is_ok());
    }
    bench.committer.drain().await;
    assert_eq!(bench.committer.stalled_for(), Duration::ZERO);
}

#[tokio::test]
async fn the_task_ends_and_lets_go_of_the_store_when_nobody_can_submit() {
    let Bench {
        scratch, committer, ..
    } = Bench::new().await;
    let answer = committer.submit(Does::append("c", 1));
    drop(committer);
    assert!(answer.await.is_ok());
    while Arc::strong_count(&scratch.store) > 1 {
        tokio::task::yield_now().await;
    }
}

/// Removes the oldest events.
struct Trim(usize);

#[async_trait]
impl Unit for Trim {
    type Output = usize;

    async fn run(&self, tx: &mut dyn Transaction) -> Result<usize> {
        let now = tx.now();
        tx.trim_log(now + Duration::from_secs(1), self.0).await
    }
}
