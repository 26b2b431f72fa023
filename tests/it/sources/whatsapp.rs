//! Visitors of `WhatsApp`: numbered checks, through the whole service.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parloir_client::v1::DeliveryState;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    fake_server::{Behaviour, FakeServer, Request},
    messenger_page::signature,
    stage::SOURCE,
    story::Story,
};
use crate::support::{
    http::Connection,
    server::{TestServer, Wishes},
    webhook::says,
};

const SECRET: &str = "app-5ecret-of-the-number";
/// Whoever has this number is written to too fast, at first.
const HURRIED: &str = "32470000002";

struct Number {
    server: TestServer,
    platform: FakeServer,
    story: Story,
    _secrets: TempDir,
}

impl Number {
    async fn start() -> Self {
        let platform = FakeServer::answering(answer).await;
        let secrets = tempfile::tempdir().expect("a temporary folder");
        let file = secrets.path().join("secret");
        fs::write(&file, SECRET).expect("a secret can be written");
        let (file, url) = (file.display(), platform.url());
        let end = format!(
            r#"
            source = "{SOURCE}"
            [[sources]]
            name = "{SOURCE}"
            [sources.system.whatsapp]
            phone_number_id = "PN1"
            access_token = {{ file = "{file}" }}
            app_secrets = [{{ file = "{file}" }}]
            verify_tokens = [{{ file = "{file}" }}]
            base_url = "{url}"
            "#
        );
        let server = TestServer::start_with(Wishes {
            end,
            ..Wishes::default()
        });
        let server = server.await;
        Self {
            story: Story::of(&server.client),
            server,
            platform,
            _secrets: secrets,
        }
    }

    async fn tell(&self, value: &Value) {
        let mut inner = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550000000", "phone_number_id": "PN1" },
        });
        for (key, value) in value.as_object().expect("an object") {
            inner[key] = value.clone();
        }
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "WABA1", "changes": [{ "field": "messages", "value": inner }] }],
        });
        let body = body.to_string();
        let signed = signature(SECRET, body.as_bytes());
        let mut connection = Connection::open(self.server.webhooks).await;
        let headers = [("x-hub-signature-256", signed.as_str())];
        let path = format!("/sources/{SOURCE}");
        connection.post(&path, &headers, body.as_bytes()).await;
        assert_eq!(connection.reply().await.expect("an answer").status, 200);
    }

    /// The visitor says this and the agent gets it. The conversation.
    async fn asks(&mut self, from: &str, words: &str) -> String {
        self.tell(&message(from, words)).await;
        let conversation = self.story.hears(words).await;
        self.story.comes_to(words, DeliveryState::Delivered).await;
        conversation
    }

    /// How often somebody was written to.
    fn sent_to(&self, to: &str) -> usize {
        let requests = self.platform.requests();
        requests
            .iter()
            .filter(|seen| seen.json()["to"] == to)
            .count()
    }
}

fn answer(request: &Request) -> Behaviour {
    let to = request.json()["to"].clone();
    let sent = json!({
        "messaging_product": "whatsapp", "contacts": [{ "input": to, "wa_id": to }],
        "messages": [{ "id": format!("wamid.of.{}", to.as_str().unwrap_or_default()) }],
    });
    Behaviour::answer(200, &sent.to_string())
}

fn message(from: &str, words: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs().to_string();
    json!({
        "contacts": [{ "profile": { "name": "Ana" }, "wa_id": from }],
        "messages": [{
            "from": from, "id": format!("wamid.{from}.{words}"), "timestamp": now,
            "type": "text", "text": { "body": words },
        }],
    })
}

#[tokio::test]
async fn wa_04_a_message_that_is_told_twice_is_one_turn_of_the_bot() {
    let mut number = Number::start().await;
    number.asks("32470000001", "ask 1").await;
    number.tell(&message("32470000001", "ask 1")).await;
    number.asks("32470000001", "ask 2").await;
    assert_eq!(number.server.platform.requests().len(), 2);
}

#[tokio::test]
async fn wa_07_a_status_moves_its_delivery_and_is_no_turn_of_the_bot() {
    let mut number = Number::start().await;
    let conversation = number.asks("32470000001", "ask 1").await;
    number.server.taken(&says(&conversation, "answer 1")).await;
    number
        .story
        .comes_to("answer 1", DeliveryState::Delivered)
        .await;
    let failed = json!({ "statuses": [{
        "id": "wamid.of.32470000001", "status": "failed", "timestamp": "1749416383", "recipient_id": "32470000001",
        "errors": [{ "code": 131_026, "title": "Message undeliverable" }],
    }] });
    number.tell(&failed).await;
    number
        .story
        .comes_to("answer 1", DeliveryState::Failed)
        .await;
    assert_eq!(number.server.platform.requests().len(), 1);
}

#[tokio::test]
async fn wa_13_a_visitor_who_is_written_to_too_fast_waits_alone() {
    let mut number = Number::start().await;
    let hurried = number.asks(HURRIED, "ask 1").await;
    let other = number.asks("32470000001", "ask 2").await;
    let error = json!({ "error": { "code": 131_056, "message": "pair rate limit", "type": "OAuthException" } });
    number
        .platform
        .next(Behaviour::answer(400, &error.to_string()));
    number.server.taken(&says(&hurried, "answer 1")).await;
    number
        .story
        .comes_to("answer 1", DeliveryState::Queued)
        .await;
    number.server.taken(&says(&other, "answer 2")).await;
    number
        .story
        .comes_to("answer 2", DeliveryState::Delivered)
        .await;
    assert_eq!(number.sent_to(HURRIED), 1, "it still waits");
    number.server.clock.advance(Duration::from_secs(5));
    // What is said now looks whether the first may go, and it may not.
    number.server.taken(&says(&hurried, "answer 3")).await;
    number.server.taken(&says(&other, "answer 4")).await;
    number
        .story
        .comes_to("answer 4", DeliveryState::Delivered)
        .await;
    assert_eq!(number.sent_to(HURRIED), 1, "six seconds have not passed");
    number.server.clock.advance(Duration::from_secs(20));
    number.server.taken(&says(&hurried, "answer 5")).await;
    number
        .story
        .comes_to("answer 1", DeliveryState::Delivered)
        .await;
}
