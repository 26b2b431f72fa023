//! What is erased in place, by an erasure and by age.

use super::{Scratch, conversation, delivery, event, id, key};
use crate::{
    domain::{
        DeliveryState, Event, EventBody, NewEvent, Parameter, Position, Timestamp,
        ports::{OpenTransaction, Store},
    },
    wire::body,
};

const WORDS: &str = "my-leg-is-broken-7431";

fn said(tenant: &str, conversation: &str, sequence: u64) -> NewEvent {
    let mut event = event(conversation, sequence, 0);
    event.tenant = id(tenant);
    event.key.as_mut().expect("a conversation").tenant = id(tenant);
    event.body = EventBody::PlatformAlert {
        name: String::new(),
        raw: WORDS.to_owned(),
    };
    event
}

/// Which of the events read as erased, by position.
async fn erased(scratch: &Scratch) -> Vec<bool> {
    let page = scratch.store.page(Position(0), 1000, usize::MAX).await;
    let page = page.expect("a page");
    let positions: Vec<_> = page.iter().map(|event| event.position.0).collect();
    let expected: Vec<_> = (1..=positions.len() as u64).collect();
    assert_eq!(positions, expected, "there is a hole");
    let bodies = page.iter().map(|event| body::decode(&event.bytes));
    bodies
        .map(|body| matches!(body.expect("a body"), EventBody::Erased { .. }))
        .collect()
}

fn files_hold_words(scratch: &Scratch) -> bool {
    let path = scratch.settings.file().expect("a file").to_owned();
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    [path, journal.into()].iter().any(|file| {
        let bytes = std::fs::read(file).unwrap_or_default();
        let mut windows = bytes.windows(WORDS.len());
        windows.any(|window| window == WORDS.as_bytes())
    })
}

#[tokio::test]
async fn an_erasure_reaches_what_the_same_transaction_has_appended() {
    let scratch = Scratch::new().await;
    let batch = scratch
        .commit(async |tx: &mut dyn OpenTransaction| {
            tx.append(said("acme", "C", 1));
            tx.append(said("acme", "D", 1));
            tx.erase_words(&key("C")).await.expect("erases");
            tx.append(said("acme", "C", 2));
        })
        .await;
    assert_eq!(erased(&scratch).await, [true, false, false]);
    // Neither do those who follow see it.
    let told = batch
        .facts
        .iter()
        .map(|event| Event::clone(event).fact.body);
    let told: Vec<_> = told.map(|body| body == EventBody::erased()).collect();
    assert_eq!(told, [true, false, false]);
}

#[tokio::test]
async fn events_past_the_age_of_their_tenant_are_overwritten_step_by_step_and_others_stay() {
    let scratch = Scratch::new().await;
    for sequence in 1..=3 {
        scratch
            .commit(async |tx: &mut dyn OpenTransaction| {
                tx.append(said("acme", "C", sequence));
                tx.append(said("other", "C", sequence));
            })
            .await;
    }
    scratch.clock.set(9_000_000);
    scratch
        .commit(async |tx: &mut dyn OpenTransaction| {
            tx.append(said("acme", "C", 4));
        })
        .await;
    let mut steps = Vec::new();
    loop {
        let mut step = (0, 0);
        scratch
            .commit(async |tx: &mut dyn OpenTransaction| {
                let done = tx.erase_aged(&id("acme"), Timestamp(5_000_000), 4).await;
                step = done.expect("erases");
            })
            .await;
        steps.push(step);
        if step.0 < 4 {
            break;
        }
    }
    assert_eq!(steps, [(4, 2), (2, 1)]);
    assert_eq!(
        erased(&scratch).await,
        [true, false, true, false, true, false, false]
    );
}

#[tokio::test]
async fn what_something_unfinished_needs_is_overwritten_once_it_is_finished() {
    let scratch = Scratch::new().await;
    let mut waits = delivery("d", "C", 2, DeliveryState::Queued);
    scratch
        .commit(async |tx: &mut dyn OpenTransaction| {
            tx.append(said("acme", "C", 1));
            tx.append(said("acme", "C", 2));
            tx.add_delivery(&waits).await.expect("added");
        })
        .await;
    let age = async |expected| {
        scratch
            .commit(async |tx: &mut dyn OpenTransaction| {
                let done = tx.erase_aged(&id("acme"), Timestamp(5_000_000), 100).await;
                assert_eq!(done.expect("erases"), expected);
            })
            .await;
    };
    scratch.clock.set(9_000_000);
    age((1, 1)).await;
    assert_eq!(erased(&scratch).await, [true, false]);
    waits.state = DeliveryState::Delivered;
    scratch
        .commit(async |tx: &mut dyn OpenTransaction| {
            tx.save_delivery(&waits).await.expect("saved");
        })
        .await;
    age((1, 1)).await;
    assert_eq!(erased(&scratch).await, [true, true]);
}

#[tokio::test]
async fn an_idle_conversation_keeps_its_ids_and_nothing_else_and_the_files_hold_nothing_more() {
    let scratch = Scratch::in_file(|_| ()).await;
    let with_words = |name: &str, updated_at| {
        let mut conversation = conversation(name, updated_at);
        conversation.kept.push(Parameter {
            key: "k".into(),
            value: WORDS.into(),
            personal: true,
        });
        conversation
    };
    scratch
        .commit(async |tx: &mut dyn OpenTransaction| {
            for (name, updated_at) in [("C", 1), ("D", 8_000_000)] {
                let conversation = with_words(name, updated_at);
                tx.save_conversation(&conversation).await.expect("saved");
            }
            tx.append(said("acme", "C", 1));
        })
        .await;
    let kept = async |name: &str| {
        let found = scratch.store.conversation(&key(name)).await.expect("reads");
        found.expect("it is there").kept.len()
    };
    let forget = async |before| {
        scratch
            .commit(async |tx: &mut dyn OpenTransaction| {
                let done = tx.forget_idle(&id("acme"), Timestamp(before), 10).await;
                done.expect("forgets");
                let done = tx.erase_aged(&id("acme"), Timestamp(before), 100).await;
                done.expect("erases");
            })
            .await;
    };
    forget(5_000_000).await;
    assert_eq!((kept("C").await, kept("D").await), (0, 1));
    forget(9_000_000).await;
    assert_eq!((kept("C").await, kept("D").await), (0, 0));
    scratch.store.purge().await.expect("purged");
    assert!(!files_hold_words(&scratch));
    assert_eq!(erased(&scratch).await, [true]);
}
