//! Checks A: what the platform sees of us.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::MetadataField,
    fixture::{BOT, Fixture},
};
use crate::{
    agents::conformance::{KEY, message, parameter, send_to},
    domain::{
        Parameter,
        outbound::{Outbound, OutboundContent, Refusal, Sent},
        ports::Agent,
    },
    tests::fake_server::{Behaviour, FakeServer, Request},
};

use super::platform::FakeZendesk;

async fn sent(content: OutboundContent) -> Request {
    let server = FakeServer::start().await;
    let outbound = Outbound {
        upstream_id: "C".to_owned(),
        content,
    };
    let sent = Fixture::at(&server).agent.send(&outbound).await;
    assert_eq!(sent, Sent::Acknowledged);
    assert_eq!(server.requests().len(), 1);
    server.last_request()
}

fn start(parameters: Vec<Parameter>) -> OutboundContent {
    OutboundContent::Start { parameters }
}

fn said(text: &str, card_index: Option<u32>) -> OutboundContent {
    OutboundContent::Message {
        text: text.to_owned(),
        card_index,
        parameters: Vec::new(),
    }
}

#[tokio::test]
async fn check_01_a_start_is_one_post_of_the_id_and_its_event_type() {
    let request = sent(start(Vec::new())).await;
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/converse/chat");
    let expected = json!({ "platformConversationId": "C", "eventType": "startSession" });
    assert_eq!(request.json(), expected);
}

#[tokio::test]
async fn check_02_the_headers_are_the_bare_key_the_bot_id_and_json() {
    let request = sent(start(Vec::new())).await;
    assert_eq!(request.headers["authorization"].as_bytes(), KEY.as_bytes());
    assert_eq!(request.header("botid"), BOT);
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("accept"), "application/json");
}

#[tokio::test]
async fn a_configured_prefix_stands_before_the_key() {
    let server = FakeServer::start().await;
    let fixture = Fixture::new(&server.url(), |_, platform, _| {
        platform.authorization_prefix = "Bearer ".to_owned();
    });
    fixture.agent.send(&message("hi")).await;
    let expected = format!("Bearer {KEY}");
    assert_eq!(server.last_request().header("authorization"), expected);
}

#[tokio::test]
async fn check_03_04_the_path_of_the_base_is_kept_with_and_without_a_slash_at_its_end() {
    let server = FakeServer::start().await;
    for (base, path) in [
        ("", "/converse/chat"),
        ("/", "/converse/chat"),
        ("/ai-agents/api", "/ai-agents/api/converse/chat"),
        ("/ai-agents/api/", "/ai-agents/api/converse/chat"),
    ] {
        let fixture = Fixture::new(&format!("{}{base}", server.url()), |_, _, _| {});
        fixture.agent.send(&message("hi")).await;
        assert_eq!(server.last_request().path, path, "{base}");
    }
}

#[tokio::test]
async fn check_05_07_words_and_a_buttons_label_are_a_message_without_a_card() {
    for words in ["hi", "Track it"] {
        let expected =
            json!({ "platformConversationId": "C", "eventType": "message", "text": words });
        assert_eq!(sent(said(words, None)).await.json(), expected);
    }
}

#[tokio::test]
async fn check_08_09_a_cards_index_is_a_number_and_present_for_the_first_card_too() {
    for index in [0, 1] {
        let body = sent(said("Choose", Some(index))).await.json();
        assert_eq!(body["text"], "Choose");
        assert_eq!(body["cardIndex"], Value::from(index));
    }
}

#[tokio::test]
async fn check_11_parameters_are_a_list_of_keys_and_text_values() {
    let parameters = vec![parameter("orderNumber", "A-1009", false)];
    let body = sent(OutboundContent::Parameters { parameters })
        .await
        .json();
    let expected = json!({
        "platformConversationId": "C", "eventType": "metadata",
        "metaData": [{ "key": "orderNumber", "value": "A-1009" }],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn check_12_a_value_that_looks_like_a_number_or_a_boolean_stays_text() {
    let parameters = ["5", "true"].map(|value| parameter("k", value, false));
    let body = sent(start(parameters.to_vec())).await.json();
    assert_eq!(body["metaData"][0]["value"], Value::from("5"));
    assert_eq!(body["metaData"][1]["value"], Value::from("true"));
}

#[tokio::test]
async fn check_13_14_only_a_personal_parameter_is_to_be_sanitised() {
    let parameters = vec![
        parameter("email", "ana@example.org", true),
        parameter("tier", "gold", false),
    ];
    let body = sent(start(parameters)).await.json();
    let expected = json!([
        { "key": "email", "value": "ana@example.org", "sanitize": true },
        { "key": "tier", "value": "gold" },
    ]);
    assert_eq!(body["metaData"], expected);
}

#[tokio::test]
async fn parameters_go_under_the_configured_name_alone() {
    let server = FakeServer::start().await;
    let fixture = Fixture::new(&server.url(), |_, platform, _| {
        platform.metadata_field = MetadataField::Metadata;
    });
    let outbound = Outbound {
        upstream_id: "C".to_owned(),
        content: start(vec![parameter("k", "v", false)]),
    };
    fixture.agent.send(&outbound).await;
    let body = server.last_request().json();
    assert_eq!(body["metadata"], json!([{ "key": "k", "value": "v" }]));
    assert_eq!(body.get("metaData"), None);
}

#[test]
fn check_16_the_platforms_own_parameters_are_named_as_reserved() {
    let fixture = Fixture::listening();
    let reserved = fixture.agent.reserved_parameters();
    for key in [
        "lastDetectedLanguage",
        "active_language",
        "chatTranscript",
        "lastVisitorMessage",
        "integrationId",
        "confidence_score",
        "lastResolution",
        "platformConversationId",
    ] {
        assert!(reserved.contains(&key), "{key}");
    }
}

#[tokio::test]
async fn check_15_17_an_end_is_the_id_and_nothing_else() {
    let body = sent(OutboundContent::End).await.json();
    let expected = json!({ "platformConversationId": "C", "eventType": "endSession" });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn check_20_21_a_200_is_an_acknowledgement_whatever_its_body() {
    for body in ["", r#"{"x":1}"#, "{broken", "thank you"] {
        let (sent, _) = send_to::<FakeZendesk>(Behaviour::answer(200, body)).await;
        assert_eq!(sent, Sent::Acknowledged, "{body}");
    }
}

#[tokio::test]
async fn check_22_23_24_a_refusal_is_told_with_its_kind_after_one_request_and_without_the_key() {
    for (status, expected) in [
        (400, Refusal::Request),
        (401, Refusal::Credentials),
        (404, Refusal::AgentUnknown),
    ] {
        let answer = Behaviour::answer(status, &format!("{KEY} is not good"));
        let (sent, server) = send_to::<FakeZendesk>(answer).await;
        let Sent::Refused { refusal, detail } = sent else {
            panic!("{sent:?}");
        };
        assert_eq!(refusal, expected, "{status}");
        assert_eq!(detail, "[removed] is not good");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn check_25_26_busy_answers_are_told_with_the_time_that_they_ask_for() {
    for (status, after, expected) in [
        (429, Some("1"), Some(Duration::from_secs(1))),
        (503, None, None),
        // Two minutes past the fixture's time.
        (
            503,
            Some("Fri, 20 Nov 2026 00:02:00 GMT"),
            Some(Duration::from_mins(2)),
        ),
    ] {
        let mut answer = Behaviour::answer(status, "");
        if let Some(after) = after {
            answer = answer.with_header("retry-after", after);
        }
        let (sent, server) = send_to::<FakeZendesk>(answer).await;
        let retry_after = expected;
        assert_eq!(sent, Sent::Busy { retry_after }, "{status} {after:?}");
        assert_eq!(
            server.requests().len(),
            1,
            "when to try again is not decided here"
        );
    }
}

#[tokio::test]
async fn check_27_a_message_that_is_never_answered_is_sent_once() {
    let server = FakeServer::start().await;
    server.next(Behaviour::Silent);
    let fixture = Fixture::new(&server.url(), |agent, platform, _| {
        agent.send_timeout = Duration::from_millis(200);
        platform.connect_timeout = Duration::from_millis(100);
    });
    assert_eq!(fixture.agent.send(&message("hi")).await, Sent::Unclear);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_has_sent_one_request() {
    let server = FakeServer::start().await;
    server.next(Behaviour::Silent);
    let fixture = Fixture::at(&server);
    let outbound = message("hi");
    tokio::select! {
        sent = fixture.agent.send(&outbound) => panic!("{sent:?} without an answer"),
        () = server.wait_for(1) => {}
    }
    assert_eq!(
        fixture.agent.send(&message("next")).await,
        Sent::Acknowledged
    );
    let texts: Vec<_> = server
        .requests()
        .iter()
        .map(|r| r.json()["text"].clone())
        .collect();
    assert_eq!(texts, ["hi", "next"]);
}

#[tokio::test]
async fn check_30_a_redirect_to_another_host_is_not_followed() {
    let elsewhere = FakeServer::start().await;
    let answer = Behaviour::answer(302, "").with_header("location", &elsewhere.url());
    let (sent, _server) = send_to::<FakeZendesk>(answer).await;
    assert_eq!(sent, Sent::Unclear);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn check_31_a_replaced_key_is_used_by_the_next_request() {
    let server = FakeServer::start().await;
    let fixture = Fixture::at(&server);
    fixture.agent.send(&message("hi")).await;
    fixture.replace_key("another-key");
    fixture.agent.send(&message("hi")).await;
    let keys: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.header("authorization").to_owned())
        .collect();
    assert_eq!(keys, [KEY, "another-key"]);
}

#[tokio::test]
async fn check_32_each_bot_is_named_with_its_own_key() {
    let server = FakeServer::start().await;
    for (bot, key) in [("bot-a", "key-a"), ("bot-b", "key-b")] {
        let fixture = Fixture::new(&server.url(), |_, platform, secrets| {
            platform.bot_id = bot.to_owned();
            platform.api_key = secrets.put("own", key);
        });
        fixture.agent.send(&message("hi")).await;
        let request = server.last_request();
        assert_eq!(request.header("botid"), bot);
        assert_eq!(request.header("authorization"), key);
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_or_sent_means_that_nothing_was_sent() {
    let server = FakeServer::start().await;
    let fixture = Fixture::at(&server);
    for bad in ["", "two\nlines"] {
        fixture.replace_key(bad);
        assert_eq!(
            fixture.agent.send(&message("hi")).await,
            Sent::NotSent,
            "{bad:?}"
        );
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn where_no_secure_connection_comes_about_nothing_was_sent() {
    let server = FakeServer::start().await;
    let base = server.url().replace("http:", "https:");
    let fixture = Fixture::new(&base, |_, platform, _| {
        platform.connect_timeout = Duration::from_millis(200);
    });
    assert_eq!(fixture.agent.send(&message("hi")).await, Sent::NotSent);
    assert!(server.requests().is_empty());
}
