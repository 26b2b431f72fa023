//! Faults: wrong answers down to the socket, and webhooks gone astray.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{BOT, KEY, Stage, texts};
use crate::simulate::{AnswerFault, Fault, WebhookFault};

const THREE: &str = r#"
[[dialogue]]
name = "three"
default = true
[[dialogue.step]]
replies = ["one", "two", "three"]
"#;

fn hello() -> Value {
    json!({"platformConversationId": "c", "eventType": "message", "text": "hello"})
}

/// Sends a message on a socket of its own; what comes back, and how it ends.
async fn talk(stage: &Stage) -> (String, Result<(), ErrorKind>) {
    let mut socket = open(stage).await;
    let mut answer = Vec::new();
    let end = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    (answer, end.map(|_| ()).map_err(|error| error.kind()))
}

async fn open(stage: &Stage) -> TcpStream {
    let address = stage.simulator.local_addr();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let body = hello().to_string();
    let length = body.len();
    let request = format!(
        "POST /converse/chat HTTP/1.1\r\nhost: {address}\r\nauthorization: {KEY}\r\nbotid: {BOT}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_latency_holds_the_answer_back_and_not_the_bot() {
    let stage = Stage::shop().await;
    let hour = Duration::from_hours(1);
    stage.simulator.faults().set(Fault::latency(hour));
    let mut socket = open(&stage).await;
    stage.simulator.wait_for_webhooks(1).await;
    assert_eq!(stage.simulator.requests()[0].ended, None);
    stage.simulator.clock().advance(hour);
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_status_refuses_the_first_requests_and_says_when_to_come_back() {
    let stage = Stage::shop().await;
    let fault = Fault::status_retry_after(429, Duration::from_millis(1500));
    stage.simulator.faults().set(fault.times(2));
    let headers = [("Authorization", KEY), ("botid", BOT)];
    for _ in 0..2 {
        let answer = stage.request(&headers, &hello()).send().await.unwrap();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "2");
    }
    assert_eq!(stage.simulator.conversation(BOT, "c"), None);
    assert_eq!(stage.post(hello()).await, 200);
    let statuses = stage.simulator.requests();
    let statuses: Vec<_> = statuses.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(429), Some(429), Some(200)]);
}

#[tokio::test]
async fn a_refused_request_can_have_been_processed_all_the_same() {
    let stage = Stage::shop().await;
    stage
        .simulator
        .faults()
        .set(Fault::status(500).processed(true));
    assert_eq!(stage.post(hello()).await, 500);
    stage.simulator.settle(BOT, "c").await;
    assert_eq!(stage.receiver.texts().len(), 1);
}

#[tokio::test]
async fn queued_faults_are_met_once_each_and_in_turn() {
    let stage = Stage::shop().await;
    stage.simulator.faults().push(&Fault::status(503).times(2));
    stage.simulator.faults().push(&Fault::status(400));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(stage.post(hello()).await);
    }
    assert_eq!(statuses, [503, 503, 400, 200]);
    stage.simulator.faults().set(Fault::status(500));
    stage.simulator.faults().push(&Fault::status(503));
    stage.simulator.faults().clear();
    assert_eq!(stage.post(hello()).await, 200);
}

#[tokio::test]
async fn a_request_that_is_never_answered_ends_when_its_sender_hangs_up() {
    let stage = Stage::shop().await;
    let fault = Fault::answer(AnswerFault::NeverAnswer);
    stage.simulator.faults().set(fault);
    let socket = open(&stage).await;
    stage.simulator.wait_for_webhooks(1).await;
    assert_eq!(stage.simulator.requests()[0].ended, None);
    drop(socket);
    let seen = stage.simulator.wait_for_answers(1).await;
    assert!(seen[0].ended.is_some());
    assert_eq!(seen[0].status, None);
}

#[tokio::test]
async fn a_connection_is_reset_before_any_header() {
    let stage = Stage::shop().await;
    let fault = Fault::answer(AnswerFault::ResetBeforeHeaders);
    stage.simulator.faults().set(fault.times(1));
    let (answer, end) = talk(&stage).await;
    assert_eq!(
        (answer.as_str(), end),
        ("", Err(ErrorKind::ConnectionReset))
    );
    assert_eq!(talk(&stage).await.1, Ok(()));
}

#[tokio::test]
async fn a_connection_is_reset_after_the_headers() {
    let stage = Stage::shop().await;
    let fault = Fault::answer(AnswerFault::ResetAfterHeaders);
    stage.simulator.faults().set(fault);
    let (answer, end) = talk(&stage).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_body_is_shorter_than_announced() {
    let stage = Stage::shop().await;
    let fault = Fault::answer(AnswerFault::TruncatedBody);
    stage.simulator.faults().set(fault);
    let (answer, end) = talk(&stage).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.to_lowercase().contains("content-length: 1000"),
        "{head}"
    );
    assert_eq!((body, end), ("{\"status\":", Ok(())));
}

#[tokio::test]
async fn a_body_goes_on_until_its_reader_hangs_up() {
    let stage = Stage::shop().await;
    let fault = Fault::answer(AnswerFault::EndlessBody);
    stage.simulator.faults().set(fault);
    let mut socket = open(&stage).await;
    let mut much = vec![0; 4 << 20];
    socket.read_exact(&mut much).await.unwrap();
    drop(socket);
    stage.simulator.stop().await;
}

#[tokio::test]
async fn a_body_does_not_parse() {
    let stage = Stage::shop().await;
    let fault = Fault::answer(AnswerFault::MalformedBody);
    stage.simulator.faults().set(fault);
    let headers = [("Authorization", KEY), ("botid", BOT)];
    let answer = stage.request(&headers, &hello()).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body = answer.text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
}

#[tokio::test]
async fn a_redirect_leads_where_it_is_told() {
    let stage = Stage::shop().await;
    let url = "http://elsewhere.example.org/converse/chat";
    let fault = Fault::answer(AnswerFault::Redirect(url.to_owned()));
    stage.simulator.faults().set(fault);
    let headers = [("Authorization", KEY), ("botid", BOT)];
    let answer = stage.request(&headers, &hello()).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], url);
    assert_eq!(stage.simulator.conversation(BOT, "c"), None);
}

#[tokio::test]
async fn a_duplicate_webhook_has_the_same_message_id() {
    let stage = Stage::shop().await;
    stage
        .simulator
        .faults()
        .set(Fault::webhooks(WebhookFault::Duplicate));
    stage.say("c", "hello").await;
    let received = stage.receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn a_duplicate_question_is_asked_twice_at_once() {
    let stage = Stage::shop().await;
    stage
        .simulator
        .faults()
        .set(Fault::webhooks(WebhookFault::Duplicate));
    let said = stage.say("c", "human").await;
    assert_eq!(said.len(), 2);
    assert!(said[0].started < said[1].ended && said[1].started < said[0].ended);
}

#[tokio::test]
async fn reordered_webhooks_change_places_with_their_neighbours() {
    let stage = Stage::script(THREE).await;
    stage
        .simulator
        .faults()
        .set(Fault::webhooks(WebhookFault::Reorder));
    stage.say("c", "go").await;
    assert_eq!(stage.receiver.texts(), ["two", "one", "three"]);
}

#[tokio::test]
async fn late_webhooks_keep_their_order_and_let_others_pass() {
    let stage = Stage::script(THREE).await;
    let hour = Duration::from_hours(1);
    let fault = Fault::webhooks(WebhookFault::Late(hour));
    stage.simulator.faults().push(&fault);
    assert_eq!(stage.say("c", "go").await.len(), 0);
    assert_eq!(texts(&stage.say("c", "go").await), ["one", "two", "three"]);
    stage.simulator.clock().advance(hour);
    stage.simulator.wait_for_webhooks(6).await;
    assert_eq!(stage.receiver.texts()[3..], ["one", "two", "three"]);
}

#[tokio::test]
async fn webhooks_can_wait_for_the_end_of_the_conversation() {
    let stage = Stage::script(THREE).await;
    let fault = Fault::webhooks(WebhookFault::AfterEnd);
    stage.simulator.faults().push(&fault);
    assert_eq!(stage.say("c", "go").await.len(), 0);
    let said = stage.send("c", "endSession", json!({})).await;
    assert_eq!(texts(&said), ["one", "two", "three"]);
}

#[tokio::test]
async fn webhooks_that_are_never_sent_are_missed_and_questions_fail() {
    let stage = Stage::shop().await;
    stage
        .simulator
        .faults()
        .push(&Fault::webhooks(WebhookFault::Never));
    assert_eq!(stage.say("c", "hello").await.len(), 0);
    stage
        .simulator
        .faults()
        .push(&Fault::webhooks(WebhookFault::Never));
    assert_eq!(stage.say("c", "Track my parcel").await.len(), 0);
    assert_eq!(stage.say("c", "hello").await.len(), 1);
}

#[tokio::test]
async fn a_fault_of_a_dialogue_is_met_by_its_requests_only() {
    let stage = Stage::shop().await;
    let unreliable =
        json!({"platformConversationId": "c", "eventType": "message", "text": "unreliable"});
    assert_eq!(stage.post(hello()).await, 200);
    assert_eq!(stage.post(unreliable.clone()).await, 503);
    assert_eq!(stage.post(unreliable).await, 200);
    stage.simulator.settle(BOT, "c").await;
    assert_eq!(stage.say("c", "echo").await.len(), 2);
}
