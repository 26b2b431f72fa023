//! Zendesk AI agents - Advanced, through its custom CRM integration: REST out, webhooks in.

mod action;
mod caller;
mod client;
mod config;
mod export;
mod keys;
mod message;
mod reply;
mod request;
mod signature;
#[cfg(test)]
mod tests;
mod ticket;
mod user_data;
mod verify;
mod webhook;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use http::header::CONTENT_TYPE;

use self::{client::Client, verify::Verification, webhook::Undecodable};
use crate::{
    config::{AgentConfig, UnknownBot},
    domain::{
        Answer, Clock, RequestKind,
        inbound::{Inbound, Webhook, WebhookRefusal, WebhookReply},
        outbound::{Outbound, Sent},
        ports::{Agent, Probed},
    },
};

pub use caller::CallFault;
pub use config::{ContentTypePolicy, EmptyResults, MetadataField, ZendeskConfig};
pub use export::{Day, Downloaded, Export, ExportFile, FileBounds};
pub use user_data::{BATCH, UserData};

/// Session parameters that the platform sets itself; setting one is an error there.
const RESERVED: &[&str] = &[
    "lastDetectedLanguage",
    "active_language",
    "chatTranscript",
    "lastVisitorMessage",
    "integrationId",
    "confidence_score",
    "lastResolution",
    "platformConversationId",
];

const API_KEY: &str = "platform.zendesk.api_key";
const PREVIOUS_API_KEY: &str = "platform.zendesk.previous_api_key";

/// One agent on the platform.
#[derive(Debug)]
pub struct Zendesk {
    name: String,
    bot_id: String,
    client: Client,
    user_data: UserData,
    verification: Verification,
    content_type: ContentTypePolicy,
    empty_results: EmptyResults,
    unknown_bot: UnknownBot,
}

impl Zendesk {
    /// Fails when the base URL leads where it may not.
    pub fn new(
        agent: &AgentConfig,
        config: &ZendeskConfig,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: agent.name.clone(),
            bot_id: config.bot_id.clone(),
            client: Client::new(agent, config, Arc::clone(&clock))?,
            user_data: UserData::new(config)?,
            verification: Verification::new(&config.webhook, clock),
            content_type: config.content_type,
            empty_results: config.empty_results,
            unknown_bot: agent.unknown_bot,
        })
    }

    fn takes_content_type(&self, webhook: &Webhook) -> bool {
        let is_json = || {
            let value = webhook.headers.get(CONTENT_TYPE)?.to_str().ok()?;
            let essence = value.split(';').next()?.trim();
            Some(essence.eq_ignore_ascii_case("application/json"))
        };
        self.content_type == ContentTypePolicy::Any || is_json() == Some(true)
    }
}

#[async_trait]
impl Agent for Zendesk {
    async fn send(&self, outbound: &Outbound) -> Sent {
        self.client.send(outbound).await
    }

    fn keys_in_force(&self) -> Vec<&'static str> {
        let mut settings = vec![API_KEY];
        if self.client.has_other_key() {
            settings.push(PREVIOUS_API_KEY);
        }
        settings
    }

    async fn probe(&self, key: &str) -> Probed {
        let is_other = key == PREVIOUS_API_KEY;
        self.client.ask(is_other, &Probed::question()).await
    }

    fn receive(&self, webhook: &Webhook) -> Result<Inbound, WebhookRefusal> {
        // The names of the headers, never their values: the platform documents no signature, so an operator must be able
        // to find out what it really sends.
        tracing::debug!(agent = self.name, ?webhook, "a webhook came");
        let verified = self.verification.verify(webhook)?;
        if !self.takes_content_type(webhook) {
            return Err(WebhookRefusal::Malformed);
        }
        webhook::decode(&verified, &self.bot_id).map_err(|error| match error {
            Undecodable::Malformed => WebhookRefusal::Malformed,
            Undecodable::OtherBot => WebhookRefusal::UnknownAgent {
                acknowledge: self.unknown_bot == UnknownBot::Ok,
            },
        })
    }

    fn reply(&self, kind: RequestKind, answer: &Answer) -> WebhookReply {
        reply::reply(kind, answer, self.empty_results)
    }

    async fn erase(&self, internal_id: &str) -> Sent {
        self.user_data.erase(internal_id).await
    }

    fn reserved_parameters(&self) -> &'static [&'static str] {
        RESERVED
    }
}
