//! Deliveries in their lanes.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement, TransactionTrait, Value};

use super::*;
use crate::{domain::Reason, store::delivery};

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
        tx.attempting_deliveries(Timestamp(i64::MAX), None, 9).await,
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

#[tokio::test]
async fn idle_lanes_are_walked_in_order_without_those_that_are_under_way_or_not_due() {
    let scratch = Scratch::new().await;
    let due = |name: &str, conversation: &str| {
        super::delivery(name, conversation, 1, DeliveryState::Queued)
    };
    let to_source = Delivery {
        order: 2,
        direction: Direction::Source,
        ..due("c-source", "c")
    };
    let rows = [
        due("a", "a"),
        due("c", "c"),
        to_source,
        due("d", "d"),
        // Behind one that is under way.
        super::delivery("e-1", "e", 1, DeliveryState::Attempting),
        super::delivery("e-2", "e", 2, DeliveryState::Queued),
        Delivery {
            not_before: Timestamp(900_000),
            ..due("f", "f")
        },
        Delivery {
            queued_at: Timestamp(900_000),
            ..due("g", "g")
        },
        super::delivery("h", "h", 1, DeliveryState::Delivered),
    ];
    scratch
        .commit(async |tx| {
            for row in &rows {
                tx.add_delivery(row).await.expect("adds");
            }
        })
        .await;
    let idle = [
        LaneKey::to_agent(&key("a")),
        LaneKey::to_agent(&key("c")),
        LaneKey::to_source(&key("c")),
        LaneKey::to_agent(&key("d")),
    ];
    let walk = async |limit: usize| {
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let span = Duration::from_millis(500);
            let page = scratch.store.idle_lanes(span, after.as_ref(), limit).await;
            let page = page.expect("reads");
            assert!(page.len() <= limit);
            walked.extend_from_slice(&page);
            match page.last() {
                Some(last) => after = Some(last.clone()),
                None => return walked,
            }
        }
    };
    for limit in 1..=5 {
        assert_eq!(walk(limit).await, idle, "{limit} at once");
    }
}

#[tokio::test]
async fn what_is_under_way_is_walked_in_the_order_of_its_queueing() {
    let scratch = Scratch::new().await;
    let row = |name: &str, queued_at| Delivery {
        queued_at: Timestamp(queued_at),
        ..super::delivery(name, name, 1, DeliveryState::Attempting)
    };
    let rows = [row("b", 1), row("a", 1), row("c", 0), row("d", 2)];
    let mut tx = scratch.store.begin().await.expect("begins");
    for row in &rows {
        tx.add_delivery(row).await.expect("adds");
    }
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let before = Timestamp(i64::MAX);
        let page = tx.attempting_deliveries(before, after.as_ref(), 1).await;
        let Some(found) = page.expect("reads").pop() else {
            break;
        };
        walked.push(found.id.as_str().to_owned());
        after = Some((found.queued_at, found.id));
    }
    assert_eq!(walked, ["c", "a", "b", "d"]);
}

#[tokio::test]
async fn what_looks_for_lanes_reads_indexes_and_never_the_whole_table() {
    let scratch = Scratch::new().await;
    let zero = || Value::from(0_i64);
    let none = || Value::from("");
    let idle = [
        zero(),
        zero(),
        none(),
        none(),
        none(),
        zero(),
        zero(),
        zero(),
    ];
    let under_way = [zero(), zero(), zero(), none(), zero()];
    for (sql, values) in [
        (delivery::IDLE_LANES, idle.to_vec()),
        (delivery::ATTEMPTING.as_str(), under_way.to_vec()),
    ] {
        let plan = plan(&scratch, sql, values).await;
        assert!(plan.contains("delivery_"), "{plan}");
        assert!(
            !plan.contains("SCAN delivery") && !plan.contains("Seq Scan"),
            "{plan}"
        );
    }
}

/// How the database would find it, in a table that is large.
async fn plan(scratch: &Scratch, sql: &str, values: Vec<Value>) -> String {
    let db = scratch.behind().await;
    let tx = db.begin().await.expect("begins");
    let (explain, column) = if place::is_file() {
        ("EXPLAIN QUERY PLAN", 3)
    } else {
        let large = tx.execute_unprepared("SET LOCAL enable_seqscan = off");
        large.await.expect("is set");
        ("EXPLAIN", 0)
    };
    let sql = format!("{explain} {sql}");
    let explained = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(explained).await.expect("is explained");
    let lines = rows
        .iter()
        .map(|row| row.try_get_by_index::<String>(column));
    let lines: Result<Vec<_>, _> = lines.collect();
    lines.expect("texts").join("\n")
}
