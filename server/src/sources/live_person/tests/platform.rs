//! `LivePerson` as it calls: it signs its tokens, numbers its events, and takes only answers that its specification
//! allows.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION};
use rustls::{
    SignatureScheme,
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, pem::PemObject},
    sign::SigningKey,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{LivePerson, LivePersonConfig};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Timestamp,
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::Sent,
        ports::Source,
        source::{Contact, Item, Received, SourceEvent, Taken},
    },
    secret::Secret,
    sources::{
        Means,
        conformance::{SECRET, Shown, System, source_conformance_suite},
    },
    tests::fake_server::{Behaviour, FakeServer, Request},
};

pub(super) const ACCOUNT: &str = "le12345";
pub(super) const BOT: &str = "5809777a-e548-4bd2-bc5f-a1003c132a28";
pub(super) const SCOPE: &str = "thirdpartybots.customendpoint.bot";
pub(super) const FALLBACK: &str = "One moment, please.";
/// How long `LivePerson` waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// When these tests happen: 2026-11-20 00:00 UTC.
pub(super) const NOW: i64 = 1_795_132_800;

/// Made for these tests; nothing else trusts them.
pub(super) const SENTINEL: &str = include_str!("sentinel.pem");
pub(super) const STRANGER: &str = include_str!("stranger.pem");

/// `LivePerson`, and the source that it calls.
pub(super) struct FakeLivePerson {
    pub(super) source: Arc<LivePerson>,
    sequence: AtomicU64,
    folder: TempDir,
}

/// A clock that stands still.
#[derive(Debug)]
struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl FakeLivePerson {
    pub(super) fn new() -> Self {
        Self::set(|_, _| {})
    }

    /// With settings that `change` may change, whose secrets it may put somewhere.
    pub(super) fn set(change: impl FnOnce(&mut LivePersonConfig, &TempDir)) -> Self {
        Self::try_set(change).expect("a valid source")
    }

    pub(super) fn try_set(
        change: impl FnOnce(&mut LivePersonConfig, &TempDir),
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = LivePersonConfig {
            account_id: ACCOUNT.to_owned(),
            bots: vec![BOT.to_owned()],
            public_keys: vec![put(&folder, "key", &public_pem(SENTINEL))],
            fallback_text: FALLBACK.to_owned(),
            default_skill: "Humans".to_owned(),
            ..LivePersonConfig::default()
        };
        change(&mut config, &folder);
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW * 1_000_000)));
        let source = SourceConfig {
            name: "live".to_owned(),
            ..SourceConfig::default()
        };
        Ok(Self {
            source: Arc::new(LivePerson::new(
                &source,
                &config,
                Means::without_keys(clock),
            )?),
            sequence: AtomicU64::new(10_000),
            folder,
        })
    }

    /// Writes a secret over one that was put.
    pub(super) fn replace(&self, name: &str, value: &str) {
        put(&self.folder, name, value);
    }

    pub(super) fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        self.source.receive(webhook)
    }

    /// The answer to a call without events.
    pub(super) async fn get(&self, path: &str) -> WebhookReply {
        let received = self.receive(&call(Method::GET, path, ""));
        let received = received.expect("a call that is taken");
        assert!(received.events.is_empty());
        received.reply.reply(&[]).await
    }

    /// An event whose number nobody has used.
    pub(super) fn next(&self, conversation: &str, body: Value) -> Received {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        self.numbered(conversation, sequence, body)
    }

    pub(super) fn numbered(&self, conversation: &str, sequence: u64, body: Value) -> Received {
        let webhook = event(conversation, sequence, body);
        self.receive(&webhook).expect("a call that is taken")
    }

    /// The visitor says something.
    pub(super) fn hears(&self, conversation: &str, text: &str) -> Call {
        Call::of(self.next(conversation, says(text)))
    }

    pub(super) async fn deliver(&self, conversation: &str, text: &str) -> Sent {
        let item = crate::sources::conformance::text(text);
        self.source.deliver(&address(conversation), &item).await
    }
}

/// A call that waits for its answer.
pub(super) struct Call {
    pub(super) event: SourceEvent,
    answer: tokio::task::JoinHandle<WebhookReply>,
}

impl Call {
    /// Its event is committed, and the answer awaited.
    pub(super) fn of(received: Received) -> Self {
        Self::taken(received, Taken::Again)
    }

    pub(super) fn taken(received: Received, taken: Taken) -> Self {
        let Received { mut events, reply } = received;
        assert_eq!(events.len(), 1, "one event");
        Self {
            event: events.remove(0),
            answer: tokio::spawn(async move { reply.reply(&[taken]).await }),
        }
    }

    /// The items of the answer, within `LivePerson`'s patience.
    pub(super) async fn answer(self) -> Vec<Value> {
        read(&self.reply().await)
    }

    pub(super) async fn reply(self) -> WebhookReply {
        let reply = tokio::time::timeout(PATIENCE, self.answer).await;
        reply.expect("an answer in time").expect("no panic")
    }

    /// `LivePerson` does not wait any longer.
    pub(super) async fn hang_up(self) {
        self.answer.abort();
        let ended = self.answer.await;
        assert!(ended.is_err(), "it was answered before");
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.answer.is_finished()
    }
}

/// The items of an answer, each as the specification wants it.
pub(super) fn read(reply: &WebhookReply) -> Vec<Value> {
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.content_type, "application/json");
    let answer: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert!(answer["analytics"]["intents"].is_array());
    let items = answer["response"].as_array().expect("a list").clone();
    items.iter().for_each(check);
    items
}

/// The words of an answer that is text only.
pub(super) fn words(items: &[Value]) -> Vec<&str> {
    let word = |item: &'_ Value| item["data"]["message"].is_string();
    assert!(items.iter().all(word), "text only");
    items
        .iter()
        .filter_map(|item| item["data"]["message"].as_str())
        .collect()
}

fn check(item: &Value) {
    let data = &item["data"];
    match item["type"].as_str().expect("a type") {
        "TEXT" => {
            let message = data["message"].as_str().expect("a message");
            assert!(!message.is_empty());
            let audience = data["messageAudience"].as_str().unwrap_or("ALL");
            assert!(["ALL", "AGENTS_AND_MANAGERS"].contains(&audience));
        }
        "ACTION" => {
            assert_eq!(data["name"], "TRANSFER");
            let parameters = data["parameters"].as_object().expect("parameters");
            assert!(!parameters.is_empty());
            let known = ["skillName", "agentId"];
            assert!(parameters.keys().all(|key| known.contains(&key.as_str())));
        }
        other => panic!("LivePerson knows no {other}"),
    }
}

pub(super) fn path(rest: &str) -> String {
    format!("v1/bots/{BOT}/environments{rest}")
}

/// A call with a token that is good.
pub(super) fn call(method: Method, path: &str, body: &str) -> Webhook {
    with_token(method, path, body, &token(SENTINEL, |_| {}))
}

pub(super) fn with_token(method: Method, path: &str, body: &str, token: &str) -> Webhook {
    let bearer = format!("Bearer {token}").parse().expect("a header");
    Webhook {
        method,
        headers: HeaderMap::from_iter([(AUTHORIZATION, bearer)]),
        path: path.to_owned(),
        query: String::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

pub(super) fn event(conversation: &str, sequence: u64, mut body: Value) -> Webhook {
    body["context"]["lpEvent"] = json!({
        "sequence": sequence,
        "serverTimestamp": 1_649_331_017_991_u64,
        "conversationId": conversation,
        "dialogId": conversation,
        "messageAudience": "ALL",
        "metadata": [],
    });
    let path = path(&format!("/draft/conversations/{conversation}/events"));
    call(Method::POST, &path, &body.to_string())
}

/// What a visitor says.
pub(super) fn says(text: &str) -> Value {
    json!({ "type": "TEXT", "source": "CONSUMER", "data": { "message": text } })
}

pub(super) fn address(conversation: &str) -> String {
    json!({ "conversation": conversation }).to_string()
}

/// A token whose claims `change` may change.
pub(super) fn token(key: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": "Sentinel",
        "aud": ACCOUNT,
        "scope": SCOPE,
        "iat": NOW,
        "exp": NOW + 300,
    });
    change(&mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let signed = format!("{}.{}", part(&head), part(&claims));
    let pen = signing_key(key).choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
    let signature = pen.expect("an RSA key").sign(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signature.expect("a signature"));
    format!("{signed}.{signature}")
}

pub(super) fn public_pem(key: &str) -> String {
    let key = signing_key(key);
    let public = key.public_key().expect("a public key");
    let text = STANDARD.encode(&*public);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

pub(super) fn put(folder: &TempDir, name: &str, value: &str) -> Secret {
    let path = folder.path().join(name);
    fs::write(&path, value).expect("a writable folder");
    Secret::in_file(path)
}

fn signing_key(pem: &str) -> Arc<dyn SigningKey> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a private key");
    any_supported_type(&key).expect("a key that ring takes")
}

#[async_trait]
impl System for FakeLivePerson {
    /// Never called: `LivePerson` calls us.
    async fn server() -> FakeServer {
        FakeServer::start().await
    }

    fn source(_server: &FakeServer) -> (Box<dyn Source>, Self) {
        let fake = Self::set(|config, folder| {
            config.gather = Duration::from_millis(1);
            config.connector_secrets = vec![put(folder, "connector", SECRET)];
        });
        (Box::new(Shared(Arc::clone(&fake.source))), fake)
    }

    fn says(&self, who: &str, id: &str, text: &str) -> Webhook {
        event(who, id.parse().unwrap_or(0), says(text))
    }

    /// Choices are numbered text here, and come back as text.
    fn chooses(&self, _who: &str, _id: &str, _offer: &Item, _number: usize) -> Option<Webhook> {
        None
    }

    fn unknown(&self) -> Option<Webhook> {
        let data = json!({ "content": { "type": "vertical" } });
        let body = json!({ "type": "RICH_CONTENT", "source": "CONSUMER", "data": data });
        Some(event("ana", 7, body))
    }

    fn with_body(&self, webhook: Webhook, body: Bytes) -> Webhook {
        Webhook { body, ..webhook }
    }

    fn forged(&self, who: &str, id: &str, text: &str) -> Webhook {
        let webhook = self.says(who, id, text);
        let token = token(STRANGER, |_| {});
        let bearer = format!("Bearer {token}").parse().expect("a header");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        Webhook { headers, ..webhook }
    }

    fn understand(_request: &Request) -> Option<Shown> {
        None
    }

    /// While the visitor's words wait for an answer.
    async fn deliver(
        &self,
        source: &dyn Source,
        _server: &FakeServer,
        contact: &Contact,
        item: &Item,
    ) -> (Sent, Vec<Shown>) {
        let address: Value = serde_json::from_str(&contact.address).expect("an address");
        let who = address["conversation"].as_str().expect("a conversation");
        let call = self.hears(who, "and now?");
        let sent = source.deliver(&contact.address, item).await;
        let answer = call.answer().await;
        let shown = words(&answer).into_iter().map(|text| Shown {
            text: text.to_owned(),
            options: Vec::new(),
        });
        (sent, shown.collect())
    }

    const CALLS: bool = false;

    fn is_busy(_seconds: u64) -> Behaviour {
        Behaviour::answer(503, "")
    }
}

/// The source, while the fake has it too.
#[derive(Debug)]
struct Shared(Arc<LivePerson>);

#[async_trait]
impl Source for Shared {
    fn capabilities(&self) -> &crate::domain::source::Capabilities {
        self.0.capabilities()
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        self.0.receive(webhook)
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        self.0.deliver(address, item).await
    }
}

source_conformance_suite!(FakeLivePerson);
