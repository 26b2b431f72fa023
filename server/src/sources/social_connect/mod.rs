//! Qualtrics Social Connect: private messages of many channels, answered by the agent or by people over there.

mod address;
mod answer;
mod budget;
mod client;
mod config;
mod escape;
mod handover;
mod kept;
mod look;
mod mention;
mod oauth;
mod publisher;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod token_file;
mod verify;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use self::{
    address::Address,
    budget::Share,
    client::{Client, Failure},
    handover::Handovers,
    mention::{Heard, Origin},
    tag::Tags,
    verify::Verifier,
};
use crate::{
    config::SourceConfig,
    domain::{
        Owner, Timestamp,
        inbound::{Webhook, WebhookRefusal, WebhookReply},
        outbound::Sent,
        ports::Source,
        source::{Arrival, Capabilities, Handover, Item, NotRead, Observed, Received, SourceEvent},
    },
    sources::Means,
};

pub use self::{
    config::{Ownership, SocialConnectConfig, Verification},
    handover::Said,
    oauth::{Grant, OAuth, OAuthError},
    token_file::{Found, TokenFile, Unread},
};

/// One source.
#[derive(Debug)]
pub struct SocialConnect {
    config: SocialConnectConfig,
    capabilities: Capabilities,
    verifier: Verifier,
    client: Client,
    ownership: Kept,
    /// A look that could not take in all costs many calls: until then there is none.
    no_look_before: Mutex<Option<Timestamp>>,
    /// Messages of accounts and topics that are not ours.
    strangers: AtomicU64,
}

/// Where it is kept who answers a contact.
#[derive(Debug)]
enum Kept {
    Handover(Handovers),
    Tag(Tags),
}

impl SocialConnect {
    /// Fails when a URL leads where it may not.
    pub fn new(
        source: &SourceConfig,
        config: &SocialConnectConfig,
        means: Means,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            capabilities: Capabilities {
                text_chars: config.text_chars,
                offers: &[],
                cards: None,
                hands_over: true,
                hands_over_with_text: false,
                reads_owner: true,
                reads_back: true,
                agent_window: None,
                human_window: None,
            },
            verifier: Verifier::new(config),
            client: Client::new(source, config, means)?,
            ownership: match config.ownership {
                Ownership::Handover => Kept::Handover(Handovers::new(config)),
                Ownership::Tag => Kept::Tag(Tags::new(config)),
            },
            no_look_before: Mutex::default(),
            strangers: AtomicU64::new(0),
            config: config.clone(),
        })
    }

    fn hear(&self, mention: &Value, raw: String, origin: Origin) -> Vec<SourceEvent> {
        let source = self.client.source();
        match mention::hear(mention, raw, origin, &self.config) {
            Heard::Events(events) => events,
            Heard::Nothing(because) => {
                tracing::debug!(source, because, "a message is not answered");
                Vec::new()
            }
            Heard::Foreign(setting) => {
                let count = self.strangers.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::warn!(source, count, setting, "dropped a message that is not ours");
                Vec::new()
            }
        }
    }

    async fn give(&self, address: &str, owner: Owner) -> Result<(), Failure> {
        let at = Address::read(address)?;
        match (&self.ownership, owner) {
            (Kept::Handover(handovers), owner) => handovers.give(&self.client, &at, owner).await,
            (Kept::Tag(tags), Owner::Human) => tags.add(&self.client, &at).await,
            (Kept::Tag(tags), _) => tags.remove(&self.client, &at).await,
        }
    }

    async fn publish(&self, address: &str, item: &Item) -> Result<Sent, Failure> {
        let at = Address::read(address)?;
        publisher::publish(&self.client, &at, item, &self.config).await
    }
}

#[async_trait]
impl Source for SocialConnect {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn receive(&self, webhook: &Webhook) -> Result<Received, WebhookRefusal> {
        // The names of the headers, never their values: what the vendor sends is hardly documented.
        tracing::debug!(source = self.client.source(), ?webhook, "a webhook came");
        self.verifier.verify(webhook)?;
        let mention: Value =
            serde_json::from_slice(&webhook.body).map_err(|_| WebhookRefusal::Malformed)?;
        if !mention.is_object() {
            return Err(WebhookRefusal::Malformed);
        }
        let raw = String::from_utf8_lossy(&webhook.body).into_owned();
        Ok(Received {
            events: self.hear(&mention, raw, self.verifier.origin()),
            reply: Box::new(WebhookReply::ok()),
        })
    }

    async fn deliver(&self, address: &str, item: &Item) -> Sent {
        self.publish(address, item).await.unwrap_or_else(Sent::from)
    }

    async fn escalate(&self, address: &str, _handover: &Handover) -> Sent {
        acknowledged(self.give(address, Owner::Human).await)
    }

    async fn resume(&self, address: &str, _note: &str) -> Sent {
        acknowledged(self.give(address, Owner::Agent).await)
    }

    async fn read_owner(&self, address: &str) -> Result<Observed, NotRead> {
        let at = Address::read(address)?;
        let observed = match &self.ownership {
            Kept::Handover(handovers) => handovers.read(&self.client, Share::Reads, &at).await,
            Kept::Tag(tags) => tags.read(&self.client, Share::Reads, &at).await,
        };
        Ok(observed?)
    }

    async fn read_back(
        &self,
        address: &str,
        item: &Item,
        since: Timestamp,
    ) -> Result<Arrival, NotRead> {
        let at = Address::read(address)?;
        publisher::find(&self.client, &at, item, since, &self.config).await
    }

    fn looks_every(&self) -> Option<Duration> {
        // Without topics it would find, and answer, what no recipe sends.
        let is_bounded = !self.config.topic_ids.is_empty();
        Some(self.config.looks_every).filter(|every| is_bounded && !every.is_zero())
    }

    async fn look(&self, since: Timestamp) -> Result<Vec<SourceEvent>, NotRead> {
        let now = self.client.clock().now();
        let pause = || {
            let pause = self.no_look_before.lock();
            pause.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(until) = pause().filter(|until| *until > now) {
            let after = Some(until.since(now));
            return Err(NotRead::Later { after });
        }
        let mentions = look::mentions(&self.client, &self.config.topic_ids, since).await;
        if let Err(Failure::NotNow(after)) = &mentions {
            *pause() = Some(now + *after);
        }
        let mentions = mentions?;
        let heard = mentions
            .iter()
            .flat_map(|mention| self.hear(mention, mention.to_string(), Origin::Vendor));
        Ok(heard.collect())
    }

    fn reseal(&self) -> Option<String> {
        self.client.reseal()
    }
}

fn acknowledged(done: Result<(), Failure>) -> Sent {
    done.map_or_else(Sent::from, |()| Sent::Acknowledged)
}
