//! One source at a made-up Help Scout, with its secrets in files and its clock in the test's hand.

use std::{
    fs,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use sha1::Sha1;
use tempfile::TempDir;

use super::{
    super::{HelpScout, HelpScoutConfig},
    fake::{self, World},
};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Timestamp,
        inbound::Webhook,
        ports::Source,
        source::{Item, SourceEvent},
    },
    secret::Secret,
    sources::{
        Means,
        conformance::{Shown, System, only},
    },
    tests::fake_server::{Behaviour, FakeServer, Request},
};

pub(super) const APP_ID: &str = "app-1";
pub(super) const APP_SECRET: &str = "app-5ecret";
pub(super) const WEBHOOK_SECRETS: [&str; 2] = ["hook-5ecret", "older-hook-5ecret"];
pub(super) const BOT: u64 = 7;
/// The conversation that most tests are about, and its customer.
pub(super) const CONVERSATION: &str = r#"{"conversation":42,"customer":256}"#;
pub(super) const CHAT: &str = r#"{"chat":"0aa1-b2","customer":256}"#;
pub(super) const REPLIED: &str = "convo.customer.reply.created";

/// A clock that stands where it is put: 2026-11-20 00:00 UTC at first.
#[derive(Debug)]
pub(super) struct StandingClock(AtomicI64);

impl StandingClock {
    pub(super) fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a short time");
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// What a source needs kept alive.
pub(super) struct Fixture {
    pub(super) clock: Arc<StandingClock>,
    secrets: TempDir,
}

/// A source, its platform, and the platform's memory.
pub(super) struct Stage {
    pub(super) source: HelpScout,
    pub(super) fixture: Fixture,
    pub(super) server: FakeServer,
    world: Arc<Mutex<World>>,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut HelpScoutConfig)) -> Self {
        let (server, world) = fake::start().await;
        let (source, fixture) = Fixture::at(&server, change);
        Self {
            source,
            fixture,
            server,
            world,
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("a world")
    }

    pub(super) fn receive(&self, event: &str, body: &Value) -> Vec<SourceEvent> {
        let webhook = signed(event, body.to_string());
        self.source.receive(&webhook).expect("it is taken").events
    }

    /// The one event of a webhook.
    pub(super) fn told(&self, event: &str, body: &Value) -> SourceEvent {
        only(&self.source, &signed(event, body.to_string()))
    }

    /// What was asked for, tokens left out: method, path and body.
    pub(super) fn asked(&self) -> Vec<(String, String, Value)> {
        let requests = self.server.requests().into_iter();
        requests
            .filter(|request| request.path != "/v2/oauth2/token")
            .map(|request| {
                let body = serde_json::from_slice(&request.body).unwrap_or_default();
                (request.method, request.path, body)
            })
            .collect()
    }
}

impl Fixture {
    fn at(server: &FakeServer, change: impl FnOnce(&mut HelpScoutConfig)) -> (HelpScout, Self) {
        let start = 1_795_132_800_000_000;
        let fixture = Self {
            clock: Arc::new(StandingClock(AtomicI64::new(start))),
            secrets: tempfile::tempdir().expect("a temporary folder"),
        };
        let hooks = WEBHOOK_SECRETS.iter().enumerate();
        let hooks = hooks.map(|(number, secret)| fixture.put(&format!("hook_{number}"), secret));
        let mut config = HelpScoutConfig {
            app_id: APP_ID.to_owned(),
            app_secret: fixture.put("app_secret", APP_SECRET),
            webhook_secrets: hooks.collect(),
            bot_user_id: BOT,
            base_url: format!("{}/v2", server.url()),
            ..HelpScoutConfig::default()
        };
        change(&mut config);
        let source = SourceConfig {
            name: "desk".to_owned(),
            ..SourceConfig::default()
        };
        let clock: Arc<StandingClock> = Arc::clone(&fixture.clock);
        let source =
            HelpScout::new(&source, &config, Means::without_keys(clock)).expect("a valid source");
        (source, fixture)
    }

    pub(super) fn put(&self, name: &str, value: &str) -> Secret {
        let path = self.secrets.path().join(name);
        fs::write(&path, value).expect("a writable folder");
        Secret::in_file(path)
    }
}

/// A conversation as webhooks show it.
pub(super) fn conversation(id: u64, tags: &[&str], threads: &[Value]) -> Value {
    let tags: Vec<_> = tags
        .iter()
        .map(|tag| json!({ "id": 1, "tag": tag }))
        .collect();
    let mut body = json!({
        "id": id, "mailboxId": 85, "subject": "Mon colis", "preview": "Où est mon...", "tags": tags,
        "createdBy": { "id": 256, "type": "customer" },
        "primaryCustomer": { "id": 256, "first": "Ana", "last": "Silva" },
    });
    if !threads.is_empty() {
        body["_embedded"] = json!({ "threads": threads });
    }
    body
}

pub(super) fn thread(id: u64, kind: &str, by: &Value, html: &str) -> Value {
    json!({
        "id": id, "type": kind, "state": "published", "body": html, "createdBy": by,
        "createdAt": format!("2026-11-20T00:00:{:02}Z", id % 60),
    })
}

pub(super) fn customer() -> Value {
    json!({ "id": 256, "type": "customer", "first": "Ana" })
}

pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

pub(super) fn signed(event: &str, body: impl Into<Bytes>) -> Webhook {
    signed_with(WEBHOOK_SECRETS[0], event, body)
}

pub(super) fn signed_with(secret: &str, event: &str, body: impl Into<Bytes>) -> Webhook {
    let body = body.into();
    let mut headers = HeaderMap::new();
    headers.insert("x-helpscout-event", event.parse().expect("a header"));
    let signature = signature(secret, &body);
    headers.insert(
        "x-helpscout-signature",
        signature.parse().expect("a header"),
    );
    Webhook {
        method: Method::POST,
        headers,
        path: String::new(),
        query: String::new(),
        body,
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(html: &str) -> String {
    let text = html.replace("<br>", "\n").replace("&lt;", "<");
    text.replace("&gt;", ">").replace("&amp;", "&")
}

#[async_trait]
impl System for Fixture {
    async fn server() -> FakeServer {
        let (server, world) = fake::start().await;
        world.lock().expect("a world").token = 1;
        server
    }

    /// With a token in its hand, so that the first request is the one under test.
    fn source(server: &FakeServer) -> (Box<dyn Source>, Self) {
        let (source, fixture) = Self::at(server, |_| {});
        source.desk.api.tokens.put("token-1");
        (Box::new(source), fixture)
    }

    fn says(&self, who: &str, id: &str, text: &str) -> Webhook {
        let conversation_id = if who == "ana" { 42 } else { 43 };
        let id = id.parse().unwrap_or(900);
        let thread = thread(id, "customer", &customer(), &escaped(text));
        let body = conversation(conversation_id, &[], &[thread]);
        signed(REPLIED, body.to_string())
    }

    fn chooses(&self, _who: &str, _id: &str, _offer: &Item, _number: usize) -> Option<Webhook> {
        None
    }

    fn unknown(&self) -> Option<Webhook> {
        let body = json!({ "id": 1, "rating": "great" });
        Some(signed("satisfaction.ratings", body.to_string()))
    }

    fn with_body(&self, _webhook: Webhook, body: Bytes) -> Webhook {
        signed(REPLIED, body)
    }

    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook {
        let body = self.says(who, id, text).body;
        signed_with("another-5ecret", REPLIED, body)
    }

    fn understand(request: &Request) -> Option<Shown> {
        request.path.ends_with("/reply").then(|| Shown {
            text: unescaped(request.json()["text"].as_str().expect("text")),
            options: Vec::new(),
        })
    }

    /// What 401 leads to is another token.
    fn refuses_credentials() -> Behaviour {
        Behaviour::answer(403, "{}")
    }

    fn is_busy(seconds: u64) -> Behaviour {
        Behaviour::answer(429, "{}").with_header("x-ratelimit-retry-after", &seconds.to_string())
    }
}
