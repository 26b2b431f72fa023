//! One number on a made-up platform, with its secrets in files and its clock in the test's hand.

use std::{
    fmt::Write,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use super::{
    super::{Whatsapp, WhatsappConfig},
    fake::{self, World},
};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Timestamp,
        inbound::Webhook,
        ports::Source,
        source::{Contact, Item, ItemBody, OfferKind, OfferedAction, SourceEvent},
    },
    secret::Secret,
    sources::{
        Means,
        conformance::{Shown, System, only},
    },
    tests::fake_server::{Behaviour, FakeServer, Request},
};

pub(super) const NUMBER: &str = "PN1";
pub(super) const TOKEN: &str = "access-5ecret";
pub(super) const APP_SECRETS: [&str; 2] = ["app-5ecret", "older-app-5ecret"];
pub(super) const VERIFY_TOKENS: [&str; 2] = ["verify-5ecret", "older-verify-5ecret"];

/// A clock that stands where it is put.
#[derive(Debug, Default)]
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

/// What a number needs kept alive.
pub(super) struct Fixture {
    pub(super) clock: Arc<StandingClock>,
    secrets: TempDir,
}

/// A number, its platform, and the platform's memory.
pub(super) struct Stage {
    pub(super) source: Whatsapp,
    pub(super) fixture: Fixture,
    pub(super) server: FakeServer,
    pub(super) world: Arc<Mutex<World>>,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut WhatsappConfig)) -> Self {
        let (server, world) = fake::start().await;
        let (source, fixture) = Fixture::at(&server, change);
        Self {
            source,
            fixture,
            server,
            world,
        }
    }

    pub(super) fn receive(&self, value: &Value) -> Vec<SourceEvent> {
        let webhook = signed(value.to_string());
        self.source.receive(&webhook).expect("it is taken").events
    }

    /// The one event of a message.
    pub(super) fn said(&self, message: &Value) -> SourceEvent {
        only(&self.source, &signed(messages(message).to_string()))
    }

    pub(super) fn replace_token(&self, token: &str) {
        self.fixture.put("access_token", token);
    }
}

impl Fixture {
    fn at(server: &FakeServer, change: impl FnOnce(&mut WhatsappConfig)) -> (Whatsapp, Self) {
        let fixture = Self {
            clock: Arc::default(),
            secrets: tempfile::tempdir().expect("a temporary folder"),
        };
        let mut config = WhatsappConfig {
            phone_number_id: NUMBER.to_owned(),
            access_token: fixture.put("access_token", TOKEN),
            app_secrets: fixture.put_all("app", &APP_SECRETS),
            verify_tokens: fixture.put_all("verify", &VERIFY_TOKENS),
            base_url: server.url(),
            ..WhatsappConfig::default()
        };
        change(&mut config);
        let source = SourceConfig {
            name: "whatsapp".to_owned(),
            ..SourceConfig::default()
        };
        let clock: Arc<StandingClock> = Arc::clone(&fixture.clock);
        let source =
            Whatsapp::new(&source, &config, Means::without_keys(clock)).expect("a valid source");
        (source, fixture)
    }

    fn put_all(&self, name: &str, values: &[&str]) -> Vec<Secret> {
        let numbered = values.iter().enumerate();
        numbered
            .map(|(number, value)| self.put(&format!("{name}_{number}"), value))
            .collect()
    }

    fn put(&self, name: &str, value: &str) -> Secret {
        let path = self.secrets.path().join(name);
        fs::write(&path, value).expect("a writable folder");
        Secret::in_file(path)
    }
}

/// The visitor with this number.
pub(super) fn contact(from: &str) -> Contact {
    super::super::message::contact(NUMBER, from)
}

pub(super) fn messages(message: &Value) -> Value {
    let from = message["from"].clone();
    value(&json!({
        "contacts": [{ "profile": { "name": "Ana" }, "wa_id": from }], "messages": [message],
    }))
}

/// A webhook's body around one value.
pub(super) fn value(value: &Value) -> Value {
    let mut inner = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550000000", "phone_number_id": NUMBER },
    });
    for (key, value) in value.as_object().expect("an object") {
        inner[key] = value.clone();
    }
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "WABA1", "changes": [{ "field": "messages", "value": inner }] }],
    })
}

pub(super) fn message(from: &str, id: &str, kind: &str, content: Value) -> Value {
    let mut message = json!({ "from": from, "id": id, "timestamp": "1749416383", "type": kind });
    message[kind] = content;
    message
}

pub(super) fn signed(body: impl Into<Bytes>) -> Webhook {
    signed_with(APP_SECRETS[0], body)
}

pub(super) fn signed_with(secret: &str, body: impl Into<Bytes>) -> Webhook {
    let body = body.into();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(&body);
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").expect("a string");
    }
    let mut headers = HeaderMap::new();
    headers.insert("x-hub-signature-256", signature.parse().expect("a header"));
    Webhook {
        method: Method::POST,
        headers,
        path: String::new(),
        query: String::new(),
        body,
    }
}

/// A made-up number for a made-up person.
fn number(who: &str) -> String {
    let digits: String = who.bytes().map(|byte| byte.to_string()).collect();
    format!("32{digits}")
}

#[async_trait]
impl System for Fixture {
    async fn server() -> FakeServer {
        fake::start().await.0
    }

    fn source(server: &FakeServer) -> (Box<dyn Source>, Self) {
        let (source, fixture) = Self::at(server, |_| {});
        (Box::new(source), fixture)
    }

    fn says(&self, who: &str, id: &str, text: &str) -> Webhook {
        let id = format!("wamid.{id}");
        let message = message(&number(who), &id, "text", json!({ "body": text }));
        signed(messages(&message).to_string())
    }

    fn chooses(&self, who: &str, id: &str, offer: &Item, chosen: usize) -> Option<Webhook> {
        let ItemBody::Offer { kind, options, .. } = &offer.body else {
            return None;
        };
        let OfferedAction::Choose { payload } = &options[chosen].action else {
            return None;
        };
        let reply = match kind {
            OfferKind::Buttons => "button_reply",
            _ => "list_reply",
        };
        let content =
            json!({ "type": reply, reply: { "id": payload, "title": options[chosen].label } });
        let message = message(&number(who), &format!("wamid.{id}"), "interactive", content);
        Some(signed(messages(&message).to_string()))
    }

    fn unknown(&self) -> Option<Webhook> {
        let content = json!({ "id": "M1", "mime_type": "image/webp" });
        let message = message(&number("ana"), "wamid.9", "sticker", content);
        Some(signed(messages(&message).to_string()))
    }

    fn with_body(&self, _webhook: Webhook, body: Bytes) -> Webhook {
        signed(body)
    }

    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook {
        let body = self.says(who, id, text).body;
        signed_with("another-5ecret", body)
    }

    fn understand(request: &Request) -> Option<Shown> {
        let body = request.json();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let titles = |list: &Value, path: &str| {
            let list = list.as_array().expect("a list");
            let title = |one: &Value| text(one.pointer(path).expect("a title"));
            list.iter().map(title).collect()
        };
        let inner = &body["interactive"];
        Some(match inner["type"].as_str() {
            None => Shown {
                text: text(&body["text"]["body"]),
                options: Vec::new(),
            },
            Some("button") => Shown {
                text: text(&inner["body"]["text"]),
                options: titles(&inner["action"]["buttons"], "/reply/title"),
            },
            Some(_) => Shown {
                text: text(&inner["body"]["text"]),
                options: titles(&inner["action"]["sections"][0]["rows"], "/title"),
            },
        })
    }

    fn is_busy(seconds: u64) -> Behaviour {
        fake::error(429, 130_429, "Rate limit hit").with_header("retry-after", &seconds.to_string())
    }
}
