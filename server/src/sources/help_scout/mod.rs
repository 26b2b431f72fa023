//! Help Scout, Inbox API 2.0: webhooks in, replies out, and a tag with an assignee that say who answers.

mod api;
mod config;
mod conversation;
mod desk;
mod html;
#[cfg(test)]
mod tests;
mod token;
mod verify;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;

use self::{api::Api, desk::Desk, verify::Verification, webhook::Decoded};
use crate::{
    config::SourceConfig,
    domain::{
        Timestamp,
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::Sent,
        ports::Source,
        source::{Arrival, Capabilities, Handover, Item, NotRead, Observed, Received},
    },
    sources::Means,
};

pub use config::HelpScoutConfig;

const CAPABILITIES: Capabilities = Capabilities {
    // No limit is documented. This is longer than any message of an agent or a human may be, so that a reply stays one
    // mail, and far below what mail servers take.
    text_chars: 30_000,
    offers: &[],
    cards: None,
    hands_over: true,
    hands_over_with_text: false,
    reads_owner: true,
    reads_back: true,
    agent_window: None,
    human_window: None,
};

/// One source: an account, or one of its inboxes.
#[derive(Debug)]
pub struct HelpScout {
    name: String,
    mailbox: Option<u64>,
    desk: Desk,
    verification: Verification,
}

impl HelpScout {
    /// Fails when the base URL leads where it may not.
    pub fn new(
        source: &SourceConfig,
        config: &HelpScoutConfig,
        Means { clock, .. }: Means,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: source.name.clone(),
            mailbox: config.mailbox_id,
            desk: Desk::new(Api::new(source, config, Arc::clone(&clock))?, config, clock),
            verification: Verification::new(&config.webhook_secrets),
        })
    }
}

#[async_trait]
impl Source for HelpScout {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        let verified = self.verification.verify(webhook)?;
        let decoded = webhook::decode(&verified, &self.desk.rules, self.mailbox);
        let events = match decoded.ok_or(WebhookRefusal::Malformed)? {
            Decoded::Events(events) => events,
            Decoded::OtherMailbox => {
                tracing::info!(
                    source = self.name,
                    "a webhook about another inbox was dropped"
                );
                Vec::new()
            }
        };
        Ok(Received {
            events,
            reply: Box::new(WebhookReply::ok()),
        })
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        ended(self.desk.reply(address, item).await)
    }

    async fn escalate(&self, address: &str, handover: &Handover) -> Sent {
        ended(self.desk.escalate(address, handover).await)
    }

    async fn resume(&self, address: &str, note: &str) -> Sent {
        ended(self.desk.resume(address, note).await)
    }

    async fn read_owner(&self, address: &str) -> Result<Observed, NotRead> {
        self.desk.owner(address).await
    }

    async fn read_back(
        &self,
        address: &str,
        item: &Item,
        since: Timestamp,
    ) -> Result<Arrival, NotRead> {
        self.desk.arrival(address, item, since).await
    }
}

/// How it ended, early or not.
fn ended(sent: Result<Sent, Sent>) -> Sent {
    sent.unwrap_or_else(|sent| sent)
}
