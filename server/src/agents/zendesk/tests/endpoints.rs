//! Checks D 93 to 96: what the platform sees of tickets and of humans in its widget.

use std::time::Duration;

use serde_json::{Value, json};

use super::{super::MetadataField, fixture::Fixture};
use crate::{
    agents::conformance::{KEY, parameter},
    domain::{
        HumanMessage, HumanMessageKind,
        outbound::{Outbound, OutboundContent, Refusal, Sent},
        ports::Agent,
    },
    tests::fake_server::{Behaviour, FakeServer, Request},
};

const WIDGET: &str = "/ai-agents/api/agent/converse/send-message-to-widget";

fn sign(kind: HumanMessageKind) -> HumanMessage {
    HumanMessage {
        message_id: "h-1".to_owned(),
        kind,
        text: String::new(),
        name: String::new(),
        avatar_url: String::new(),
        queue_position: None,
        waiting_time: None,
        from_source: false,
        raw: String::new(),
    }
}

fn outbound(content: OutboundContent) -> Outbound {
    Outbound {
        upstream_id: "w-1".to_owned(),
        content,
    }
}

/// The one request that this makes of a platform below a path.
async fn sent(content: OutboundContent) -> Request {
    let server = FakeServer::start().await;
    let fixture = Fixture::new(&format!("{}/ai-agents/api/", server.url()), |_, _, _| {});
    let sent = fixture.agent.send(&outbound(content)).await;
    assert_eq!(sent, Sent::Acknowledged);
    assert_eq!(server.requests().len(), 1);
    server.last_request()
}

async fn shown(message: HumanMessage) -> Value {
    let request = sent(OutboundContent::Human(message)).await;
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", WIDGET)
    );
    assert_eq!(request.header("authorization"), KEY);
    request.json()
}

#[tokio::test]
async fn check_93_a_ticket_names_its_platform_and_no_event() {
    let ticket = |parameters| OutboundContent::Ticket {
        text: "I was charged twice".to_owned(),
        parameters,
    };
    let request = sent(ticket(vec![parameter(
        "requester",
        "ana@example.org",
        true,
    )]))
    .await;
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/ai-agents/api/converse/ticket");
    assert_eq!(request.header("authorization"), KEY);
    let expected = json!({
        "platformConversationId": "w-1", "text": "I was charged twice", "platform": "PUBLIC_API",
        "metaData": [{ "key": "requester", "value": "ana@example.org", "sanitize": true }],
    });
    assert_eq!(request.json(), expected);
    let bare = sent(ticket(Vec::new())).await.json();
    assert_eq!(bare.get("metaData"), None);
    assert_eq!(bare.get("eventType"), None);
}

#[tokio::test]
async fn a_tickets_parameters_go_under_the_configured_name() {
    let server = FakeServer::start().await;
    let fixture = Fixture::new(&server.url(), |_, platform, _| {
        platform.metadata_field = MetadataField::Metadata;
    });
    let content = OutboundContent::Ticket {
        text: "hi".to_owned(),
        parameters: vec![parameter("k", "v", false)],
    };
    fixture.agent.send(&outbound(content)).await;
    let body = server.last_request().json();
    assert_eq!(body["metadata"], json!([{ "key": "k", "value": "v" }]));
    assert_eq!(body.get("metaData"), None);
}

#[tokio::test]
async fn check_94_news_of_the_queue_are_numbers_as_text_with_minutes_rounded_up() {
    let queue = |queue_position, waiting_time| HumanMessage {
        queue_position,
        waiting_time,
        ..sign(HumanMessageKind::Queue)
    };
    let body = |position: &str, time: &str| {
        json!({
            "platformConversationId": "w-1", "eventType": "escalationQueueUpdate",
            "queuePosition": position, "waitingTime": time,
        })
    };
    let five = Duration::from_mins(5);
    assert_eq!(shown(queue(Some(3), Some(five))).await, body("3", "5"));
    let longer = five + Duration::from_millis(1);
    assert_eq!(shown(queue(Some(3), Some(longer))).await, body("3", "6"));
    let place = shown(queue(Some(1), None)).await;
    assert_eq!(place["queuePosition"], "1");
    assert_eq!(
        place.get("waitingTime"),
        None,
        "what is not known is not said"
    );
    let time = shown(queue(None, Some(five))).await;
    assert_eq!(time["waitingTime"], "5");
    assert_eq!(time.get("queuePosition"), None);
}

#[tokio::test]
async fn a_human_joins_with_name_and_picture_speaks_fails_and_leaves() {
    let joined = HumanMessage {
        name: "Lee".to_owned(),
        avatar_url: "https://cdn.example.org/lee.png".to_owned(),
        ..sign(HumanMessageKind::Joined)
    };
    let words = HumanMessage {
        text: "Hi, Lee here.".to_owned(),
        ..sign(HumanMessageKind::Text)
    };
    let id = |mut body: Value| {
        body["platformConversationId"] = "w-1".into();
        body
    };
    let cases = [
        (
            joined,
            json!({
                "eventType": "escalationSuccess", "agent": "Lee",
                "agentAvatar": "https://cdn.example.org/lee.png",
            }),
        ),
        (
            sign(HumanMessageKind::Joined),
            json!({ "eventType": "escalationSuccess" }),
        ),
        (
            words,
            json!({ "eventType": "message", "text": "Hi, Lee here." }),
        ),
        (
            sign(HumanMessageKind::Failed),
            json!({ "eventType": "escalationFailed" }),
        ),
        (
            sign(HumanMessageKind::Left),
            json!({ "eventType": "agentDisconnect" }),
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(shown(message).await, id(expected));
    }
}

#[tokio::test]
async fn answers_about_tickets_and_humans_mean_what_they_mean_in_chats() {
    let words = HumanMessage {
        text: "my words".to_owned(),
        ..sign(HumanMessageKind::Text)
    };
    let ticket = OutboundContent::Ticket {
        text: "my words".to_owned(),
        parameters: vec![parameter("email", "ana@example.org", true)],
    };
    for content in [ticket, OutboundContent::Human(words)] {
        let server = FakeServer::start().await;
        let fixture = Fixture::at(&server);
        let content = outbound(content);
        server.next(Behaviour::answer(
            400,
            &format!("{KEY} may not say my words to ana@example.org"),
        ));
        let Sent::Refused { refusal, detail } = fixture.agent.send(&content).await else {
            panic!("a 400 refuses");
        };
        assert_eq!(refusal, Refusal::Request);
        assert!(
            detail.starts_with("[removed] may not say [removed]"),
            "{detail}"
        );
        server.next(Behaviour::answer(503, "").with_header("retry-after", "3"));
        let busy = Sent::Busy {
            retry_after: Some(Duration::from_secs(3)),
        };
        assert_eq!(fixture.agent.send(&content).await, busy);
        server.next(Behaviour::ResetBeforeAnswer);
        assert_eq!(fixture.agent.send(&content).await, Sent::Unclear);
        server.stop().await;
    }
}
