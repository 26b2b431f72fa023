//! Webhooks that carry planted values: those of the agent, of `WhatsApp`, and of strangers.

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::traffic::{CONVERSATION, Traffic};
use crate::{
    process::{AGENT, BOT},
    support::{
        http::{Connection, Reply},
        platform::Behaviour,
    },
};

impl Traffic<'_> {
    pub(super) async fn visitor_comes_by_whatsapp(&mut self) {
        let number = self.plant("phone_number");
        let sent = json!({
            "messaging_product": "whatsapp", "contacts": [{ "input": number, "wa_id": number }],
            "messages": [{ "id": format!("wamid.{number}") }],
        });
        self.number.next(Behaviour::answer(200, &sent.to_string()));
        let before = self.platform.requests().len();
        let reply = self
            .whatsapp_posts(&self.plant("whatsapp_text"), "app_secret")
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        // The agent was asked; it answers in that conversation.
        self.platform.wait_for(before + 1).await;
        let asked = self.platform.last_request();
        let conversation = find_conversation(&asked.json()).expect("the request names it");
        self.say_to(&conversation, "agent_to_whatsapp").await;
        self.number.wait_for(1).await;
        let refused =
            json!({ "error": { "code": 131_026, "message": self.plant("echo_of_whatsapp") } });
        self.number
            .next(Behaviour::answer(400, &refused.to_string()));
        self.say_to(&conversation, "agent_to_whatsapp").await;
        self.number.wait_for(2).await;
    }

    pub(super) async fn say_to(&self, conversation: &str, name: &str) {
        let body = json!({
            "botId": BOT, "channel": "chat",
            "data": { "platformConversationId": conversation, "eventType": "sendMessage",
                "type": "text", "text": self.plant(name) },
        });
        self.post_as_agent(&body.to_string()).await;
    }

    pub(super) async fn whatsapp_posts(&self, text: &str, secret: &str) -> Reply {
        let (number, now) = (self.plant("phone_number"), SystemTime::now());
        let now = now
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550000000", "phone_number_id": "PN1" },
            "contacts": [{ "profile": { "name": self.plant("contact_name") }, "wa_id": number }],
            "messages": [{ "from": number, "id": format!("wamid.{}", self.plant("wamid")),
                "timestamp": now.to_string(), "type": "text", "text": { "body": text } }],
        });
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "WABA1", "changes": [{ "field": "messages", "value": value }] }],
        });
        let body = body.to_string();
        let signed = signature(&self.plant(secret), body.as_bytes());
        let mut connection = Connection::open(self.webhooks).await;
        let headers = [("x-hub-signature-256", signed.as_str())];
        connection
            .post("/sources/wa", &headers, body.as_bytes())
            .await;
        connection.reply().await.expect("an answer")
    }

    pub(super) async fn strangers_post(&mut self) {
        let (to, right) = (self.webhooks, self.plant("webhook_secret"));
        let says = |bot: &str, text: &str| {
            json!({ "botId": bot, "channel": "chat", "data": { "platformConversationId": "x",
                "eventType": "sendMessage", "type": "text", "text": text } })
            .to_string()
        };
        let hello = says(BOT, "hello");
        let malformed = format!("{{\"botId\": {}", self.plant("malformed_body"));
        let stranger = says("another", &self.plant("wrong_bot_text"));
        for (secret, body) in [
            (self.plant("wrong_webhook_secret"), hello),
            (right.clone(), malformed),
            (right, stranger),
        ] {
            let reply = post_to_agent(to, &secret, &body).await;
            self.answers.push(format!("{reply:?}"));
        }
        let unsigned = self
            .whatsapp_posts(&self.plant("wrong_signature_body"), "wrong_webhook_secret")
            .await;
        assert_eq!(unsigned.status, 401);
        self.answers.push(format!("{unsigned:?}"));
        for (method, path) in [
            (
                "POST",
                format!("/webhooks/{AGENT}?token={}", self.plant("query_token")),
            ),
            (
                "GET",
                format!("/webhooks/nobody/{}", self.plant("query_token")),
            ),
            (
                "GET",
                format!(
                    "/sources/wa?hub.mode=subscribe&hub.challenge=1&hub.verify_token={}",
                    self.plant("wrong_verify_token")
                ),
            ),
            (
                "GET",
                format!(
                    "/sources/wa?hub.mode=subscribe&hub.challenge=1&hub.verify_token={}",
                    self.plant("verify_token")
                ),
            ),
        ] {
            let mut connection = Connection::open(to).await;
            connection
                .head(method, &path, &[("content-length", "0")])
                .await;
            let reply = connection.reply().await.expect("an answer");
            self.answers.push(format!("{reply:?}"));
        }
    }

    pub(super) async fn agent_posts(&self, mut data: Value) {
        data["platformConversationId"] = CONVERSATION.into();
        let body = json!({ "botId": BOT, "channel": "chat", "data": data });
        self.post_as_agent(&body.to_string()).await;
    }

    pub(super) async fn post_as_agent(&self, body: &str) {
        let secret = self.plant("webhook_secret");
        let reply = post_to_agent(self.webhooks, &secret, body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}

pub(super) async fn post_to_agent(to: SocketAddr, secret: &str, body: &str) -> Reply {
    let mut connection = Connection::open(to).await;
    let headers = [("x-webhook-secret", secret)];
    connection
        .post(&format!("/webhooks/{AGENT}"), &headers, body.as_bytes())
        .await;
    connection.reply().await.expect("an answer")
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    let digits = mac.finalize().into_bytes();
    let digits = (digits.iter()).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("sha256={digits}")
}

/// Where the platform's id of the conversation stands in a request to the agent.
fn find_conversation(request: &Value) -> Option<String> {
    match request {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let is_it = name == "platformConversationId";
            is_it
                .then(|| value.as_str().map(str::to_owned))
                .flatten()
                .or_else(|| find_conversation(value))
        }),
        Value::Array(values) => values.iter().find_map(find_conversation),
        _ => None,
    }
}
