//! The `WhatsApp` Cloud API: webhooks in, one number's messages out. It has no owner of its own and hands nobody over.

mod client;
mod config;
mod failure;
mod message;
mod pause;
#[cfg(test)]
mod tests;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use http::Method;

use self::client::Client;
use crate::{
    config::SourceConfig,
    domain::{
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::Sent,
        ports::Source,
        source::{Capabilities, Item, OfferKind, OfferLimits, Received},
    },
    sources::{Means, graph_webhook::Verification},
};

pub use config::WhatsappConfig;

/// Reply buttons. The platform refuses two with one title.
const BUTTONS: OfferLimits = OfferLimits {
    kind: OfferKind::Buttons,
    max_options: 3,
    label_chars: 20,
    cuts_labels: false,
    repeats_labels: false,
    text_chars: 1024,
    links: false,
};

/// A list of one section. Ten rows are the most of all sections together.
const LIST: OfferLimits = OfferLimits {
    kind: OfferKind::List,
    max_options: 10,
    label_chars: 24,
    cuts_labels: true,
    repeats_labels: true,
    text_chars: 4096,
    links: false,
};

/// After a visitor's last word only templates are taken, whoever writes them.
const WINDOW: Duration = Duration::from_hours(24);

const CAPABILITIES: Capabilities = Capabilities {
    text_chars: 4096,
    offers: &[BUTTONS, LIST],
    cards: None,
    hands_over: false,
    hands_over_with_text: false,
    reads_owner: false,
    reads_back: false,
    agent_window: Some(WINDOW),
    human_window: Some(WINDOW),
};

/// One source: one phone number.
#[derive(Debug)]
pub struct Whatsapp {
    name: String,
    phone_number_id: String,
    client: Client,
    verification: Verification,
}

impl Whatsapp {
    /// Fails when the base URL leads where it may not.
    pub fn new(
        source: &SourceConfig,
        config: &WhatsappConfig,
        Means { clock, .. }: Means,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: source.name.clone(),
            phone_number_id: config.phone_number_id.clone(),
            client: Client::new(source, config, clock)?,
            verification: Verification::new(&config.app_secrets, &config.verify_tokens),
        })
    }
}

#[async_trait]
impl Source for Whatsapp {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        if webhook.method == Method::GET {
            return Ok(Received {
                events: Vec::new(),
                reply: Box::new(self.verification.challenged(webhook)),
            });
        }
        let verified = self.verification.verify(webhook)?;
        let decoded = webhook::decode(&verified, &self.phone_number_id);
        let decoded = decoded.ok_or(WebhookRefusal::Malformed)?;
        if decoded.of_others > 0 {
            tracing::info!(
                source = self.name,
                changes = decoded.of_others,
                "a webhook about another phone number was dropped"
            );
        }
        for (visitor, at) in &decoded.too_fast {
            self.client.pause(visitor, *at);
        }
        Ok(Received {
            events: decoded.events,
            reply: Box::new(WebhookReply::ok()),
        })
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        self.client.deliver(address, item).await
    }
}
