//! Whom an event concerns.

use super::support::{World, agent_event, event, ids};
use crate::{
    domain::{EventKind, Id, Position},
    hub::{Filter, Notice, Settings, Start},
};

/// Accounts, conversations and kinds.
type Choice = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [EventKind],
);

/// Events of every sort; the comments are their positions.
fn sorts() -> Vec<crate::domain::StoredEvent> {
    vec![
        event("a", "1", EventKind::VisitorMessage),           // 1
        event("a", "1", EventKind::AgentMessage),             // 2
        event("a", "2", EventKind::AgentMessage),             // 3
        event("b", "1", EventKind::AgentMessage),             // 4
        event("c", "1", EventKind::ActionRequested),          // 5
        agent_event("bot", EventKind::AvailabilityRequested), // 6
        agent_event("other", EventKind::AvailabilityRequested), // 7
        event("a", "1", EventKind::Later(9999)),              // 8
    ]
}

#[tokio::test]
async fn a_reader_gets_what_its_filter_names_live_and_from_the_log() {
    use EventKind::{AgentMessage, AvailabilityRequested};
    let cases: [(Choice, &[u64]); 12] = [
        ((&[], &[], &[]), &[1, 2, 3, 4, 5, 6, 7, 8]),
        ((&["a"], &[], &[]), &[1, 2, 3, 6, 8]),
        ((&["a", "c"], &[], &[]), &[1, 2, 3, 5, 6, 7, 8]),
        ((&["a"], &["1"], &[]), &[1, 2, 8]),
        ((&[], &["1"], &[]), &[1, 2, 4, 5, 8]),
        ((&["b", "a", "a"], &[], &[AgentMessage]), &[2, 3, 4]),
        ((&["b"], &[], &[AvailabilityRequested]), &[6]),
        (
            (&[], &[], &[AvailabilityRequested, AgentMessage]),
            &[2, 3, 4, 6, 7],
        ),
        ((&[], &[], &[EventKind::Later(9999)]), &[8]),
        ((&[], &[], &[EventKind::Later(41)]), &[]),
        ((&["unheard of"], &[], &[]), &[]),
        ((&["c"], &["2"], &[]), &[]),
    ];
    let world = World::new(Settings::default());
    let mut readers = Vec::new();
    for ((accounts, conversations, kinds), expected) in cases {
        let filter = world.filter(ids(accounts), ids(conversations), kinds);
        let live = world.open(Start::Latest, filter.clone()).await.unwrap();
        readers.push((live, filter, expected));
    }
    for sort in sorts() {
        world.publish(vec![sort]);
    }
    for (live, filter, expected) in &mut readers {
        live.drain(Position(8)).await;
        assert_eq!(live.events, *expected, "live: {filter:?}");
        let log = World::on(world.log.clone(), Settings::default());
        let mut late = log.open(Start::Earliest, filter.clone()).await.unwrap();
        late.drain(Position(8)).await;
        assert_eq!(late.events, *expected, "late: {filter:?}");
    }
}

#[tokio::test]
async fn an_event_wakes_only_those_whom_it_concerns() {
    let world = World::new(Settings::default());
    let filter = world.filter(ids(&["a"]), ids(&["1"]), &[EventKind::AgentMessage]);
    let mut reader = world.open(Start::Latest, filter).await.unwrap();
    reader.catch_up().await;
    let mut pending = tokio_test_task(async move { reader.next().await });
    assert!(!pending.is_woken());
    world.publish(vec![event("b", "1", EventKind::AgentMessage)]);
    world.publish(vec![event("a", "2", EventKind::AgentMessage)]);
    world.publish(vec![event("a", "1", EventKind::VisitorMessage)]);
    world.publish(vec![agent_event("bot", EventKind::PlatformAlert)]);
    assert!(!pending.is_woken());
    world.publish(vec![event("a", "1", EventKind::AgentMessage)]);
    assert!(pending.is_woken());
    let Notice::Events(bytes) = pending.finish().await else {
        panic!("an event")
    };
    assert_eq!(super::support::positions(&bytes), [5]);
}

#[tokio::test]
async fn an_availability_check_finds_out_whether_anyone_could_answer() {
    let world = World::new(Settings::default());
    let (bot, other) = (Id::trusted("bot"), Id::trusted("other"));
    let reached = || {
        let hub = &world.hub;
        (
            hub.has_subscribers_for(&bot),
            hub.has_subscribers_for(&other),
        )
    };
    let filters: [(Choice, (bool, bool)); 6] = [
        ((&[], &[], &[]), (true, true)),
        ((&["b"], &[], &[]), (true, false)),
        (
            (&["c"], &[], &[EventKind::AvailabilityRequested]),
            (false, true),
        ),
        ((&["b"], &[], &[EventKind::AgentMessage]), (false, false)),
        ((&["b"], &["1"], &[]), (false, false)),
        ((&[], &["1"], &[]), (false, false)),
    ];
    for ((accounts, conversations, kinds), expected) in filters {
        assert_eq!(reached(), (false, false));
        let filter = world.filter(ids(accounts), ids(conversations), kinds);
        let reader = world.open(Start::Latest, filter).await.unwrap();
        assert_eq!(
            reached(),
            expected,
            "{accounts:?} {conversations:?} {kinds:?}"
        );
        drop(reader);
    }
}

#[tokio::test]
async fn a_filter_that_matches_little_reads_through_a_long_log() {
    let world = World::new(Settings {
        ring_events: 64,
        ..Settings::default()
    });
    let filter = world.filter(ids(&["b"]), Vec::new(), &[]);
    world.publish_some(5_000);
    world.publish(vec![event("b", "1", EventKind::AgentMessage)]);
    world.publish_some(5_000);
    let mut reader = world.open(Start::Earliest, filter).await.unwrap();
    assert_eq!(reader.catch_up().await, Position(10_001));
    assert_eq!(reader.events, [5_001]);
    // Level in the ring: what does not concern it moves its position all the same.
    world.publish_some(3);
    reader.drain(Position(10_004)).await;
    assert_eq!(Filter::all().accounts().len(), 0);
}

/// A future that was polled once, and whether it was woken since.
struct Polled<F> {
    future: std::pin::Pin<Box<F>>,
    woken: std::sync::Arc<Flag>,
}

#[derive(Default)]
struct Flag(std::sync::atomic::AtomicBool);

impl std::task::Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

fn tokio_test_task<F: Future>(future: F) -> Polled<F> {
    let woken = std::sync::Arc::new(Flag::default());
    let mut future = Box::pin(future);
    let waker = woken.clone().into();
    let polled = future
        .as_mut()
        .poll(&mut std::task::Context::from_waker(&waker));
    assert!(polled.is_pending());
    Polled { future, woken }
}

impl<F: Future> Polled<F> {
    fn is_woken(&self) -> bool {
        self.woken.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    async fn finish(&mut self) -> F::Output {
        self.future.as_mut().await
    }
}

#[tokio::test]
async fn nobody_is_given_or_woken_for_an_event_of_another_tenant() {
    use crate::domain::StoredEvent;
    let tenants = ["default", "acme", "bolt"].map(Id::trusted);
    let world = World::new(Settings::default());
    let of = |tenant: &Id, event: StoredEvent| StoredEvent {
        tenant: tenant.clone(),
        ..event
    };
    // The same account, conversation and kind everywhere.
    let choices: [Choice; 4] = [
        (&[], &[], &[]),
        (&["a"], &[], &[]),
        (&[], &["1"], &[]),
        (&["a"], &["1"], &[EventKind::AgentMessage]),
    ];
    let mut readers = Vec::new();
    for (number, tenant) in tenants.iter().enumerate() {
        for (accounts, conversations, kinds) in choices {
            let filter = (world.hub).filter(tenant, ids(accounts), ids(conversations), kinds);
            let mut live = world.open(Start::Latest, filter.clone()).await.unwrap();
            live.catch_up().await;
            readers.push((number, filter, live));
        }
    }
    for tenant in &tenants {
        world.publish(vec![of(tenant, event("a", "1", EventKind::AgentMessage))]);
    }
    for (number, filter, live) in &mut readers {
        let own = vec![1 + *number as u64];
        live.drain(Position(3)).await;
        assert_eq!(live.events, own, "live: {filter:?}");
        let log = World::on(world.log.clone(), Settings::default());
        let mut late = log.open(Start::Earliest, filter.clone()).await.unwrap();
        late.drain(Position(3)).await;
        assert_eq!(late.events, own, "late: {filter:?}");
    }
    drop(readers);
    let filter = (world.hub).filter(&tenants[1], Vec::new(), Vec::new(), &[]);
    let mut reader = world.open(Start::Latest, filter).await.unwrap();
    reader.catch_up().await;
    assert!(!world.hub.has_subscribers_for(&Id::trusted("bot")));
    assert!(world.hub.has_subscribers_for(&Id::trusted("acme.bot")));
    let mut pending = tokio_test_task(async move { reader.next().await });
    for other in [&tenants[0], &tenants[2]] {
        world.publish(vec![of(other, event("a", "1", EventKind::AgentMessage))]);
    }
    assert!(!pending.is_woken());
    world.publish(vec![of(
        &tenants[1],
        event("a", "1", EventKind::AgentMessage),
    )]);
    assert!(pending.is_woken());
    drop(pending.finish().await);
}
