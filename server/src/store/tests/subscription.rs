//! Named subscriptions and what is unfinished in them.

use std::time::Duration;

use super::*;
use crate::domain::{
    EventKind, Position,
    ports::SubscriptionRead,
    subscription::{
        Asked, Changes, Choice, Core, Entry, HeldBack, Member, Policy, State, SubscriptionKey,
        SubscriptionRecord, WhenParked,
    },
};

fn named(tenant: &str, name: &str) -> SubscriptionKey {
    SubscriptionKey {
        tenant: id(tenant),
        name: id(name),
    }
}

fn record(key: &SubscriptionKey) -> SubscriptionRecord {
    SubscriptionRecord {
        key: key.clone(),
        choice: Choice::default(),
        policy: Policy {
            ack_deadline: Duration::from_millis(1500),
            max_attempts: 5,
            when_parked: WhenParked::Release,
            window: 8,
        },
        start: Position(3),
        revision: 1,
        policy_revision: 1,
        created_at: Timestamp(5),
        updated_at: Timestamp(5),
        core: Core::begin(Position(3)),
    }
}

fn entry(position: u64, state: State) -> Entry {
    Entry {
        position: Position(position),
        slot: 9,
        conversation: Some(key("c")),
        token: 4,
        attempt: 1,
        state,
        asked: None,
    }
}

fn asked(position: u64, request: &str, state: State) -> Entry {
    Entry {
        asked: Some(Asked {
            request_id: id(request),
            respond_by: Timestamp(80),
            moves_at: Timestamp(40),
        }),
        ..entry(position, state)
    }
}

fn in_flight(until: Option<i64>) -> State {
    State::InFlight {
        member: id("m"),
        until: until.map(Timestamp),
    }
}

/// Saves these subscriptions, as they are made.
async fn make(scratch: &Scratch, keys: &[&SubscriptionKey]) {
    let commit = scratch.commit(async |tx| {
        let subscriptions = tx.subscriptions().expect("kept");
        for key in keys {
            let saved = subscriptions.save_subscription(&record(key)).await;
            saved.expect("saves");
        }
    });
    commit.await;
}

async fn change(scratch: &Scratch, key: &SubscriptionKey, changes: &Changes) {
    let commit = scratch.commit(async |tx| {
        let subscriptions = tx.subscriptions().expect("kept");
        let saved = subscriptions.save_changes(key, changes).await;
        saved.expect("saves");
    });
    commit.await;
}

async fn positions(scratch: &Scratch, key: &SubscriptionKey) -> Vec<u64> {
    let found = scratch.store.unfinished(key).await.expect("reads");
    found.entries.iter().map(|it| it.position.0).collect()
}

/// What there is no word for in one comparison.
fn same(one: &SubscriptionRecord, other: &SubscriptionRecord) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[tokio::test]
async fn a_subscription_is_read_as_it_was_saved_and_its_changes_in_place_of_it() {
    let scratch = Scratch::new().await;
    let key = named("acme", "crm");
    assert!(
        scratch
            .store
            .subscription(&key)
            .await
            .expect("reads")
            .is_none()
    );
    assert_eq!(scratch.store.revision(&key).await, Ok(None));
    make(&scratch, &[&key]).await;
    let mut saved = record(&key);
    let found = scratch.store.subscription(&key).await.expect("reads");
    same(&found.expect("it is there"), &saved);
    saved.choice = Choice {
        accounts: vec![id("shop"), id("outlet")],
        conversations: vec![id("c")],
        // One that another replica knows, perhaps.
        kinds: vec![EventKind::AgentMessage, EventKind::Later(9999)],
    };
    saved.policy.when_parked = WhenParked::Block;
    saved.policy.ack_deadline = Duration::from_hours(1);
    (saved.revision, saved.policy_revision) = (7, 2);
    saved.updated_at = Timestamp(6);
    saved.core.slots[0].holder = Some(id("m"));
    saved.core.slots[1].next = Some(id("m"));
    saved.core.slots[63].token = u64::MAX >> 1;
    saved.core.slots[63].read = Position(99);
    let member = Member {
        session: u64::MAX,
        pulls: true,
        max_in_flight: 64,
        until: Timestamp(1),
    };
    saved.core.members.insert(id("m"), member);
    let commit = scratch.commit(async |tx| {
        let subscriptions = tx.subscriptions().expect("kept");
        subscriptions
            .save_subscription(&saved)
            .await
            .expect("saves");
        let found = subscriptions.subscription(&key).await.expect("reads");
        same(&found.expect("its own writes are seen"), &saved);
    });
    commit.await;
    let found = scratch.store.subscription(&key).await.expect("reads");
    same(&found.expect("it is there"), &saved);
    assert_eq!(scratch.store.revision(&key).await, Ok(Some(7)));
}

#[tokio::test]
async fn one_name_in_two_tenants_is_two_subscriptions() {
    let scratch = Scratch::new().await;
    let (ours, theirs) = (named("acme", "crm"), named("zebra", "crm"));
    let other = named("acme", "audit");
    make(&scratch, &[&ours, &theirs, &other]).await;
    for (key, position) in [(&ours, 4), (&theirs, 5)] {
        let changes = Changes {
            entries: vec![entry(position, in_flight(None))],
            ..Changes::default()
        };
        change(&scratch, key, &changes).await;
    }
    let listed = async |tenant: Option<&Id>| {
        let found = scratch.store.subscriptions(tenant).await.expect("reads");
        let names = found
            .iter()
            .map(|it| format!("{}/{}", it.key.tenant, it.key.name));
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(Some(&id("acme"))).await, "acme/audit acme/crm");
    assert_eq!(listed(None).await, "acme/audit acme/crm zebra/crm");
    let commit = scratch.commit(async |tx| {
        let subscriptions = tx.subscriptions().expect("kept");
        assert_eq!(subscriptions.count_subscriptions(&id("acme")).await, Ok(2));
        assert_eq!(
            subscriptions.count_subscriptions(&id("nobody")).await,
            Ok(0)
        );
        let deleted = subscriptions.delete_subscription(&ours).await;
        deleted.expect("deletes");
    });
    commit.await;
    assert_eq!(listed(None).await, "acme/audit zebra/crm");
    assert_eq!(positions(&scratch, &ours).await, [0_u64; 0]);
    assert_eq!(positions(&scratch, &theirs).await, [5]);
}

#[tokio::test]
async fn what_is_unfinished_is_read_as_it_was_saved_in_every_state() {
    let scratch = Scratch::new().await;
    let key = named("acme", "crm");
    make(&scratch, &[&key]).await;
    let lonely = Entry {
        conversation: None,
        ..entry(15, State::Done)
    };
    let entries = vec![
        entry(11, in_flight(None)),
        asked(12, "r", in_flight(Some(70))),
        entry(13, State::Waiting { due: Timestamp(8) }),
        entry(14, State::Parked { at: Timestamp(9) }),
        lonely,
    ];
    let held = |from: Option<u64>, through| HeldBack {
        from: from.map(Position),
        through: Position(through),
    };
    let held_back = vec![
        (super::key("c"), held(Some(16), 15)),
        (super::key("d"), held(None, 20)),
    ];
    let changes = Changes {
        entries: entries.clone(),
        held_back: held_back.clone(),
        ..Changes::default()
    };
    change(&scratch, &key, &changes).await;
    let found = scratch.store.unfinished(&key).await.expect("reads");
    assert_eq!(
        (&found.entries, sorted(found.held_back)),
        (&entries, held_back)
    );

    let moved = entry(13, in_flight(None));
    let changes = Changes {
        entries: vec![moved.clone()],
        removed: vec![Position(11), Position(12), Position(99)],
        held_back: vec![(super::key("d"), held(Some(21), 20))],
        let_go: vec![super::key("c"), super::key("unknown")],
    };
    change(&scratch, &key, &changes).await;
    let found = scratch.store.unfinished(&key).await.expect("reads");
    assert_eq!(
        found.entries,
        [moved, entries[3].clone(), entries[4].clone()]
    );
    assert_eq!(found.held_back, [(super::key("d"), held(Some(21), 20))]);
}

fn sorted(mut held: Vec<(ConversationKey, HeldBack)>) -> Vec<(ConversationKey, HeldBack)> {
    held.sort_by(|one, other| one.0.cmp(&other.0));
    held
}

/// More than one statement takes, and no round number of them.
#[tokio::test]
async fn a_large_batch_is_saved_and_removed_whole() {
    let scratch = Scratch::new().await;
    let key = named("acme", "crm");
    make(&scratch, &[&key]).await;
    let conversations = (1..=333).map(|n| super::key(&format!("c-{n}")));
    let held = HeldBack {
        from: None,
        through: Position(1),
    };
    let changes = Changes {
        entries: (1..=333).map(|n| entry(n, in_flight(None))).collect(),
        held_back: conversations.clone().map(|key| (key, held)).collect(),
        ..Changes::default()
    };
    change(&scratch, &key, &changes).await;
    assert_eq!(
        positions(&scratch, &key).await,
        (1..=333).collect::<Vec<_>>()
    );
    let changes = Changes {
        removed: (2..=333).map(Position).collect(),
        let_go: conversations.skip(1).collect(),
        ..Changes::default()
    };
    change(&scratch, &key, &changes).await;
    let found = scratch.store.unfinished(&key).await.expect("reads");
    assert_eq!((found.entries.len(), found.held_back.len()), (1, 1));
}

#[tokio::test]
async fn an_answer_marks_its_question_done_in_every_subscription_of_the_tenant() {
    let scratch = Scratch::new().await;
    let (one, two) = (named("acme", "one"), named("acme", "two"));
    let (theirs, none) = (named("zebra", "one"), named("acme", "none"));
    make(&scratch, &[&one, &two, &theirs, &none]).await;
    let states = [
        (&one, in_flight(None)),
        (&two, State::Waiting { due: Timestamp(1) }),
        (&theirs, in_flight(None)),
    ];
    for (key, state) in states {
        let parked = State::Parked { at: Timestamp(2) };
        let changes = Changes {
            entries: vec![
                asked(6, "r", state),
                asked(7, "other", in_flight(None)),
                asked(8, "r", parked),
            ],
            ..Changes::default()
        };
        change(&scratch, key, &changes).await;
    }
    let commit = scratch.commit(async |tx| {
        let subscriptions = tx.subscriptions().expect("kept");
        let answered = subscriptions.answered(&id("acme"), &id("r")).await;
        answered.expect("writes");
    });
    commit.await;
    for key in [&one, &two] {
        let found = scratch.store.unfinished(key).await.expect("reads").entries;
        assert_eq!(found[0].state, State::Done, "{key:?}");
        assert_eq!(found[1].state, in_flight(None), "another question");
        assert_eq!(
            found[2].state,
            State::Parked { at: Timestamp(2) },
            "set aside"
        );
        assert_eq!(
            scratch.store.revision(key).await,
            Ok(Some(2)),
            "others find out"
        );
    }
    let found = scratch.store.unfinished(&theirs).await.expect("reads");
    assert_eq!(found.entries[0].state, in_flight(None));
    for key in [&theirs, &none] {
        assert_eq!(scratch.store.revision(key).await, Ok(Some(1)), "{key:?}");
    }
}

#[tokio::test]
async fn events_are_picked_by_their_places_and_from_a_place_in_a_conversation() {
    let scratch = Scratch::new().await;
    let commit = scratch.commit(async |tx| {
        for sequence in 1..=70 {
            tx.append(event("c", sequence, 10));
            tx.append(event("d", sequence, 10));
        }
    });
    commit.await;
    let at = async |positions: &[u64]| {
        let positions: Vec<_> = positions.iter().copied().map(Position).collect();
        let found = scratch.store.events_at(&positions).await.expect("reads");
        found.iter().map(|it| it.position.0).collect::<Vec<_>>()
    };
    assert_eq!(at(&[]).await, [0_u64; 0]);
    assert_eq!(at(&[9, 2, 999]).await, [2, 9]);
    let odd: Vec<_> = (1..=140).step_by(2).collect();
    assert_eq!(at(&odd).await, odd);
    let from = async |position: u64, kinds: &[EventKind], limit| {
        let key = super::key("c");
        let found = scratch
            .store
            .events_from(&key, Position(position), kinds, limit);
        let found = found.await.expect("reads");
        found.iter().map(|it| it.position.0).collect::<Vec<_>>()
    };
    assert_eq!(from(5, &[], 3).await, [5, 7, 9]);
    assert_eq!(from(5, &[EventKind::PlatformAlert], 2).await, [5, 7]);
    assert_eq!(from(5, &[EventKind::AgentMessage], 2).await, [0_u64; 0]);
    let recorded = scratch.store.recorded_at(Position(140)).await;
    assert_eq!(recorded, Ok(Some(scratch.clock.now())));
    assert_eq!(scratch.store.recorded_at(Position(141)).await, Ok(None));
}
