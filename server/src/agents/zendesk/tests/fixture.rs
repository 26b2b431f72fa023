//! One agent on a made-up platform, with its secrets in files and its clock in the test's hand.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tempfile::TempDir;

use super::super::{Zendesk, ZendeskConfig};
use crate::{
    agents::{PlatformConfig, conformance::KEY},
    config::AgentConfig,
    domain::{
        AgentMessage, Answer, Clock, RequestKind, Timestamp,
        inbound::{Inbound, InboundBody, Webhook, WebhookRefusal, WebhookReply},
        outbound::{Outbound, Sent},
        ports::Agent,
    },
    secret::Secret,
    tests::fake_server::FakeServer,
};

pub(super) const BOT: &str = "65f0c1a2b3d4e5f60718293a";

/// A clock that stands where it is put: 2026-11-20 00:00 UTC at first.
#[derive(Debug)]
pub(super) struct StandingClock(AtomicI64);

pub(super) const TODAY: u64 = 1_795_132_800;

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

/// An agent with what it needs kept alive.
pub(super) struct Fixture {
    pub(super) agent: Zendesk,
    pub(super) clock: Arc<StandingClock>,
    secrets: Secrets,
}

/// Secrets in files.
pub(super) struct Secrets(TempDir);

impl Secrets {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(super) fn put(&self, name: &str, value: &str) -> Secret {
        let path = self.path(name);
        fs::write(&path, value).expect("a writable folder");
        Secret::in_file(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Fixture {
    /// An agent whose settings `change` may change.
    pub(super) fn new(
        base_url: &str,
        change: impl FnOnce(&mut AgentConfig, &mut ZendeskConfig, &Secrets),
    ) -> Self {
        let secrets = Secrets::new();
        let mut platform = ZendeskConfig {
            bot_id: BOT.to_owned(),
            base_url: base_url.to_owned(),
            api_key: secrets.put("api_key", KEY),
            ..ZendeskConfig::default()
        };
        let mut config = AgentConfig {
            name: "bot".to_owned(),
            ..AgentConfig::default()
        };
        change(&mut config, &mut platform, &secrets);
        config.platform = PlatformConfig::Zendesk(platform.clone());
        let clock = Arc::new(StandingClock(AtomicI64::new(
            i64::try_from(TODAY * 1_000_000).expect("a time"),
        )));
        let agent = Zendesk::new(&config, &platform, clock.clone()).expect("a valid agent");
        Self {
            agent,
            clock,
            secrets,
        }
    }

    /// An agent that talks to `server`.
    pub(super) fn at(server: &FakeServer) -> Self {
        Self::new(&server.url(), |_, _, _| {})
    }

    /// An agent that is only talked to, with these settings.
    pub(super) fn set(change: impl FnOnce(&mut AgentConfig, &mut ZendeskConfig, &Secrets)) -> Self {
        Self::new("http://127.0.0.1:9", change)
    }

    /// An agent that is only talked to.
    pub(super) fn listening() -> Self {
        Self::set(|_, _, _| {})
    }

    /// Writes another secret over one that was put.
    pub(super) fn replace(&self, name: &str, value: &str) {
        self.secrets.put(name, value);
    }

    pub(super) fn replace_key(&self, key: &str) {
        self.replace("api_key", key);
    }

    pub(super) fn receive(&self, body: &str) -> Result<Inbound, WebhookRefusal> {
        self.agent.receive(&webhook(body))
    }

    /// What a body says that must be taken.
    pub(super) fn says(&self, body: &str) -> Inbound {
        self.receive(body).expect("a webhook that is taken")
    }

    /// The message that a body says.
    pub(super) fn message(&self, body: &str) -> AgentMessage {
        match self.says(body).body {
            InboundBody::Message(message) => message,
            other => panic!("{other:?} is no message"),
        }
    }
}

/// A webhook as it comes without any verification.
pub(super) fn webhook(body: &str) -> Webhook {
    Webhook {
        method: http::Method::POST,
        headers: HeaderMap::from_iter([(
            HeaderName::from_static("content-type"),
            HeaderValue::from_static("application/json"),
        )]),
        path: String::new(),
        query: String::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// The envelope of a chat event.
pub(super) fn chat(data: &str) -> String {
    format!(
        r#"{{"botId":"{BOT}","channel":"chat","data":{{"platformConversationId":"c-1",{data}}}}}"#
    )
}

/// A fixture is its agent, with its secrets kept readable.
#[async_trait::async_trait]
impl Agent for Fixture {
    async fn send(&self, outbound: &Outbound) -> Sent {
        self.agent.send(outbound).await
    }

    async fn erase(&self, internal_id: &str) -> Sent {
        self.agent.erase(internal_id).await
    }

    fn receive(&self, webhook: &Webhook) -> Result<Inbound, WebhookRefusal> {
        self.agent.receive(webhook)
    }

    fn reply(&self, kind: RequestKind, answer: &Answer) -> WebhookReply {
        self.agent.reply(kind, answer)
    }
}

impl std::fmt::Debug for Fixture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.agent.fmt(f)
    }
}
