//! The platforms that agents live on: one folder each.

use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    config::{AgentConfig, problem::Problems, section::Part},
    domain::{Clock, ports::Agent},
    secret::Secret,
};

#[cfg(test)]
mod conformance;
pub mod zendesk;

/// The agent that a configuration describes, ready to talk. Fails when its platform cannot be reached as configured,
/// for example at a private address that is not allowed.
pub fn build(config: &AgentConfig, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Agent>> {
    let agent: anyhow::Result<Arc<dyn Agent>> = match &config.platform {
        PlatformConfig::Zendesk(platform) => zendesk::Zendesk::new(config, platform, clock)
            .map(|agent| Arc::new(agent) as Arc<dyn Agent>),
    };
    agent.with_context(|| format!("agent {:?}", config.name))
}

/// Where an agent lives, and how it is reached there: one variant per platform, named as in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlatformConfig {
    /// Zendesk AI agents - Advanced.
    Zendesk(zendesk::ZendeskConfig),
}

impl PlatformConfig {
    /// The names of all platforms in the configuration.
    pub const KINDS: &[&str] = &["zendesk"];

    /// The configuration reference of all platforms, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        zendesk::ZendeskConfig::reference(&format!("{at}.zendesk"))
    }

    /// Reports what is missing or wrong. `at` is the key of the platform's table.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        match self {
            Self::Zendesk(config) => config.check_all(&format!("{at}.zendesk"), problems),
        }
    }

    /// The key that Parloir shows to the platform, and the setting that names it.
    pub fn api_key(&self) -> (&'static str, &Secret) {
        match self {
            Self::Zendesk(config) => ("zendesk.api_key", &config.api_key),
        }
    }

    /// The key that Parloir shows on behalf of the whole organization, if there is one, and the setting that names it.
    pub fn organization_key(&self) -> Option<(&'static str, &Secret)> {
        match self {
            Self::Zendesk(config) => {
                let key = config.organization_key.as_ref()?;
                Some(("zendesk.organization_key", key))
            }
        }
    }

    /// Whether its webhooks carry a signature of their body.
    pub fn signs_bodies(&self) -> bool {
        match self {
            Self::Zendesk(config) => config.webhook.signs_bodies(),
        }
    }

    /// The secrets that the platform shows to Parloir: their setting, and the least length each may have.
    pub fn webhook_secrets(&self) -> (String, &[Secret], usize) {
        match self {
            Self::Zendesk(config) => {
                let (key, secrets, least) = config.webhook.secrets();
                (format!("zendesk.webhook.{key}"), secrets, least)
            }
        }
    }
}

impl Default for PlatformConfig {
    fn default() -> Self {
        Self::Zendesk(zendesk::ZendeskConfig::default())
    }
}
