//! What flows.

use std::time::{Duration, SystemTime};

use parloir_proto::v1::{
    self, EventFilter, SubscribeEventsRequest, subscribe_events_request::Start,
    subscribe_events_response::Message,
};

use super::stage::{Stage, after, earliest, latest, position, with_small_windows};
use crate::{
    domain::{EventKind, Position},
    hub::{
        Settings,
        tests::support::{World, agent_event, event},
    },
};

#[tokio::test]
async fn a_stream_begins_with_what_is_in_force() {
    let stage = Stage::new(Settings::default()).await;
    stage.world.publish_some(3);
    let request = SubscribeEventsRequest {
        heartbeat: Some(prost_types::Duration {
            seconds: 7,
            nanos: 500_000_000,
        }),
        ..latest()
    };
    let (started, mut reader) = stage.open(request).await.unwrap();
    assert_eq!(position(&started.cursor), 3);
    let heartbeat = Duration::try_from(started.heartbeat.unwrap()).unwrap();
    assert_eq!(heartbeat, Duration::from_millis(7500));
    let lifetime = Duration::try_from(started.lifetime.unwrap()).unwrap();
    assert!(lifetime >= Duration::from_mins(24) && lifetime <= Duration::from_mins(30));
    let time = SystemTime::try_from(started.server_time.unwrap()).unwrap();
    assert!(time.elapsed().unwrap() < Duration::from_mins(1));
    assert_eq!(started.max_event_bytes, Settings::default().max_event_bytes);
    let Some(Message::CaughtUp(level)) = reader.next().await else {
        panic!("level at once")
    };
    assert_eq!(level.cursor, started.cursor);
}

#[tokio::test]
async fn events_arrive_as_they_were_stored() {
    let stage = Stage::new(Settings::default()).await;
    let (_, mut reader) = stage.open(latest()).await.unwrap();
    let told = v1::Event {
        event_id: "e".into(),
        traceparent: "t".repeat(200),
        sequence: 12,
        body: Some(v1::event::Body::Erased(v1::Erased::default())),
        ..v1::Event::default()
    };
    let mut stored = event("a", "1", EventKind::Erased);
    stored.bytes = prost::Message::encode_to_vec(&told).into();
    stage.world.publish(vec![stored]);
    assert!(matches!(reader.next().await, Some(Message::CaughtUp(_))));
    let Some(Message::Event(delivered)) = reader.next().await else {
        panic!("an event")
    };
    let expected = v1::DeliveredEvent {
        event: Some(told),
        cursor: stage.world.hub.cursor(Position(1)),
        ..v1::DeliveredEvent::default()
    };
    assert_eq!(delivered, expected);
}

#[tokio::test]
async fn other_calls_go_to_the_generated_service() {
    let mut stage = Stage::new(Settings::default()).await;
    let request = v1::GetConversationRequest::default();
    let status = stage.client.get_conversation(request).await.unwrap_err();
    assert_eq!(status.message(), "get_conversation");
}

#[tokio::test]
async fn a_cursor_resumes_exactly_after_what_was_seen() {
    let stage = Stage::new(Settings::default()).await;
    stage.world.publish_some(10);
    let (_, mut reader) = stage.open(earliest()).await.unwrap();
    let seen = reader.events(4).await;
    assert_eq!(seen, [1, 2, 3, 4]);
    let cursor = stage.world.hub.cursor(Position(4));
    let (started, mut reader) = stage.open(after(&cursor)).await.unwrap();
    assert_eq!(started.cursor, cursor);
    assert_eq!(reader.events(6).await, [5, 6, 7, 8, 9, 10]);
    assert!(matches!(reader.next().await, Some(Message::CaughtUp(_))));
}

#[tokio::test]
async fn a_time_begins_with_the_first_event_at_or_after_it() {
    // In this log an event's time is its position.
    let stage = Stage::new(Settings::default()).await;
    stage.world.publish_some(10);
    let request = SubscribeEventsRequest {
        start: Some(Start::AtTime(prost_types::Timestamp {
            seconds: 0,
            nanos: 8_000,
        })),
        ..latest()
    };
    let (_, mut reader) = stage.open(request).await.unwrap();
    assert_eq!(reader.events(3).await, [8, 9, 10]);
}

#[tokio::test]
async fn a_filter_is_by_account_conversation_and_kind_and_knows_whose_agent_asks() {
    let stage = Stage::new(Settings::default()).await;
    let filtered = |accounts: &[&str], conversations: &[&str], kinds: &[v1::EventKind]| {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        SubscribeEventsRequest {
            filter: Some(EventFilter {
                accounts: own(accounts),
                conversation_ids: own(conversations),
                kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            }),
            ..latest()
        }
    };
    let kind = v1::EventKind::VisitorMessage;
    let (_, mut of_a) = stage.open(filtered(&["a"], &[], &[])).await.unwrap();
    let (_, mut of_two) = stage
        .open(filtered(&["a", "b"], &["2"], &[]))
        .await
        .unwrap();
    let (_, mut visitors) = stage.open(filtered(&[], &[], &[kind])).await.unwrap();
    stage.world.publish(vec![
        event("a", "1", EventKind::AgentMessage),
        event("a", "2", EventKind::VisitorMessage),
        event("b", "2", EventKind::AgentMessage),
        event("c", "1", EventKind::VisitorMessage),
        agent_event("bot", EventKind::AvailabilityRequested),
        agent_event("other", EventKind::AvailabilityRequested),
    ]);
    assert_eq!(of_a.events(3).await, [1, 2, 5]);
    assert_eq!(of_two.events(2).await, [2, 3]);
    assert_eq!(visitors.events(2).await, [2, 4]);
}

#[tokio::test]
async fn a_quiet_stream_sends_a_checkpoint_within_its_heartbeat() {
    let stage = Stage::new(Settings::default()).await;
    let request = SubscribeEventsRequest {
        heartbeat: Some(prost_types::Duration {
            seconds: 1,
            nanos: 0,
        }),
        filter: Some(EventFilter {
            accounts: vec!["b".into()],
            ..EventFilter::default()
        }),
        ..latest()
    };
    let (_, mut reader) = stage.open(request).await.unwrap();
    assert!(matches!(reader.next().await, Some(Message::CaughtUp(_))));
    stage.world.publish_some(5);
    let Some(Message::Checkpoint(checkpoint)) = reader.next().await else {
        panic!("a checkpoint")
    };
    assert_eq!(position(&checkpoint.cursor), 5);
    assert!(checkpoint.server_time.is_some());
}

#[tokio::test]
async fn a_stream_that_does_not_read_slows_nobody_and_loses_nothing() {
    const EVENTS: usize = 6_000;
    let stage = Stage::new(Settings {
        ring_events: 64,
        ..Settings::default()
    })
    .await;
    let response = with_small_windows(&stage.url)
        .await
        .subscribe_events(latest())
        .await;
    let mut stuck = super::stage::Reader {
        stream: response.unwrap().into_inner(),
    };
    let (_, mut brisk) = stage.open(latest()).await.unwrap();
    for _ in 0..EVENTS / 50 {
        stage.world.publish_some(50);
        brisk.events(50).await;
    }
    // More than the windows and the ring hold: the rest comes from the log.
    let (mut events, mut fell, mut level) = (Vec::new(), 0, 0);
    while events.len() < EVENTS || level <= fell {
        match stuck.next().await {
            Some(Message::Event(event)) => events.push(position(&event.cursor)),
            Some(Message::FellBehind(_)) => fell += 1,
            Some(Message::CaughtUp(_)) => level += 1,
            _ => {}
        }
    }
    assert_eq!(events, (1..=EVENTS as u64).collect::<Vec<_>>());
    assert_eq!((fell, level), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_what_is_new_join_without_a_gap_while_events_come() {
    const EVENTS: usize = 2_000;
    for seed in 0..6 {
        let log = std::sync::Arc::default();
        World::on(std::sync::Arc::clone(&log), Settings::default()).publish_some(500);
        let settings = Settings {
            ring_events: 32,
            page_events: 50,
            ..Settings::default()
        };
        let stage = Stage::with(World::on(log, settings)).await;
        let mut reading = Vec::new();
        for _ in 0..4 {
            let (_, mut reader) = stage.open(earliest()).await.unwrap();
            reading.push(tokio::spawn(async move { reader.events(EVENTS).await }));
        }
        let mut random = fastrand::Rng::with_seed(seed);
        let mut left = EVENTS - 500;
        while left > 0 {
            let batch = random.usize(1..=20).min(left);
            stage.world.publish_some(batch);
            left -= batch;
            if random.u8(..) < 64 {
                tokio::task::yield_now().await;
            }
        }
        for reader in reading {
            assert_eq!(
                reader.await.unwrap(),
                (1..=EVENTS as u64).collect::<Vec<_>>()
            );
        }
    }
}
