//! The systems that bring visitors by themselves: one folder each.

use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        SourceConfig,
        problem::Problems,
        section::{Kind, Part, Setting},
    },
    domain::{Clock, ports::Source},
    keys::Custody,
    secret::Secret,
};

#[cfg(test)]
mod conformance;
mod ending;
mod graph_webhook;
pub mod help_scout;
pub mod live_person;
pub mod messenger;
pub mod social_connect;
#[cfg(test)]
mod tests;
pub mod whatsapp;

/// What a source is given besides its settings.
#[derive(Debug, Clone)]
pub struct Means {
    pub clock: Arc<dyn Clock>,
    /// The master keys, for what a source keeps on disk; absent where it sends nothing.
    pub custody: Option<Arc<Custody>>,
}

impl Means {
    /// For a source that keeps nothing on disk, or is only asked about webhooks.
    pub fn without_keys(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            custody: None,
        }
    }
}

/// Writes what all systems have in common: a variant of the configuration for each, and what is asked of it.
macro_rules! systems {
    ($($(#[doc = $doc:literal])* $variant:ident($module:ident :: $source:ident, $config:ident)),+ $(,)?) => {
        /// Which system a source is, and how it is reached: one variant per system, named as in the configuration.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub enum SystemConfig {
            $($(#[doc = $doc])* $variant($module::$config)),+
        }

        /// The source that a configuration describes, ready to talk. Fails when its system cannot be reached as
        /// configured, for example at a private address that is not allowed.
        pub fn build(config: &SourceConfig, means: Means) -> anyhow::Result<Arc<dyn Source>> {
            let source: anyhow::Result<Arc<dyn Source>> = match &config.system {
                $(SystemConfig::$variant(system) => $module::$source::new(config, system, means)
                    .map(|source| Arc::new(source) as Arc<dyn Source>)),+
            };
            source.with_context(|| format!("source {:?}", config.name))
        }

        impl SystemConfig {
            /// The names of all systems in the configuration.
            pub const KINDS: &[&str] = &[$(stringify!($module)),+];

            /// The configuration reference of all systems, under `at`.
            pub fn reference(at: &str) -> Vec<Part> {
                let mut parts = Vec::new();
                $(parts.extend($module::$config::reference(&format!("{at}.{}", stringify!($module))));)+
                parts
            }

            /// The system's name in the configuration.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($module)),+
                }
            }

            /// Reports what is missing or wrong. `at` is the key of the system's table.
            pub fn check(&self, at: &str, problems: &mut Problems) {
                match self {
                    $(Self::$variant(config) => config.check_all(&format!("{at}.{}", stringify!($module)), problems)),+
                }
            }

            /// Every secret that it names, with its setting and the least length it may have.
            pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
                match self {
                    $(Self::$variant(config) => config
                        .secrets()
                        .into_iter()
                        .map(|(setting, secret, least)| {
                            (format!("{}.{setting}", stringify!($module)), secret, least)
                        })
                        .collect()),+
                }
            }
        }
    };
}

systems! {
    /// Qualtrics Social Connect.
    SocialConnect(social_connect::SocialConnect, SocialConnectConfig),
    /// Facebook Messenger.
    Messenger(messenger::Messenger, MessengerConfig),
    /// `WhatsApp` Cloud API.
    Whatsapp(whatsapp::Whatsapp, WhatsappConfig),
    /// `LivePerson` third-party bots, custom endpoint.
    LivePerson(live_person::LivePerson, LivePersonConfig),
    /// Help Scout.
    HelpScout(help_scout::HelpScout, HelpScoutConfig),
}

impl Default for SystemConfig {
    fn default() -> Self {
        Self::SocialConnect(social_connect::SocialConnectConfig::default())
    }
}

impl Setting for SystemConfig {
    const KIND: Kind = Kind::Table;
}
