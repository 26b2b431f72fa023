//! Subscriptions: broken streams, silence, goodbyes, errors that stay.

use std::time::Duration;

use parloir_client::{
    Code, EventStream, Item, Subscription,
    v1::{Gap, GoingAwayReason, subscribe_events_response::Message},
};
use tokio::time::Instant;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::support::{Fake, OpenStream};

/// The cursor of the next event; what is not an event is passed over.
async fn next_event(events: &mut EventStream) -> String {
    loop {
        if let Some(delivered) = events.next().await.unwrap().unwrap().into_event() {
            return delivered.cursor;
        }
    }
}

/// Opens the stream: runs it until the server has it.
async fn opened(fake: &mut Fake, events: &mut EventStream) -> OpenStream {
    loop {
        tokio::select! {
            stream = fake.subscribed() => return stream,
            item = events.next() => assert!(!matches!(item, Some(Ok(Item::Event(_)) | Err(_)) | None), "{item:?}"),
        }
    }
}

#[tokio::test]
async fn a_broken_stream_misses_nothing_and_repeats_nothing() {
    let mut fake = Fake::start().await;
    let mut events = fake
        .client()
        .subscribe(Subscription::new().accounts(["demo"]).after("c0"));
    let mut received = Vec::new();
    let mut first = 1;

    for _ in 0..3 {
        let stream = opened(&mut fake, &mut events).await;
        assert_eq!(stream.after().unwrap(), format!("c{}", first - 1));
        assert_eq!(stream.request.filter.as_ref().unwrap().accounts, ["demo"]);
        stream.started(&format!("c{}", first - 1));
        for number in first..first + 3 {
            stream.event(number);
            received.push(next_event(&mut events).await);
        }
        first += 3;
    }

    let expected: Vec<_> = (1..=9).map(|number| format!("c{number}")).collect();
    assert_eq!(received, expected);
}

#[tokio::test]
async fn a_stream_may_be_followed_in_another_task() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let reader = tokio::spawn(async move { next_event(&mut events).await });
    let stream = fake.subscribed().await;
    stream.started("c0");
    stream.event(1);
    assert_eq!(reader.await.unwrap(), "c1");
}

#[tokio::test]
async fn an_interruption_is_told_with_its_cause() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    assert!(matches!(events.next().await, Some(Ok(Item::Started(_)))));
    stream.fail(Status::internal("a handler panicked"));

    let Some(Ok(Item::Interrupted { error, retry_in })) = events.next().await else {
        panic!("it broke")
    };
    assert_eq!(error.code(), Code::Internal);
    assert!(
        retry_in >= Duration::from_millis(200) && retry_in <= Duration::from_secs(10),
        "{retry_in:?}"
    );
}

#[tokio::test]
async fn an_event_that_the_server_sends_again_is_handed_out_once() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.event(1);
    stream.event(2);
    assert_eq!(next_event(&mut events).await, "c1");
    assert_eq!(next_event(&mut events).await, "c2");
    drop(stream);

    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.event(1);
    stream.event(2);
    stream.event(3);
    assert_eq!(next_event(&mut events).await, "c3");
}

#[tokio::test]
async fn asking_for_the_next_item_confirms_the_one_before() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.event(1);
    stream.event(2);

    assert_eq!(next_event(&mut events).await, "c1");
    assert_eq!(events.cursor(), Some("c0"));
    assert_eq!(next_event(&mut events).await, "c2");
    assert_eq!(events.cursor(), Some("c1"));
    assert_eq!(events.processed(), Some("c2"));
}

#[tokio::test]
async fn a_stream_from_now_on_resumes_where_it_began() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new());
    let stream = opened(&mut fake, &mut events).await;
    assert_eq!(stream.after(), None);
    assert_eq!(events.cursor(), None);
    stream.started("c7");
    assert!(matches!(events.next().await, Some(Ok(Item::Started(_)))));
    drop(stream);

    let stream = opened(&mut fake, &mut events).await;
    assert_eq!(stream.after(), Some("c7"));
}

#[tokio::test]
async fn a_checkpoint_moves_the_place_and_is_told_once() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.checkpoint("c0");
    stream.checkpoint("c5");
    stream.checkpoint("c5");
    stream.caught_up("c5");

    assert!(matches!(events.next().await, Some(Ok(Item::Started(_)))));
    assert!(matches!(events.next().await, Some(Ok(Item::Checkpoint(at))) if at.cursor == "c5"));
    assert_eq!(events.cursor(), Some("c5"));
    assert!(matches!(events.next().await, Some(Ok(Item::CaughtUp(_)))));
}

#[tokio::test]
async fn a_gap_is_told_and_the_place_is_behind_it_once_confirmed() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c8");
    stream.send(Message::Gap(Gap {
        asked_cursor: "c0".into(),
        resumed_cursor: "c8".into(),
    }));

    assert!(matches!(events.next().await, Some(Ok(Item::Started(_)))));
    assert!(matches!(events.next().await, Some(Ok(Item::Gap(_)))));
    assert_eq!(events.cursor(), Some("c0"));
    assert_eq!(events.processed(), Some("c8"));
}

#[tokio::test(start_paused = true)]
async fn silence_for_two_heartbeats_opens_the_stream_anew() {
    let (mut fake, client) = Fake::on_a_pipe();
    let mut events = client.subscribe(Subscription::new().after("c0"));
    let silent = opened(&mut fake, &mut events).await;
    silent.started("c0");
    silent.event(1);
    assert_eq!(next_event(&mut events).await, "c1");

    let begin = Instant::now();
    let Some(Ok(Item::Interrupted { error, .. })) = events.next().await else {
        panic!("it was silent")
    };
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(begin.elapsed().as_secs(), 30);

    let stream = opened(&mut fake, &mut events).await;
    assert_eq!(stream.after(), Some("c1"));
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_in_time_keeps_the_stream() {
    let (mut fake, client) = Fake::on_a_pipe();
    let mut events = client.subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    let beats = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(15)).await;
            stream.checkpoint("c0");
        }
        stream.event(1);
    };
    let (cursor, ()) = tokio::join!(next_event(&mut events), beats);
    assert_eq!(cursor, "c1");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_busy_for_long_finds_what_arrived_meanwhile() {
    let (mut fake, client) = Fake::on_a_pipe();
    let mut events = client.subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.event(1);
    stream.event(2);
    assert_eq!(next_event(&mut events).await, "c1");
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(matches!(events.next().await, Some(Ok(Item::Event(at))) if at.cursor == "c2"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_starts_the_stream_is_left_after_ten_seconds() {
    let (mut fake, client) = Fake::on_a_pipe();
    let mut events = client.subscribe(Subscription::new().after("c0"));
    let begin = Instant::now();
    let _mute = opened(&mut fake, &mut events).await;
    assert!(matches!(
        events.next().await,
        Some(Ok(Item::Interrupted { .. }))
    ));
    assert_eq!(begin.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_away_is_asked_again_when_it_said() {
    let (mut fake, client) = Fake::on_a_pipe();
    let mut events = client.subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.event(1);
    assert_eq!(next_event(&mut events).await, "c1");

    let begin = Instant::now();
    stream.going_away("c4", Duration::from_secs(25), GoingAwayReason::Shutdown);
    let again = opened(&mut fake, &mut events).await;
    assert_eq!(again.after(), Some("c4"));
    assert_eq!(begin.elapsed().as_secs(), 25);
}

#[tokio::test]
async fn a_stream_that_another_member_took_over_stays_ended() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    stream.going_away("c0", Duration::ZERO, GoingAwayReason::Replaced);
    assert!(matches!(events.next().await, Some(Ok(Item::Started(_)))));
    assert_eq!(
        events.next().await.unwrap().unwrap_err().code(),
        Code::Aborted
    );
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn an_expired_cursor_ends_the_stream_with_the_first_one_that_works() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let mut details = ErrorDetails::new();
    details.set_error_info(
        "CURSOR_EXPIRED",
        "parloir",
        [("first_available_cursor".to_owned(), "c90".to_owned())],
    );
    let status = Status::with_error_details(Code::OutOfRange, "the log begins later", details);
    opened(&mut fake, &mut events).await.fail(status);

    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some("CURSOR_EXPIRED"));
    assert_eq!(error.metadata("first_available_cursor"), Some("c90"));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_refused_subscription_ends_with_the_error() {
    for code in [
        Code::InvalidArgument,
        Code::FailedPrecondition,
        Code::Unimplemented,
    ] {
        let mut fake = Fake::start().await;
        let mut events = fake.client().subscribe(Subscription::new());
        opened(&mut fake, &mut events)
            .await
            .fail(Status::new(code, "no"));
        assert_eq!(events.next().await.unwrap().unwrap_err().code(), code);
        assert!(events.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_server_is_asked_again_after_the_time_it_names() {
    let (mut fake, client) = Fake::on_a_pipe();
    let mut events = client.subscribe(Subscription::new());
    let asked = Duration::from_secs(42);
    let details = ErrorDetails::with_retry_info(Some(asked));
    let status = Status::with_error_details(Code::ResourceExhausted, "too many streams", details);
    opened(&mut fake, &mut events).await.fail(status);

    assert!(
        matches!(events.next().await, Some(Ok(Item::Interrupted { retry_in, .. })) if retry_in == asked)
    );
    let begin = Instant::now();
    opened(&mut fake, &mut events).await;
    assert!(begin.elapsed() >= asked);
}

#[tokio::test]
async fn waiting_may_be_given_up_without_losing_anything() {
    let mut fake = Fake::start().await;
    let mut events = fake.client().subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    for number in 1..=50 {
        stream.event(number);
    }
    let mut received = Vec::new();
    while received.len() < 50 {
        tokio::select! {
            biased;
            cursor = next_event(&mut events) => received.push(cursor),
            () = tokio::task::yield_now() => {}
        }
    }
    let expected: Vec<_> = (1..=50).map(|number| format!("c{number}")).collect();
    assert_eq!(received, expected);
}

#[tokio::test]
async fn sixty_subscriptions_that_are_not_read_do_not_stop_the_one_that_is() {
    let mut fake = Fake::start().await;
    let client = fake.client();
    let mut unread = Vec::new();
    for _ in 0..60 {
        let mut events = client.subscribe(Subscription::new().after("c0"));
        let stream = opened(&mut fake, &mut events).await;
        stream.started("c0");
        // Far more than a stream's window, so that it fills.
        for number in 1..=4_000 {
            stream.event(number);
        }
        unread.push((events, stream));
    }
    let mut events = client.subscribe(Subscription::new().after("c0"));
    let stream = opened(&mut fake, &mut events).await;
    stream.started("c0");
    for number in 1..=1_000 {
        stream.event(number);
        assert_eq!(next_event(&mut events).await, format!("c{number}"));
    }
}
