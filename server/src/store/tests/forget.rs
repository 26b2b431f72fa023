//! Retention.

use super::*;
use crate::domain::{
    Fingerprint, Position,
    request::{Request, RequestKind},
};

/// Five events, one a second: `sequence` 1 at second 1.
async fn five_events(scratch: &Scratch) {
    for second in 1..=5 {
        scratch.clock.set(second * 1_000_000);
        let sequence = second.unsigned_abs();
        scratch
            .commit(async |tx| _ = tx.append(event("c", sequence, 10)))
            .await;
    }
}

async fn trim(scratch: &Scratch, before_second: i64, limit: usize) -> usize {
    let mut tx = scratch.store.begin().await.expect("begins");
    let before = Timestamp(before_second * 1_000_000);
    let removed = tx.trim_log(before, limit).await.expect("trims");
    tx.commit().await.expect("commits");
    removed
}

#[tokio::test]
async fn old_events_go_from_the_front_and_the_floor_follows() {
    let scratch = Scratch::new().await;
    five_events(&scratch).await;
    assert_eq!(trim(&scratch, 1, 9).await, 0);
    assert_eq!(trim(&scratch, 4, 2).await, 2);
    assert_eq!(scratch.store.bounds().await, Ok((Position(3), Position(5))));
    assert_eq!(trim(&scratch, 4, 9).await, 1);
    assert_eq!(scratch.store.first_sequence(&key("c")).await, Ok(4));
    assert_eq!(trim(&scratch, 99, 9).await, 2);
    assert_eq!(scratch.store.bounds().await, Ok((Position(6), Position(5))));
    assert_eq!(trim(&scratch, 99, 9).await, 0);
    let batch = scratch
        .commit(async |tx| _ = tx.append(event("c", 6, 1)))
        .await;
    assert_eq!(batch.events[0].position, Position(6));
}

#[tokio::test]
async fn what_an_unfinished_delivery_needs_stays() {
    let scratch = Scratch::new().await;
    five_events(&scratch).await;
    let mut waiting = delivery("d", "c", 3, DeliveryState::Queued);
    scratch
        .commit(async |tx| tx.add_delivery(&waiting).await.expect("adds"))
        .await;
    assert_eq!(trim(&scratch, 99, 9).await, 2);
    assert_eq!(trim(&scratch, 99, 9).await, 0);
    waiting.state = DeliveryState::Delivered;
    scratch
        .commit(async |tx| tx.save_delivery(&waiting).await.expect("saves"))
        .await;
    assert_eq!(trim(&scratch, 99, 9).await, 3);
}

#[tokio::test]
async fn what_an_open_request_needs_stays() {
    let scratch = Scratch::new().await;
    five_events(&scratch).await;
    let open = Request {
        id: id("r"),
        tenant: id("acme"),
        key: None,
        agent: id("bot"),
        kind: RequestKind::Availability,
        fingerprint: vec![],
        respond_by: Timestamp(0),
        asked_at: Timestamp(4_000_000),
        sequence: 0,
        closed: None,
    };
    scratch
        .commit(async |tx| tx.add_request(&open).await.expect("adds"))
        .await;
    assert_eq!(trim(&scratch, 99, 9).await, 3);
}

#[tokio::test]
async fn finished_things_are_forgotten_and_the_order_of_a_lane_goes_on() {
    let scratch = Scratch::new().await;
    let print = Fingerprint::of("e");
    let mut ended = conversation("c", 1);
    ended.ended_order = 7;
    scratch
        .commit(async |tx| {
            tx.first_seen(&id("bot"), &print).await.expect("saves");
            tx.save_conversation(&ended).await.expect("saves");
            let row = delivery("done", "c", 7, DeliveryState::Delivered);
            tx.add_delivery(&row).await.expect("adds");
            let row = delivery("waiting", "other", 1, DeliveryState::Queued);
            tx.add_delivery(&row).await.expect("adds");
            tx.set_availability(&id("bot"), "t", "p", true, Timestamp(5))
                .await
                .expect("saves");
        })
        .await;
    scratch
        .commit(async |tx| {
            assert_eq!(tx.forget_finished(Timestamp(1_000_000), 9).await, Ok(1));
            assert_eq!(tx.forget_finished(Timestamp(1_000_001), 9).await, Ok(2));
            assert_eq!(tx.delivery(&id("done")).await, Ok(None));
            assert_eq!(tx.next_order(&key("c")).await, Ok(8));
            assert!(tx.delivery(&id("waiting")).await.expect("reads").is_some());
            assert_eq!(tx.first_seen(&id("bot"), &print).await, Ok(true));
        })
        .await;
}
