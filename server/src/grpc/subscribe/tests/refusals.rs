//! What is refused, and in which words.

use parloir_proto::v1::{
    EventFilter, EventKind, OnExpiredCursor, SubscribeEventsRequest,
    subscribe_events_request::Start, subscribe_events_response::Message,
};
use tonic::{Code, Status, codec::CompressionEncoding};
use tonic_types::StatusExt;

use super::stage::{Stage, after, earliest, latest, position};
use crate::{
    domain::{Cursor, Position},
    grpc::status::FIRST_AVAILABLE_CURSOR,
    hub::{
        Settings,
        tests::support::{EPOCH, World},
    },
};

fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("error info").reason
}

/// The fields that a refusal names.
fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_details_bad_request().expect("a bad request");
    let violations = details.field_violations.into_iter();
    violations.map(|violation| violation.field).collect()
}

fn filtered(filter: EventFilter) -> SubscribeEventsRequest {
    SubscribeEventsRequest {
        filter: Some(filter),
        ..latest()
    }
}

#[tokio::test]
async fn a_wrong_field_is_named_by_its_exact_path() {
    let stage = Stage::new(Settings::default()).await;
    let name = |text: &str| vec!["fine".to_owned(), text.to_owned()];
    let cases = [
        (
            filtered(EventFilter {
                kinds: vec![5, 0],
                ..EventFilter::default()
            }),
            "filter.kinds[1]",
        ),
        (
            filtered(EventFilter {
                kinds: vec![99],
                ..EventFilter::default()
            }),
            "filter.kinds[0]",
        ),
        (
            filtered(EventFilter {
                accounts: name(""),
                ..EventFilter::default()
            }),
            "filter.accounts[1]",
        ),
        (
            filtered(EventFilter {
                conversation_ids: name("a\0b"),
                ..EventFilter::default()
            }),
            "filter.conversation_ids[1]",
        ),
        (
            filtered(EventFilter {
                accounts: vec!["a".into(); 1001],
                ..EventFilter::default()
            }),
            "filter.accounts",
        ),
        (after(""), "after_cursor"),
        (after("not a cursor"), "after_cursor"),
        (
            SubscribeEventsRequest {
                start: Some(Start::Position(0)),
                ..latest()
            },
            "position",
        ),
        (
            SubscribeEventsRequest {
                start: Some(Start::Position(7)),
                ..latest()
            },
            "position",
        ),
        (
            SubscribeEventsRequest {
                start: Some(Start::AtTime(prost_types::Timestamp {
                    seconds: 1,
                    nanos: -1,
                })),
                ..latest()
            },
            "at_time",
        ),
        (
            SubscribeEventsRequest {
                on_expired_cursor: 9,
                ..latest()
            },
            "on_expired_cursor",
        ),
    ];
    for (request, field) in cases {
        let status = stage.refusal(request).await;
        assert_eq!(fields(&status), [field], "{status:?}");
    }
}

#[tokio::test]
async fn a_heartbeat_is_one_to_sixty_seconds() {
    let stage = Stage::new(Settings::default()).await;
    let with = |seconds, nanos| SubscribeEventsRequest {
        heartbeat: Some(prost_types::Duration { seconds, nanos }),
        ..latest()
    };
    for (seconds, nanos) in [(0, 0), (0, 999_999_999), (60, 1), (-5, 0), (i64::MAX, 0)] {
        let status = stage.refusal(with(seconds, nanos)).await;
        assert_eq!(fields(&status), ["heartbeat"]);
    }
    for seconds in [1, 60] {
        assert!(stage.open(with(seconds, 0)).await.is_ok());
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let stage = Stage::new(Settings::default()).await;
    let request = SubscribeEventsRequest {
        filter: Some(EventFilter {
            accounts: vec![String::new()],
            kinds: vec![EventKind::Unspecified.into()],
            ..EventFilter::default()
        }),
        ..after("damaged")
    };
    let status = stage.refusal(request).await;
    let expected = ["filter.accounts[0]", "filter.kinds[0]", "after_cursor"];
    assert_eq!(fields(&status), expected);
}

#[tokio::test]
async fn a_named_subscription_is_refused_where_there_are_none() {
    let stage = Stage::new(Settings::default()).await;
    let request = SubscribeEventsRequest {
        subscription: "crm".into(),
        ..latest()
    };
    let status = stage.refusal(request).await;
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(
        status.message().contains("no named subscriptions here"),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_cursor_of_another_database_is_refused_and_not_misread() {
    let stage = Stage::new(Settings::default()).await;
    stage.world.publish_some(5);
    let cursor = |epoch, log_id, position| {
        let position = Position(position);
        Cursor {
            epoch,
            log_id,
            position,
        }
        .encode()
    };
    for foreign in [
        cursor(EPOCH + 1, 0, 3),
        cursor(EPOCH, 1, 3),
        cursor(EPOCH, 0, 6),
    ] {
        let status = stage.refusal(after(&foreign)).await;
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason(&status), "CURSOR_UNKNOWN");
    }
}

#[tokio::test]
async fn an_expired_cursor_is_refused_with_the_first_usable_one_or_leaves_a_gap() {
    let log = std::sync::Arc::default();
    World::on(std::sync::Arc::clone(&log), Settings::default()).publish_some(20);
    let stage = Stage::with(World::on(log, Settings::default())).await;
    stage.world.log.trim(8);
    let expired = stage.world.hub.cursor(Position(2));
    let status = stage.refusal(after(&expired)).await;
    assert_eq!(status.code(), Code::OutOfRange);
    let info = status.get_details_error_info().expect("error info");
    assert_eq!(info.reason, "CURSOR_EXPIRED");
    let first = &info.metadata[FIRST_AVAILABLE_CURSOR];
    let (_, mut reader) = stage.open(after(first)).await.unwrap();
    assert_eq!(reader.events(2).await, [8, 9]);

    for (choice, resumed) in [
        (OnExpiredCursor::Earliest, 7),
        (OnExpiredCursor::Latest, 20),
    ] {
        let request = SubscribeEventsRequest {
            on_expired_cursor: choice.into(),
            ..after(&expired)
        };
        let (started, mut reader) = stage.open(request).await.unwrap();
        assert_eq!(position(&started.cursor), resumed);
        let Some(Message::Gap(gap)) = reader.next().await else {
            panic!("a gap")
        };
        assert_eq!(gap.asked_cursor, expired);
        assert_eq!(position(&gap.resumed_cursor), resumed);
    }
}

#[tokio::test]
async fn one_stream_too_many_is_told_when_to_try_again() {
    let stage = Stage::new(Settings {
        max_streams: 1,
        ..Settings::default()
    })
    .await;
    let (_, _open) = stage.open(latest()).await.unwrap();
    let status = stage.refusal(latest()).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_details_retry_info().is_some());
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_told_as_unavailable() {
    let log = std::sync::Arc::default();
    World::on(std::sync::Arc::clone(&log), Settings::default()).publish_some(20);
    let stage = Stage::with(World::on(log, Settings::default())).await;
    let fails = &stage.world.log.fails;
    fails.store(true, std::sync::atomic::Ordering::SeqCst);
    let (_, mut reader) = stage.open(earliest()).await.unwrap();
    let status = reader.stream.message().await.expect_err("the log is gone");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "STORE_UNAVAILABLE");
}

#[tokio::test]
async fn a_request_that_is_too_large_or_compressed_is_refused() {
    let stage = Stage::new(Settings::default()).await;
    let large = SubscribeEventsRequest {
        member_id: "x".repeat(70_000),
        ..latest()
    };
    let status = stage.refusal(large).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "LIMIT_REACHED");
    let client = stage.client.clone();
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    let status = client
        .subscribe_events(earliest())
        .await
        .expect_err("compressed");
    assert_eq!(status.code(), Code::Unimplemented);
}
