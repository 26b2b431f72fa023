//! Social Connect as a source: the simulated one, and the settings that lead to it.

use std::{fs, net::SocketAddr, sync::OnceLock};

use parloir::simulate::social_connect::{
    Call, Contact, Line, Platform, Settings, SocialConnect, Speaker,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::stage::SOURCE;
use crate::support::http::Connection;

const CLIENT_SECRET: &str = "client-secret-of-the-app";
const TOKEN: &str = "token-made-by-hand";

/// A simulated Social Connect with one visitor in mind.
pub struct Desk {
    pub platform: SocialConnect,
    pub visitor: Contact,
    secrets: TempDir,
    webhooks: OnceLock<SocketAddr>,
    ownership: &'static str,
}

impl Desk {
    /// `ownership` as the setting spells it; the visitor's channel goes with it.
    pub async fn start(ownership: &'static str) -> Self {
        Self::start_with(ownership, |_| {}).await
    }

    pub async fn start_with(ownership: &'static str, wish: impl FnOnce(&mut Settings)) -> Self {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut settings = Settings::new(CLIENT_SECRET, TOKEN);
        wish(&mut settings);
        let platform = SocialConnect::start(settings, listener).expect("a platform");
        let secrets = tempfile::tempdir().expect("a temporary folder");
        for (name, secret) in [("client-secret", CLIENT_SECRET), ("token", TOKEN)] {
            fs::write(secrets.path().join(name), secret).expect("a secret can be written");
        }
        let channel = match ownership {
            "tag" => "twitter",
            _ => "whatsapp",
        };
        Self {
            platform,
            visitor: Contact::new(channel, "32470000001"),
            secrets,
            webhooks: OnceLock::new(),
            ownership,
        }
    }

    /// With the visitor on another channel.
    pub fn on(mut self, channel: &str) -> Self {
        channel.clone_into(&mut self.visitor.channel);
        self
    }

    /// The source's tables; `general` is TOML for any source, `own` for this system.
    pub fn source(&self, general: &str, own: &str) -> String {
        let url = self.platform.base_url();
        let secret = |name: &str| self.secrets.path().join(name).display().to_string();
        let (client_secret, token) = (secret("client-secret"), secret("token"));
        let ownership = self.ownership;
        format!(
            r#"
            [[sources]]
            name = "{SOURCE}"
            {general}
            [sources.system.social_connect]
            account_id = "1417"
            base_url = "{url}"
            oauth_host = "{url}"
            client_id = "parloir-app"
            client_secret = {{ file = "{client_secret}" }}
            token = {{ file = "{token}" }}
            ownership = "{ownership}"
            {own}
            "#
        )
    }

    pub async fn says(&self, text: &str) {
        let id = self.platform.visitor_says(&self.visitor, text).await;
        let posted = self.platform.posted();
        let posted = posted.iter().find(|posted| posted.body.contains(&id));
        let status = posted.and_then(|posted| posted.status);
        assert_eq!(status, Some(200), "the webhook of {text:?}");
    }

    /// The newest message of the visitor, changed and told under another id. The status it gets.
    pub async fn tells(&self, id: &str, change: impl FnOnce(&mut Value)) -> u16 {
        let platform = self.platform.platform();
        let mut mention = platform.newest(&self.visitor).expect("a message");
        mention["id"] = id.into();
        mention["unique_id"] = format!("46283_{id}").into();
        change(&mut mention);
        let body = mention.to_string();
        let signature = platform.signature(body.as_bytes());
        self.posts(&[("x-signature", &signature)], body.as_bytes())
            .await
    }

    /// Posts a body where webhooks go.
    pub async fn posts(&self, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let mut connection =
            Connection::open(self.webhooks.get().copied().expect("a server")).await;
        let path = format!("/sources/{SOURCE}");
        connection.post(&path, headers, body).await;
        connection.reply().await.expect("an answer").status
    }

    /// Where webhooks go from now on.
    pub fn post_to(&self, webhooks: SocketAddr) {
        // Every server of a test has the same address.
        let _ = self.webhooks.set(webhooks);
        let url = format!("http://{webhooks}/sources/{SOURCE}");
        self.platform.set_webhook_url(&url);
    }

    /// The kinds of the calls so far, in their order.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.platform.platform().calls();
        calls.iter().map(|seen| seen.call).collect()
    }

    /// Waits until the visitor reads this.
    pub async fn reads(&self, text: &str) {
        let read = self.platform.wait_until(|platform| {
            let lines = platform.lines(&self.visitor);
            lines.iter().any(|line| line.text == text)
        });
        assert!(read.await, "{text:?} is not read, only {:?}", self.lines());
    }

    /// Waits until a kind of call has been made so often.
    pub async fn is_called(&self, call: Call, count: usize) {
        let so = |platform: &Platform| platform.count(call) >= count;
        let called = self.platform.wait_until(so).await;
        assert!(called, "{call:?}: {:?}", self.platform.platform().calls());
    }

    /// Waits until the platform knows that a human owns the visitor, or that none does.
    pub async fn human_owns(&self, owns: bool) {
        let so = |platform: &Platform| platform.human_owns(&self.visitor) == owns;
        assert!(self.platform.wait_until(so).await, "a human owns: {owns}");
    }

    /// The brand's people give the visitor back, in the way that this ownership has.
    pub fn hand_back(&self) {
        let platform = self.platform.platform();
        match self.ownership {
            "tag" => platform.agent_untags(&self.visitor, &platform.settings().tag),
            _ => platform.hand_over_to_bot(&self.visitor),
        }
    }

    /// What the visitor wrote and reads. None of it may be the bot's while a human owned the visitor.
    pub fn lines(&self) -> Vec<(Speaker, String)> {
        let lines = self.platform.platform().lines(&self.visitor);
        let is_intruding = |line: &&Line| line.from == Speaker::Bot && line.human_owns;
        let intruding: Vec<_> = lines.iter().filter(is_intruding).collect();
        assert!(intruding.is_empty(), "{intruding:?} among {lines:?}");
        lines
            .into_iter()
            .map(|line| (line.from, line.text))
            .collect()
    }
}
