//! What happens when the database cannot do its work.

use super::*;
use crate::domain::{Error, Position};

#[tokio::test]
async fn a_transaction_that_is_rolled_back_changes_nothing() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    tx.append(event("c", 1, 1));
    tx.save_conversation(&conversation("c", 1))
        .await
        .expect("saves");
    tx.write_events().await.expect("writes");
    tx.roll_back().await.expect("rolls back");
    assert_eq!(scratch.store.bounds().await, Ok((Position(1), Position(0))));
    assert_eq!(scratch.store.conversation(&key("c")).await, Ok(None));
}

#[tokio::test]
async fn what_a_unit_only_appended_can_be_taken_back() {
    let scratch = Scratch::new().await;
    let batch = scratch
        .commit(async |tx| {
            tx.mark();
            assert_eq!(tx.append(event("c", 1, 1)), 0);
            let second = tx.mark();
            assert_eq!(tx.append(event("d", 1, 1)), 0);
            assert_eq!(tx.append(event("d", 2, 1)), 1);
            assert!(tx.take_back(second));
            let third = tx.mark();
            assert_eq!(tx.append(event("c", 2, 1)), 0);
            tx.save_conversation(&conversation("c", 1))
                .await
                .expect("saves");
            assert!(!tx.take_back(third), "rows were written");
        })
        .await;
    let sequences: Vec<_> = batch
        .facts
        .iter()
        .map(|event| event.fact.sequence)
        .collect();
    assert_eq!(sequences, [1, 2]);
    assert_eq!(batch.events[1].position, Position(2));
}

#[tokio::test]
async fn a_sequence_that_comes_twice_is_refused_before_the_commit() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    tx.append(event("c", 1, 1));
    tx.append(event("c", 1, 1));
    assert_eq!(tx.write_events().await, Err(Error::Internal));
    let mark = tx.mark();
    assert!(
        !tx.take_back(mark),
        "a failed statement spoils the transaction"
    );
    assert_eq!(tx.commit().await.err(), Some(Error::Internal));
    scratch
        .commit(async |tx| _ = tx.append(event("c", 1, 1)))
        .await;
}

#[tokio::test]
async fn a_full_disk_is_told_reads_go_on_and_space_helps() {
    let scratch = Scratch::in_file(|settings| settings.max_pages = Some(120)).await;
    let mut sequence = 0;
    let error = loop {
        let mut tx = scratch.store.begin().await.expect("begins");
        tx.append(event("c", sequence + 1, 20_000));
        if let Err(error) = tx.write_events().await {
            tx.roll_back().await.expect("rolls back");
            break error;
        }
        tx.commit().await.expect("commits");
        sequence += 1;
    };
    assert_eq!(error, Error::StoreFull);
    assert!(sequence > 1);
    let written = Position(sequence);
    assert_eq!(scratch.store.bounds().await, Ok((Position(1), written)));
    let page = scratch.store.page(Position(0), 1000, 1 << 30).await;
    assert_eq!(page.expect("reads").len() as u64, sequence);
    scratch.clock.set(2_000_000);
    scratch
        .commit(async |tx| {
            let removed = tx.trim_log(Timestamp(2_000_000), 2).await;
            assert_eq!(removed, Ok(2));
        })
        .await;
    let batch = scratch
        .commit(async |tx| _ = tx.append(event("c", sequence + 1, 20_000)))
        .await;
    assert_eq!(batch.events[0].position, written.next());
}

#[tokio::test]
async fn a_transaction_that_is_dropped_frees_the_writer() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    tx.save_conversation(&conversation("c", 1))
        .await
        .expect("saves");
    drop(tx);
    scratch
        .commit(async |tx| _ = tx.append(event("c", 1, 1)))
        .await;
    assert_eq!(scratch.store.conversation(&key("c")).await, Ok(None));
}
