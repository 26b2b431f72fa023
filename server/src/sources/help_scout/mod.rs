//! Help Scout, Inbox API 2.0.

mod config;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    config::SourceConfig,
    domain::{
        Clock,
        inbound::{Webhook, WebhookRefusal},
        outbound::Sent,
        ports::Source,
        source::{Capabilities, Item, Received},
    },
};

pub use config::HelpScoutConfig;

const CAPABILITIES: Capabilities = Capabilities {
    text_chars: 2000,
    offers: &[],
    cards: None,
    hands_over: false,
    hands_over_with_text: false,
    reads_owner: false,
    reads_back: false,
    agent_window: None,
    human_window: None,
};

/// One source.
#[derive(Debug)]
pub struct HelpScout {}

impl HelpScout {
    /// Fails when the base URL leads where it may not.
    pub fn new(
        _source: &SourceConfig,
        _config: &HelpScoutConfig,
        _clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        Ok(Self {})
    }
}

#[async_trait]
impl Source for HelpScout {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn receive(&self, _webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        Err(WebhookRefusal::Unverified)
    }

    async fn deliver(&self, _address: &str, _item: &Item) -> Sent {
        Sent::NotSent
    }
}
