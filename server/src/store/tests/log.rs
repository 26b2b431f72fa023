//! The log: positions, pages, queries.

use parloir_proto::v1;
use prost::Message;

use super::*;
use crate::domain::{EventKind, Position, VisitorContent, VisitorMessage, query::EventQuery};

/// Everything after `after`, in pages of `limit` events and `max_bytes` bytes.
async fn pages(store: &SqlStore, limit: usize, max_bytes: usize) -> Vec<Vec<u64>> {
    let mut pages: Vec<Vec<u64>> = Vec::new();
    let mut after = Position(0);
    loop {
        let page = store.page(after, limit, max_bytes).await.expect("reads");
        let Some(last) = page.last() else {
            return pages;
        };
        after = last.position;
        pages.push(page.iter().map(|event| event.position.0).collect());
    }
}

#[tokio::test]
async fn positions_are_gap_free_and_in_commit_order() {
    let scratch = Scratch::new().await;
    assert_eq!(scratch.store.bounds().await, Ok((Position(1), Position(0))));
    let mut sequence = 0;
    // More than one group of rows, and no full one.
    for count in [1, 700, 3] {
        let batch = scratch
            .commit(async |tx| {
                for _ in 0..count {
                    sequence += 1;
                    tx.append(event("c", sequence, 10));
                }
            })
            .await;
        assert_eq!(batch.events.len(), count);
        assert_eq!(batch.facts.len(), count);
    }
    let all = scratch.store.page(Position(0), 1000, usize::MAX >> 1).await;
    let positions: Vec<_> = all
        .expect("reads")
        .iter()
        .map(|event| event.position.0)
        .collect();
    assert_eq!(positions, (1..=704).collect::<Vec<_>>());
    assert_eq!(
        scratch.store.bounds().await,
        Ok((Position(1), Position(704)))
    );
}

#[tokio::test]
async fn what_a_commit_hands_out_is_what_is_read_back() {
    let scratch = Scratch::new().await;
    let lonely = NewEvent {
        key: None,
        sequence: 0,
        session: 0,
        ..event("c", 0, 3)
    };
    let batch = scratch
        .commit(async |tx| {
            tx.append(NewEvent {
                traceparent: "00-1-2-01".into(),
                superseded: true,
                owner_epoch: 9,
                ..event("c", 1, 3)
            });
            tx.append(lonely.clone());
            tx.append(NewEvent {
                event_id: Id::generate(),
                ..lonely
            });
        })
        .await;
    let page = scratch.store.page(Position(0), 10, 1 << 20).await;
    assert_eq!(page, Ok(batch.events.clone()));
    for (stored, fact) in batch.events.iter().zip(&batch.facts) {
        let wire = v1::Event::decode(stored.bytes.clone()).expect("an event");
        assert_eq!(wire.event_id, fact.fact.event_id.as_str());
        assert_eq!(wire.sequence, fact.fact.sequence);
        assert!(wire.body.is_some());
        let mut tx = scratch.store.begin().await.expect("begins");
        let found = tx.event_by_id(&wire.event_id).await.expect("reads");
        assert_eq!(found.as_ref(), Some(fact.as_ref()));
        tx.roll_back().await.expect("rolls back");
    }
}

#[tokio::test]
async fn a_transaction_sees_what_it_appended_as_it_will_be() {
    let scratch = Scratch::new().await;
    scratch
        .commit(async |tx| _ = tx.append(event("c", 1, 1)))
        .await;
    let mut tx = scratch.store.begin().await.expect("begins");
    let second = event("c", 2, 1);
    let event_id = second.event_id.clone();
    tx.append(second);
    let early = tx.event(&key("c"), 2).await.expect("reads").expect("there");
    let by_id = tx.event_by_id(event_id.as_str()).await.expect("reads");
    assert_eq!(by_id.as_ref(), Some(&early));
    assert_eq!(tx.event(&key("c"), 3).await, Ok(None));
    tx.write_events().await.expect("writes");
    tx.commit().await.expect("commits");
    let mut tx = scratch.store.begin().await.expect("begins");
    assert_eq!(tx.event(&key("c"), 2).await, Ok(Some(early)));
}

#[tokio::test]
async fn a_page_ends_at_its_limits_and_holds_at_least_one_event() {
    let scratch = Scratch::new().await;
    scratch
        .commit(async |tx| {
            for (sequence, size) in [(1, 100), (2, 100), (3, 5000), (4, 100), (5, 100)] {
                tx.append(event("c", sequence, size));
            }
        })
        .await;
    let store = &scratch.store;
    assert_eq!(
        pages(store, 2, 1 << 20).await,
        [vec![1, 2], vec![3, 4], vec![5]]
    );
    assert_eq!(
        pages(store, 9, 200).await,
        [vec![1, 2], vec![3], vec![4, 5]]
    );
    assert_eq!(pages(store, 9, 0).await, [[1], [2], [3], [4], [5]]);
}

#[tokio::test]
async fn the_time_of_the_log_never_goes_back() {
    let scratch = Scratch::new().await;
    let mut times = Vec::new();
    for (sequence, now) in [(1, 5_000), (2, 3_000), (3, 7_000)] {
        scratch.clock.set(now);
        let batch = scratch
            .commit(async |tx| {
                assert_eq!(tx.now(), Timestamp(now));
                tx.append(event("c", sequence, 1));
            })
            .await;
        times.push(batch.facts[0].recorded_at.0);
    }
    assert_eq!(times, [5_000, 5_000, 7_000]);
    for (time, before) in [(0, 0), (5_000, 0), (5_001, 2), (7_000, 2), (7_001, 3)] {
        let found = scratch.store.position_before(Timestamp(time)).await;
        assert_eq!(found, Ok(Position(before)), "{time}");
    }
}

#[tokio::test]
async fn events_of_a_conversation_are_found_by_sequence_and_kind() {
    let scratch = Scratch::new().await;
    let said = |sequence| NewEvent {
        body: EventBody::VisitorMessage(VisitorMessage {
            message_id: "m".into(),
            content: VisitorContent::Text("hello".into()),
            parameters: vec![],
            held: false,
            raw: String::new(),
        }),
        ..event("c", sequence, 1)
    };
    let batch = scratch
        .commit(async |tx| {
            tx.append(event("other", 1, 1));
            tx.append(event("c", 1, 1));
            tx.append(said(2));
            tx.append(event("c", 3, 1));
            tx.append(said(4));
        })
        .await;
    let store = &scratch.store;
    let found = async |kinds: &[EventKind], newest_first, after, limit| {
        let query = EventQuery {
            key: key("c"),
            kinds: kinds.to_vec(),
            newest_first,
            after,
            limit,
            max_bytes: 1 << 20,
        };
        let events = store.events(&query).await.expect("reads");
        events
            .iter()
            .map(|(sequence, _)| *sequence)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&[], false, None, 9).await, [1, 2, 3, 4]);
    assert_eq!(found(&[], true, None, 3).await, [4, 3, 2]);
    assert_eq!(found(&[], false, Some(2), 1).await, [3]);
    assert_eq!(found(&[], true, Some(3), 9).await, [2, 1]);
    let words = [EventKind::VisitorMessage];
    assert_eq!(found(&words, false, None, 9).await, [2, 4]);
    assert_eq!(store.position_of(&key("c"), 2).await, Ok(Some(Position(3))));
    assert_eq!(store.position_of(&key("c"), 5).await, Ok(None));
    let fact = &batch.facts[4].fact;
    let placed = store.position_of_event(fact.event_id.as_str()).await;
    assert_eq!(placed, Ok(Some(Position(5))));
    assert_eq!(store.first_sequence(&key("c")).await, Ok(1));
    assert_eq!(store.first_sequence(&key("unknown")).await, Ok(0));
}

#[tokio::test]
async fn a_transcript_is_cut_one_event_after_its_bytes_are_reached() {
    let scratch = Scratch::new().await;
    let large = 1000;
    scratch
        .commit(async |tx| {
            for sequence in 1..=5 {
                tx.append(event("c", sequence, large));
            }
        })
        .await;
    let found = async |newest_first, max_bytes| {
        let query = EventQuery {
            key: key("c"),
            kinds: vec![],
            newest_first,
            after: None,
            limit: 9,
            max_bytes,
        };
        let events = scratch.store.events(&query).await.expect("reads");
        events
            .iter()
            .map(|(sequence, _)| *sequence)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(false, 1).await, [1, 2]);
    assert_eq!(found(true, 1).await, [5, 4]);
    assert_eq!(found(false, 2 * large).await, [1, 2, 3]);
    assert_eq!(found(true, 1 << 20).await, [5, 4, 3, 2, 1]);
}
