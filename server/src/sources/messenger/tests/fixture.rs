//! One page on a made-up Facebook, with its secrets in files and its clock in the test's hand.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tempfile::TempDir;

use super::{
    super::{GraphId, Messenger, MessengerConfig, address::Address},
    fake::{self, FakeMessenger},
    fake_server::FakeServer,
};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Timestamp,
        inbound::{Webhook, WebhookRefusal},
        outbound::Sent,
        ports::Source,
        source::{Author, Item, Received, SourceBody, SourceEvent, Words},
    },
    secret::Secret,
    sources::{Means, SystemConfig},
};

/// 2026-11-20 00:00 UTC.
pub(super) const TODAY_MS: i64 = 1_795_132_800_000;

/// A clock that stands where it is put.
#[derive(Debug)]
pub(super) struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Secrets in files.
pub(super) struct Secrets(TempDir);

impl Secrets {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(super) fn put(&self, name: &str, value: &str) -> Secret {
        let path = self.0.path().join(name);
        fs::write(&path, value).expect("a writable folder");
        Secret::in_file(path)
    }
}

/// A source with what it needs kept alive.
pub(super) struct Fixture {
    pub(super) source: Messenger,
    pub(super) fake: FakeMessenger,
    pub(super) server: FakeServer,
    clock: Arc<StandingClock>,
    secrets: Secrets,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A source whose settings `change` may change.
    pub(super) async fn with(change: impl FnOnce(&mut MessengerConfig)) -> Self {
        let secrets = Secrets::new();
        let fake = FakeMessenger::at(TODAY_MS);
        let server = fake.server().await;
        let mut config = config(&server.url(), &secrets);
        change(&mut config);
        let clock = Arc::new(StandingClock(AtomicI64::new(TODAY_MS * 1000)));
        let source = source(&config, clock.clone());
        Self {
            source,
            fake,
            server,
            clock,
            secrets,
        }
    }

    /// Both clocks move on.
    pub(super) fn pass_time(&self, by: Duration) {
        self.fake.pass_time(by);
        let micros = i64::try_from(by.as_micros()).expect("a short time");
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn replace_token(&self, token: &str) {
        self.secrets.put("page_token", token);
    }

    pub(super) fn receive(&self, body: &str) -> Result<Received, WebhookRefusal> {
        self.source.receive(&webhook(body))
    }

    /// What a body tells that must be taken.
    pub(super) fn hears(&self, body: &str) -> Vec<SourceEvent> {
        self.receive(body).expect("a webhook that is taken").events
    }

    pub(super) fn hears_one(&self, body: &str) -> SourceEvent {
        let mut events = self.hears(body);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The visitor speaks, and the agent says something back.
    pub(super) async fn answers(&self, psid: &str) -> Sent {
        self.says(psid, "m_in");
        self.deliver(psid, &said("hello")).await
    }

    /// The visitor speaks.
    pub(super) fn says(&self, psid: &str, mid: &str) -> SourceEvent {
        self.hears_one(&self.fake.says(psid, mid, "bonjour"))
    }

    pub(super) async fn deliver(&self, psid: &str, item: &Item) -> Sent {
        self.source.deliver(&Address::write(psid), item).await
    }
}

pub(super) fn config(base_url: &str, secrets: &Secrets) -> MessengerConfig {
    MessengerConfig {
        page_id: GraphId::new(fake::PAGE),
        page_token: secrets.put("page_token", fake::TOKEN),
        app_id: GraphId::new(fake::APP),
        app_secrets: vec![
            secrets.put("old_app_secret", "old-5ecret"),
            secrets.put("app_secret", fake::APP_SECRET),
        ],
        verify_tokens: vec![secrets.put("verify_token", fake::VERIFY_TOKEN)],
        handover_app_id: Some(GraphId::new(fake::SOCIAL_CONNECT)),
        base_url: base_url.to_owned(),
        ..MessengerConfig::default()
    }
}

pub(super) fn source(config: &MessengerConfig, clock: Arc<dyn Clock>) -> Messenger {
    let source = SourceConfig {
        name: "page".to_owned(),
        system: SystemConfig::Messenger(config.clone()),
        ..SourceConfig::default()
    };
    Messenger::new(&source, config, Means::without_keys(clock)).expect("a valid source")
}

/// A webhook as the platform posts it.
pub(super) fn webhook(body: &str) -> Webhook {
    signed(
        body.as_bytes(),
        &fake::signature(fake::APP_SECRET, body.as_bytes()),
    )
}

pub(super) fn signed(body: &[u8], signature: &str) -> Webhook {
    let signature = HeaderValue::from_str(signature).expect("a header");
    let name = HeaderName::from_static("x-hub-signature-256");
    Webhook {
        method: Method::POST,
        headers: HeaderMap::from_iter([(name, signature)]),
        path: String::new(),
        query: String::new(),
        body: Bytes::copy_from_slice(body),
    }
}

pub(super) fn said(text: &str) -> Item {
    Item::text(Author::Agent, text)
}

pub(super) fn lee(text: &str) -> Item {
    let lee = Author::Human {
        name: "Lee".to_owned(),
        avatar_url: String::new(),
    };
    Item::text(lee, text)
}

/// What a visitor said, if the event is that.
pub(super) fn words(event: &SourceEvent) -> &Words {
    match &event.body {
        SourceBody::Message { words, .. } => words,
        other => panic!("{other:?} is no message"),
    }
}

pub(super) fn milliseconds(milliseconds: i64) -> Timestamp {
    Timestamp(milliseconds * 1000)
}
