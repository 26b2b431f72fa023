//! A bot that runs: its settings, some of which change while it does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::script::Script;
use super::settings::Bot;
use super::signing::Signing;
use super::{hex, locked};

#[derive(Debug)]
pub(super) struct RunningBot {
    bot: Bot,
    /// What may be replaced while the bot runs.
    replaced: Mutex<Replaced>,
}

#[derive(Debug)]
struct Replaced {
    key: SecretString,
    webhook_url: String,
    action_url: Option<String>,
}

impl RunningBot {
    pub(super) fn new(bot: Bot) -> Self {
        Self {
            replaced: Mutex::new(Replaced {
                key: bot.key.clone(),
                webhook_url: bot.webhook_url.clone(),
                action_url: bot.action_url.clone(),
            }),
            bot,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.bot.id
    }

    pub(super) fn script(&self) -> &Arc<Script> {
        &self.bot.script
    }

    pub(super) fn signing(&self) -> &Signing {
        &self.bot.signing
    }

    pub(super) fn welcome(&self) -> Option<&str> {
        self.bot.welcome()
    }

    pub(super) fn session_duration(&self) -> Duration {
        self.bot.session_duration
    }

    pub(super) fn has_key(&self, key: &[u8]) -> bool {
        locked(&self.replaced).key.expose_secret().as_bytes() == key
    }

    pub(super) fn webhook_url(&self) -> String {
        locked(&self.replaced).webhook_url.clone()
    }

    pub(super) fn action_url(&self) -> String {
        let replaced = locked(&self.replaced);
        let action_url = replaced.action_url.as_ref();
        action_url.unwrap_or(&replaced.webhook_url).clone()
    }

    pub(super) fn set_key(&self, key: &str) {
        locked(&self.replaced).key = key.into();
    }

    pub(super) fn set_webhook_url(&self, url: &str) {
        url.clone_into(&mut locked(&self.replaced).webhook_url);
    }

    pub(super) fn set_action_url(&self, url: Option<&str>) {
        locked(&self.replaced).action_url = url.map(str::to_owned);
    }

    /// The id of the reply that is written at `place` of the script: the same every time, in the form
    /// of the platform's ids.
    pub(super) fn reply_id(&self, place: &str) -> String {
        let hash = Sha256::digest(format!("{}/{place}", self.bot.id));
        hex(&hash[..12])
    }
}
