//! The service in this process, between a source's platform and the test that plays the agent.

use parloir_client::v1::{DeliveryState, Owner};

use super::{desk::Desk, stage::SOURCE, story::Story};
use crate::support::{
    questions::ask,
    server::{ACCOUNT, TestServer, Wishes},
    webhook::{escalate, says},
};

/// The service with Social Connect before it. The agent is whoever writes the test.
pub struct Counter {
    pub server: TestServer,
    pub desk: Desk,
    pub story: Story,
}

impl Counter {
    /// `general` is TOML for any source, `own` for this system. Never looks for lost webhooks unless `own` says so.
    pub async fn start(desk: Desk, general: &str, own: &str) -> Self {
        Self::start_with(desk, general, own, Wishes::default()).await
    }

    pub async fn start_with(desk: Desk, general: &str, own: &str, wishes: Wishes) -> Self {
        let own = if own.contains("looks_every") {
            own.to_owned()
        } else {
            format!("looks_every = \"0s\"\n{own}")
        };
        let end = format!("source = \"{SOURCE}\"\n{}", desk.source(general, &own));
        let server = TestServer::start_with(Wishes { end, ..wishes }).await;
        desk.post_to(server.webhooks);
        let story = Story::of(&server.client);
        Self {
            server,
            desk,
            story,
        }
    }

    /// The visitor says this and the agent gets it. The conversation.
    pub async fn asks(&mut self, words: &str) -> String {
        self.desk.says(words).await;
        let conversation = self.story.hears(words).await;
        self.story.comes_to(words, DeliveryState::Delivered).await;
        conversation
    }

    /// The agent says this, and the visitor reads it.
    pub async fn answers(&mut self, upstream: &str, words: &str) {
        self.server.taken(&says(upstream, words)).await;
        self.story.comes_to(words, DeliveryState::Delivered).await;
        self.desk.reads(words).await;
    }

    /// The agent hands over. What its platform is answered.
    pub async fn escalates(&self, upstream: &str) -> u16 {
        let reply = ask(&self.server, &escalate(upstream)).await;
        reply.expect("an answer").status
    }

    pub async fn transfer(&self, conversation: &str, command: &str, to: Owner) -> u64 {
        let client = &self.server.client;
        let moved = client
            .hand_over(ACCOUNT, conversation, command, to, "")
            .await;
        moved.expect("a transfer").owner_epoch
    }

    /// The words that the agent has got.
    pub fn heard(&self) -> Vec<String> {
        let requests = self.server.platform.requests();
        let bodies = requests.iter().map(super::fake_server::Request::json);
        let messages = bodies.filter(|body| body["eventType"] == "message");
        messages
            .map(|body| body["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}
