//! Facebook Messenger as a source: the made-up page, and the settings that lead to it.

use std::{fs, net::SocketAddr, time::Duration};

use parloir_client::v1::DeliveryState;
use tempfile::TempDir;

use super::{
    fake_server::FakeServer,
    messenger_page::{
        APP, APP_SECRET, FakeMessenger, PAGE, SOCIAL_CONNECT, TOKEN, VERIFY_TOKEN, signature,
    },
    stage::SOURCE,
    story::Story,
};
use crate::support::{
    http::Connection,
    server::{TestServer, Wishes},
    webhook::says,
};

/// In place of settings of the system: no other application is there to hand over to.
pub const ALONE: &str = "alone";

/// The service in this process with a page before it. The agent is whoever writes the test.
pub struct PageCounter {
    pub server: TestServer,
    pub page: Page,
    pub story: Story,
}

impl PageCounter {
    pub async fn start(general: &str, own: &str) -> Self {
        let page = Page::start().await;
        let end = format!("source = \"{SOURCE}\"\n{}", page.source(general, own));
        let server = TestServer::start_with(Wishes {
            end,
            ..Wishes::default()
        });
        let server = server.await;
        let story = Story::of(&server.client);
        Self {
            server,
            page,
            story,
        }
    }

    /// Posts a webhook, which must be taken.
    pub async fn tell(&self, body: &str) {
        self.page.tell(self.server.webhooks, body).await;
    }

    /// The visitor says this and the agent gets it. The conversation.
    pub async fn asks(&mut self, words: &str) -> String {
        self.tell(&self.page.messenger.says(PSID, words, words))
            .await;
        let conversation = self.story.hears(words).await;
        self.story.comes_to(words, DeliveryState::Delivered).await;
        conversation
    }

    /// The agent says this, and its delivery comes to this state.
    pub async fn answers(&mut self, upstream: &str, words: &str, state: DeliveryState) -> String {
        self.server.taken(&says(upstream, words)).await;
        self.story.comes_to(words, state).await.reason
    }

    /// Both clocks.
    pub fn pass_time(&self, by: Duration) {
        self.server.clock.advance(by);
        self.page.messenger.pass_time(by);
    }

    /// How many requests the agent has got.
    pub fn heard(&self) -> usize {
        self.server.platform.requests().len()
    }
}

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
        let beside = match own {
            ALONE => String::new(),
            _ => format!("handover_app_id = \"{SOCIAL_CONNECT}\""),
        };
        let own = own.trim_start_matches(ALONE);
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
            {beside}
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
