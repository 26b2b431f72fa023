//! A source that talks to a simulated Social Connect, with both clocks in the test's hand.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use tempfile::TempDir;

use super::super::{Ownership, SocialConnect, SocialConnectConfig, TokenFile};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Timestamp,
        inbound::Webhook,
        ports::Source,
        source::{Contact, SourceBody, SourceEvent, Words},
    },
    keys::{Custody, new_line},
    secret::Secret,
    simulate::social_connect::{self as simulated, Platform, Reply, Settings},
    sources::{Means, conformance::SECRET},
    tests::{
        fake_server::{Behaviour, FakeServer, Request},
        master_keys::custody_of,
    },
};

/// 2026-11-20 00:00 UTC, in seconds.
pub(super) const TODAY: i64 = 1_795_132_800;

/// A clock that stands where it is put: at [`TODAY`] at first.
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

/// A simulated Social Connect behind a server that also fails on command, and what a source of it needs.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) platform: Arc<Platform>,
    pub(super) clock: Arc<StandingClock>,
    pub(super) custody: Arc<Custody>,
    folder: Arc<TempDir>,
}

/// The place with its server.
pub(super) struct Stage {
    pub(super) server: FakeServer,
    pub(super) place: Place,
}

impl Place {
    pub(super) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(StandingClock(AtomicI64::new(TODAY * 1_000_000)));
        let mut settings = Settings::new(&format!("client-{SECRET}"), &format!("token-{SECRET}"));
        let told = Arc::clone(&clock);
        settings.now = Arc::new(move || (told.now().0 / 1_000_000).try_into().expect("after 1970"));
        change(&mut settings);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = folder.path().join("keys");
        fs::write(&keys, &*new_line()).expect("a writable folder");
        Self {
            platform: Arc::new(Platform::new(settings)),
            clock,
            custody: custody_of(&keys),
            folder: Arc::new(folder),
        }
    }

    pub(super) async fn serve(&self) -> FakeServer {
        let platform = Arc::clone(&self.platform);
        FakeServer::answering(move |request| behaviour(platform.answer(&told(request)))).await
    }

    /// A source that talks to `base_url`, with settings that `change` may change.
    pub(super) fn source(
        &self,
        base_url: &str,
        change: impl FnOnce(&mut SocialConnectConfig),
    ) -> SocialConnect {
        self.source_within(Duration::from_secs(10), base_url, change)
    }

    /// A source whose calls are given up after `send_timeout`.
    pub(super) fn source_within(
        &self,
        send_timeout: Duration,
        base_url: &str,
        change: impl FnOnce(&mut SocialConnectConfig),
    ) -> SocialConnect {
        let mut config = self.config(base_url);
        change(&mut config);
        let source = SourceConfig {
            name: "care".to_owned(),
            send_timeout,
            ..SourceConfig::default()
        };
        let means = Means {
            clock: self.clock.clone(),
            custody: Some(Arc::clone(&self.custody)),
        };
        SocialConnect::new(&source, &config, means).expect("a valid source")
    }

    pub(super) fn config(&self, base_url: &str) -> SocialConnectConfig {
        SocialConnectConfig {
            account_id: "1417".to_owned(),
            base_url: base_url.to_owned(),
            oauth_host: base_url.to_owned(),
            client_id: "parloir-app".to_owned(),
            client_secret: Some(self.secret("client", &format!("client-{SECRET}"))),
            token: Some(self.secret("token", &format!("token-{SECRET}"))),
            ..SocialConnectConfig::default()
        }
    }

    pub(super) fn secret(&self, name: &str, value: &str) -> Secret {
        let path = self.file(name);
        fs::write(&path, value).expect("a writable folder");
        Secret::in_file(path)
    }

    /// The source's tokens at `path`.
    pub(super) fn tokens(&self, path: &Path) -> TokenFile {
        TokenFile::new("care", path, Some(Arc::clone(&self.custody)))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A signed webhook.
    pub(super) fn webhook(&self, body: &str) -> Webhook {
        let signature = self.platform.signature(body.as_bytes());
        let mut webhook = unsigned(body);
        webhook
            .headers
            .insert("x-signature", signature.parse().expect("a header"));
        webhook
    }

    /// The webhook of what a visitor says.
    pub(super) fn says(&self, contact: &simulated::Contact, text: &str) -> Webhook {
        // What came before, such as our own publications, is another test's matter.
        while self.platform.next_webhook().is_some() {}
        self.platform.visitor_says(contact, text);
        self.next_webhook()
    }

    /// The webhook that waits to be sent.
    pub(super) fn next_webhook(&self) -> Webhook {
        self.webhook(&self.platform.next_webhook().expect("a webhook"))
    }
}

impl Stage {
    /// Everything is allowed, and the clock stands.
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let place = Place::new(change);
        let server = place.serve().await;
        Self { server, place }
    }

    pub(super) fn source(&self, change: impl FnOnce(&mut SocialConnectConfig)) -> SocialConnect {
        self.place.source(&self.server.url(), change)
    }

    pub(super) fn by_tag(&self) -> SocialConnect {
        self.source(|config| config.ownership = Ownership::Tag)
    }

    pub(super) fn by_handover(&self) -> SocialConnect {
        self.source(|config| config.ownership = Ownership::Handover)
    }

    /// The contact, as the source knows it once they have written.
    pub(super) fn met(&self, source: &SocialConnect, contact: &simulated::Contact) -> Contact {
        let webhook = self.place.says(contact, "hello");
        let events = events(source, &webhook);
        let contact = events.into_iter().find_map(|event| event.contact);
        contact.expect("a contact")
    }
}

pub(super) fn twitter() -> simulated::Contact {
    simulated::Contact::new("twitter", "3313939576")
}

pub(super) fn whatsapp() -> simulated::Contact {
    simulated::Contact::new("whatsapp", "32470000001")
}

pub(super) fn events(source: &SocialConnect, webhook: &Webhook) -> Vec<SourceEvent> {
    source
        .receive(webhook)
        .expect("a webhook that is taken")
        .events
}

/// The one message that a webhook tells.
pub(super) fn text(event: &SourceEvent) -> &str {
    match &event.body {
        SourceBody::Message {
            words: Words::Text(text),
            ..
        } => text,
        other => panic!("{other:?} is no message"),
    }
}

/// A webhook as it comes without a signature.
pub(super) fn unsigned(body: &str) -> Webhook {
    Webhook {
        method: http::Method::POST,
        headers: HeaderMap::new(),
        path: String::new(),
        query: String::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn told(request: &Request) -> simulated::Request {
    simulated::Request {
        method: request.method.clone(),
        path: request.path.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
    }
}

fn behaviour(reply: Reply) -> Behaviour {
    match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => Behaviour::Answer {
            status,
            headers,
            body,
        },
        Reply::Silent => Behaviour::Silent,
        Reply::Reset => Behaviour::ResetBeforeAnswer,
    }
}

/// The contact of a message that came to this profile, in this form.
pub(super) fn changed_source(
    stage: &Stage,
    source: &SocialConnect,
    url: &str,
    profile: &serde_json::Value,
) -> Contact {
    stage.place.platform.visitor_says(&twitter(), "hello");
    let body = stage.place.platform.next_webhook().expect("a webhook");
    let mut mention: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    mention["source"]["url"] = url.into();
    mention["source"]["profile"] = profile.clone();
    let webhook = stage.place.webhook(&mention.to_string());
    events(source, &webhook)
        .remove(0)
        .contact
        .expect("a contact")
}
