//! Facebook Messenger as a source: the made-up page, and the settings that lead to it.

use std::{fs, net::SocketAddr};

use tempfile::TempDir;

use super::{
    fake_server::FakeServer,
    messenger_page::{
        APP, APP_SECRET, FakeMessenger, PAGE, SOCIAL_CONNECT, TOKEN, VERIFY_TOKEN, signature,
    },
    stage::SOURCE,
};
use crate::support::http::Connection;

/// The visitor that the tests have in mind.
pub const PSID: &str = "5551234567";

/// A page of which our app is the default one and Social Connect's another.
pub struct Page {
    pub messenger: FakeMessenger,
    pub server: FakeServer,
    secrets: TempDir,
}

impl Page {
    pub async fn start() -> Self {
        let messenger = FakeMessenger::running();
        let secrets = tempfile::tempdir().expect("a temporary folder");
        for (name, secret) in [
            ("token", TOKEN),
            ("secret", APP_SECRET),
            ("verify", VERIFY_TOKEN),
        ] {
            fs::write(secrets.path().join(name), secret).expect("a secret can be written");
        }
        Self {
            server: messenger.server().await,
            messenger,
            secrets,
        }
    }

    /// The source's tables; `general` is TOML for any source, `own` for this system.
    pub fn source(&self, general: &str, own: &str) -> String {
        let url = self.server.url();
        let secret = |name: &str| self.secrets.path().join(name).display().to_string();
        let (token, app_secret, verify) = (secret("token"), secret("secret"), secret("verify"));
        format!(
            r#"
            [[sources]]
            name = "{SOURCE}"
            {general}
            [sources.system.messenger]
            page_id = "{PAGE}"
            page_token = {{ file = "{token}" }}
            app_id = "{APP}"
            app_secrets = [{{ file = "{app_secret}" }}]
            verify_tokens = [{{ file = "{verify}" }}]
            handover_app_id = "{SOCIAL_CONNECT}"
            base_url = "{url}"
            {own}
            "#
        )
    }

    /// Posts a webhook, which must be taken.
    pub async fn tell(&self, to: SocketAddr, body: &str) {
        let signed = signature(APP_SECRET, body.as_bytes());
        let mut connection = Connection::open(to).await;
        let path = format!("/sources/{SOURCE}");
        let headers = [("x-hub-signature-256", signed.as_str())];
        connection.post(&path, &headers, body.as_bytes()).await;
        let reply = connection.reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "{body}");
    }

    /// The texts that the visitor was shown.
    pub fn shown(&self) -> Vec<String> {
        let shown = self.messenger.shown(PSID).into_iter();
        shown
            .map(|message| message["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}
