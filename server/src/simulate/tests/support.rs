//! A simulator with a receiver for its webhooks, and a client that talks to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::simulate::{Bot, ConversationView, Script, SentWebhook, Settings, Simulator};

pub(super) const BOT: &str = "65f0c1a2b3d4e5f60718293a";
pub(super) const KEY: &str = "2f7c0d7be0a94d5f8a6f";
pub(super) const OTHER_BOT: &str = "65f0c1a2b3d4e5f60718293b";
pub(super) const OTHER_KEY: &str = "another-key";

/// A webhook as it was received.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) uri: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn text(&self) -> String {
        let text = self.json()["data"]["text"].as_str().map(str::to_owned);
        text.unwrap_or_default()
    }
}

#[derive(Default)]
struct Mailbox {
    received: Vec<Received>,
    answers: HashMap<String, (u16, String)>,
}

/// Takes webhooks, answers as told, an empty 200 otherwise.
pub(super) struct Receiver {
    pub(super) url: String,
    mailbox: Arc<Mutex<Mailbox>>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/demo", listener.local_addr().unwrap());
        let mailbox = Arc::<Mutex<Mailbox>>::default();
        let router = Router::new().fallback(take).with_state(mailbox.clone());
        let server = tokio::spawn(serve(listener, router));
        Self {
            url,
            mailbox,
            server,
        }
    }

    /// Answers each webhook of `event` with `status` and `body` from now on.
    pub(super) fn answer(&self, event: &str, status: u16, body: &str) {
        let answer = (status, body.to_owned());
        let mut mailbox = self.mailbox.lock().unwrap();
        mailbox.answers.insert(event.to_owned(), answer);
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.mailbox.lock().unwrap().received.clone()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.received().iter().map(Received::text).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only the simulator connects to it, and it ends with its test"
)]
async fn serve(listener: TcpListener, router: Router) {
    axum::serve(listener, router).await.unwrap();
}

async fn take(
    State(mailbox): State<Arc<Mutex<Mailbox>>>,
    request: Request,
) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let received = Received {
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap(),
    };
    let json = received.json();
    let event = json["data"]["eventType"].as_str().unwrap_or("action");
    let mut mailbox = mailbox.lock().unwrap();
    let answer = mailbox.answers.get(event).cloned();
    mailbox.received.push(received.clone());
    let (status, body) = answer.unwrap_or((200, String::new()));
    (StatusCode::from_u16(status).unwrap(), body)
}

pub(super) struct Stage {
    pub(super) simulator: Simulator,
    pub(super) receiver: Receiver,
    pub(super) client: reqwest::Client,
}

impl Stage {
    /// With the shop's script.
    pub(super) async fn shop() -> Self {
        Self::set(|_| {}).await
    }

    pub(super) async fn script(text: &str) -> Self {
        let script = Arc::new(Script::parse(text).unwrap());
        Self::set(|settings| settings.bots[0].script = script).await
    }

    /// Two bots, and whatever `change` makes of their settings.
    pub(super) async fn set(change: impl FnOnce(&mut Settings)) -> Self {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let receiver = Receiver::start().await;
        let bots = [(BOT, KEY), (OTHER_BOT, OTHER_KEY)];
        let bots = bots.map(|(id, key)| Bot::new(id, key, &receiver.url));
        let mut settings = Settings::new(bots.to_vec());
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            simulator: Simulator::start(settings, listener).unwrap(),
            receiver,
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        }
    }

    /// A request with these headers and this body, not yet sent.
    pub(super) fn request(
        &self,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}/converse/chat", self.simulator.base_url());
        let request = self.client.post(url).body(body.to_string());
        let with = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        headers.iter().fold(request, with)
    }

    /// Posts `body` as the first bot's caller; the status.
    pub(super) async fn post(&self, body: Value) -> u16 {
        let request = self.request(&[("Authorization", KEY), ("botid", BOT)], &body);
        request.send().await.unwrap().status().as_u16()
    }

    /// Sends `text` and waits until the bot has done all that follows; what it said since.
    pub(super) async fn say(&self, conversation: &str, text: &str) -> Vec<SentWebhook> {
        let body = json!({"text": text});
        self.send(conversation, "message", body).await
    }

    pub(super) async fn end(&self, conversation: &str) {
        self.send(conversation, "endSession", json!({})).await;
    }

    /// Sends an event and waits until the bot has done all that follows; what it said since.
    pub(super) async fn send(
        &self,
        conversation: &str,
        event: &str,
        mut body: Value,
    ) -> Vec<SentWebhook> {
        let before = self.simulator.webhooks().len();
        body["platformConversationId"] = json!(conversation);
        body["eventType"] = json!(event);
        assert_eq!(self.post(body).await, 200);
        self.simulator.settle(BOT, conversation).await;
        self.simulator.webhooks().split_off(before)
    }

    pub(super) fn view(&self, conversation: &str) -> ConversationView {
        self.simulator.conversation(BOT, conversation).unwrap()
    }
}

/// The texts of messages.
pub(super) fn texts(webhooks: &[SentWebhook]) -> Vec<&str> {
    webhooks.iter().filter_map(SentWebhook::text).collect()
}
