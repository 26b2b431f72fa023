//! Unary calls: every one reaches its method, keys make repeats safe, deadlines hold.

use std::time::Duration;

use parloir_client::{
    Client, Code,
    v1::{
        Choice, EndConversationRequest, GetConversationRequest, ListConversationsRequest,
        ListEventsRequest, RespondToAgentRequest, SendMessageRequest, SetAvailabilityRequest,
        StartConversationRequest, TransferConversationRequest, UpdateParametersRequest,
        send_message_request::Content,
    },
};
use tokio::time::Instant;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::support::{Answer, Fake};

fn unavailable(details: ErrorDetails) -> Answer {
    Answer::Status(Status::with_error_details(
        Code::Unavailable,
        "the store cannot write",
        details,
    ))
}

#[tokio::test]
async fn a_call_that_meets_unavailable_is_repeated_with_the_same_key() {
    let fake = Fake::start().await;
    fake.sent
        .answers
        .lock()
        .unwrap()
        .push_back(unavailable(ErrorDetails::new()));

    let answer = fake
        .client()
        .say("demo", "c-1", "m-1", "Hello")
        .await
        .unwrap();

    assert_eq!(answer.cursor, "c1");
    let requests = fake.sent.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.message_id == "m-1"));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_for_as_long_as_the_server_asks() {
    let (fake, client) = Fake::on_a_pipe();
    let asked = Duration::from_secs(7);
    fake.sent
        .answers
        .lock()
        .unwrap()
        .push_back(unavailable(ErrorDetails::with_retry_info(Some(asked))));

    let begin = Instant::now();
    client.say("demo", "c-1", "m-1", "Hello").await.unwrap();

    assert!(begin.elapsed() >= asked, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_would_come_too_late_is_not_waited_for() {
    let (fake, client) = Fake::on_a_pipe();
    let details = ErrorDetails::with_retry_info(Some(Duration::from_mins(1)));
    fake.sent
        .answers
        .lock()
        .unwrap()
        .push_back(unavailable(details));

    let begin = Instant::now();
    let error = client.say("demo", "c-1", "m-1", "Hello").await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_mins(1)));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn other_errors_are_answered_at_once() {
    let fake = Fake::start().await;
    fake.sent
        .answers
        .lock()
        .unwrap()
        .push_back(Answer::Status(Status::resource_exhausted("too many")));

    let error = fake
        .client()
        .say("demo", "c-1", "m-1", "Hello")
        .await
        .unwrap_err();

    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(fake.sent.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_resend_is_never_repeated() {
    let fake = Fake::start().await;
    fake.sent
        .answers
        .lock()
        .unwrap()
        .push_back(unavailable(ErrorDetails::new()));

    let request = SendMessageRequest {
        message_id: "m-1".into(),
        resend: true,
        ..SendMessageRequest::default()
    };
    let error = fake.client().send_message(request).await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(fake.sent.requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_at_its_deadline() {
    let (fake, client) = Fake::on_a_pipe();
    fake.sent.answers.lock().unwrap().push_back(Answer::Never);

    let begin = Instant::now();
    let error = client.say("demo", "c-1", "m-1", "Hello").await.unwrap_err();

    assert_eq!(error.code(), Code::DeadlineExceeded);
    // tokio's timers have a resolution of a millisecond.
    let elapsed = begin.elapsed();
    assert!(
        (10_000..=10_002).contains(&elapsed.as_millis()),
        "{elapsed:?}"
    );
}

#[tokio::test]
async fn the_server_is_told_the_deadline() {
    let fake = Fake::start().await;
    let client = Client::builder(&fake.url)
        .deadline(Duration::from_secs(3))
        .connect()
        .await
        .unwrap();
    client.say("demo", "c-1", "m-1", "Hello").await.unwrap();

    let timeout = fake.sent.timeouts.lock().unwrap()[0].clone();
    let (number, unit) = timeout.split_at(timeout.len() - 1);
    let number: u64 = number.parse().unwrap();
    let told = match unit {
        "n" => Duration::from_nanos(number),
        "u" => Duration::from_micros(number),
        "m" => Duration::from_millis(number),
        unit => panic!("an unexpected unit {unit}"),
    };
    assert!(
        told > Duration::from_secs(2) && told <= Duration::from_secs(3),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_choice_carries_its_card_and_event() {
    let fake = Fake::start().await;
    let choice = Choice {
        label: "Buy".into(),
        card_index: Some(2),
        event_id: "e9".into(),
    };
    fake.client()
        .choose("demo", "c-1", "m-1", choice.clone())
        .await
        .unwrap();
    assert_eq!(
        fake.sent.requests.lock().unwrap()[0].content,
        Some(Content::Choice(choice))
    );
}

#[tokio::test]
async fn every_call_reaches_its_method() {
    let client = Fake::start().await.client();
    let mut reached = Vec::new();
    macro_rules! reach {
        ($($call:ident($request:ident)),* $(,)?) => {$(
            let error = client.$call($request::default()).await.unwrap_err();
            assert_eq!(error.code(), Code::Unimplemented);
            assert_eq!(error.message(), stringify!($call));
            reached.push(stringify!($call));
        )*};
    }
    reach!(
        start_conversation(StartConversationRequest),
        update_parameters(UpdateParametersRequest),
        end_conversation(EndConversationRequest),
        respond_to_agent(RespondToAgentRequest),
        set_availability(SetAvailabilityRequest),
        transfer_conversation(TransferConversationRequest),
        get_conversation(GetConversationRequest),
        list_conversations(ListConversationsRequest),
        list_events(ListEventsRequest),
    );
    assert_eq!(reached.len(), 9);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    // The port was free a moment ago and nothing listens on it.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = Client::builder(format!("http://{free}"))
        .connect()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains(&free.to_string()), "{error}");
}

#[tokio::test]
async fn a_url_without_a_scheme_is_refused_with_the_remedy() {
    for url in ["127.0.0.1:50051", "localhost:50051", "not a url", ""] {
        let error = Client::builder(url).connect_lazy().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{url}");
        assert!(error.message().contains("http://"), "{error}");
    }
}
