//! Deliveries in their lanes.

use std::time::Duration;

use super::*;
use crate::domain::Reason;

#[tokio::test]
async fn a_delivery_is_read_as_it_was_saved() {
    let scratch = Scratch::new().await;
    let kinds = [
        (DeliveryKind::Start, Subject::Command("s".into())),
        (DeliveryKind::Message, Subject::Message("m".into())),
        (DeliveryKind::Parameters, Subject::Command("p".into())),
        (DeliveryKind::End, Subject::Request("r".into())),
    ];
    for (order, (kind, subject)) in (1..).zip(kinds) {
        let mut saved = Delivery {
            kind,
            subject,
            ..delivery(&format!("d-{order}"), "c", order, DeliveryState::Queued)
        };
        let mut tx = scratch.store.begin().await.expect("begins");
        tx.add_delivery(&saved).await.expect("adds");
        assert_eq!(tx.delivery(&saved.id).await, Ok(Some(saved.clone())));
        saved.state = DeliveryState::Failed;
        saved.reason = Some(Reason::AgentRejected);
        saved.detail = "no".into();
        saved.attempt = 3;
        saved.session = 2;
        saved.new_session = true;
        saved.not_before = Timestamp(77);
        tx.save_delivery(&saved).await.expect("saves");
        tx.commit().await.expect("commits");
        assert_eq!(scratch.store.delivery(&saved.id).await, Ok(Some(saved)));
    }
}

#[tokio::test]
async fn every_reason_comes_back() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    let mut saved = delivery("d", "c", 1, DeliveryState::Failed);
    for reason in Reason::ALL {
        saved.reason = Some(reason);
        tx.save_delivery(&saved).await.expect("saves");
        assert_eq!(tx.delivery(&saved.id).await, Ok(Some(saved.clone())));
    }
}

#[tokio::test]
async fn the_head_of_a_lane_is_its_first_delivery_that_is_not_final() {
    let scratch = Scratch::new().await;
    let mut tx = scratch.store.begin().await.expect("begins");
    assert_eq!(tx.lane_head(&LaneKey::to_agent(&key("c"))).await, Ok(None));
    assert_eq!(tx.next_order(&key("c")).await, Ok(1));
    let rows = [
        delivery("a", "c", 1, DeliveryState::Delivered),
        delivery("b", "c", 2, DeliveryState::Attempting),
        delivery("d", "c", 3, DeliveryState::Queued),
        delivery("e", "other", 1, DeliveryState::Held),
    ];
    for row in &rows {
        tx.add_delivery(row).await.expect("adds");
    }
    assert_eq!(
        tx.lane_head(&LaneKey::to_agent(&key("c"))).await,
        Ok(Some(rows[1].clone()))
    );
    assert_eq!(tx.next_order(&key("c")).await, Ok(4));
    assert_eq!(tx.waiting_deliveries(&id("bot")).await, Ok(2));
    assert_eq!(
        tx.attempting_deliveries(Timestamp(i64::MAX), 9).await,
        Ok(vec![rows[1].clone()])
    );
    // A message that failed is sent once more: it goes to the end of its lane.
    let again = Delivery {
        order: 4,
        state: DeliveryState::Queued,
        ..rows[0].clone()
    };
    tx.save_delivery(&again).await.expect("saves");
    assert_eq!(
        tx.lane_head(&LaneKey::to_agent(&key("c"))).await,
        Ok(Some(rows[1].clone()))
    );
    assert_eq!(tx.waiting_deliveries(&id("bot")).await, Ok(3));
    tx.commit().await.expect("commits");
    assert_eq!(
        scratch.store.busy_lanes().await,
        Ok(vec![LaneKey::to_agent(&key("c"))])
    );
}

#[tokio::test]
async fn a_session_that_ran_out_is_found_once_its_lane_is_idle() {
    let scratch = Scratch::new().await;
    let mut saved = conversation("c", 0);
    saved.begin_session(Timestamp(0), Duration::from_secs(1));
    let queued = delivery("d", "c", 1, DeliveryState::Queued);
    scratch
        .commit(async |tx| {
            tx.save_conversation(&saved).await.expect("saves");
            tx.add_delivery(&queued).await.expect("adds");
        })
        .await;
    let expired = async |now, state| {
        scratch.clock.set(now);
        let mut tx = scratch.store.begin().await.expect("begins");
        let row = Delivery {
            state,
            ..queued.clone()
        };
        tx.save_delivery(&row).await.expect("saves");
        let found = tx.expired_sessions(9).await.expect("reads");
        tx.commit().await.expect("commits");
        found.len()
    };
    assert_eq!(expired(1_000_000, DeliveryState::Queued).await, 0);
    assert_eq!(expired(999_999, DeliveryState::Delivered).await, 0);
    assert_eq!(expired(1_000_000, DeliveryState::Delivered).await, 1);
}
