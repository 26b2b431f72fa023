//! Requests and webhooks as lines.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::json;
use tokio::time::Instant;

use super::*;

fn request(body: &Value, status: Option<u16>) -> String {
    line(&Observation::Request(SeenRequest {
        number: 0,
        method: Method::POST,
        path: "/converse/chat".to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_string()),
        started: Instant::now(),
        ended: None,
        status,
    }))
}

fn webhook(event: &str, conversation: Option<&str>, body: Value, answer: WebhookAnswer) -> String {
    line(&Observation::Webhook(SentWebhook {
        number: 0,
        bot_id: "b".to_owned(),
        conversation_id: conversation.map(str::to_owned),
        event: event.to_owned(),
        url: String::new(),
        body,
        started: Instant::now(),
        ended: Instant::now(),
        answer,
    }))
}

fn ok(body: &'static str) -> WebhookAnswer {
    WebhookAnswer::Answered {
        status: 200,
        body: Bytes::from(body),
    }
}

#[test]
fn a_request_is_one_line_even_if_its_text_is_not() {
    let body = json!({"platformConversationId": "c-1", "eventType": "message", "text": "a\nb", "cardIndex": 1});
    let expected = "-> message      c-1          \"a\\nb\" on card 1  [200]";
    assert_eq!(request(&body, Some(200)), expected);
    let expected = "-> POST /converse/chat  [not answered]";
    assert_eq!(request(&json!(5), None), expected);
}

#[test]
fn each_webhook_shows_what_it_says_and_what_it_was_answered() {
    let message = json!({"data": {"text": "Hi", "buttons": [{"text": "A"}, {"text": "B"}]}});
    let line = webhook("sendMessage", Some("c"), message, ok(""));
    assert_eq!(line, "<- sendMessage  c            \"Hi\" with A, B  [200]");
    let action = json!({"name": "look_up", "data": [{"key": "k"}, {"key": "l"}]});
    let line = webhook("action", Some("c"), action, ok("{\"results\":[]}"));
    let expected = "<- action       c            look_up(k, l)  [200 {\"results\":[]}]";
    assert_eq!(line, expected);
    let refused = WebhookAnswer::Failed("connection refused".to_owned());
    let escalation = json!({"data": {"escalateTo": "billing"}});
    let line = webhook("escalate", Some("c"), escalation, refused);
    let expected = "<- escalate     c            to billing  [failed: connection refused]";
    assert_eq!(line, expected);
    let check = json!({"data": {}});
    let line = webhook("isTeamOnline", None, check, ok("{\"isOnline\":true}"));
    let expected = "<- isTeamOnline              team any  [200 {\"isOnline\":true}]";
    assert_eq!(line, expected);
}

#[test]
fn a_long_text_is_cut() {
    let body = json!({"eventType": "message", "text": "ä".repeat(101)});
    let line = request(&body, Some(200));
    assert!(
        line.contains(&format!("\"{}…\"", "ä".repeat(100))),
        "{line}"
    );
}
