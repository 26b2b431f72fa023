//! What a simulator is started with.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::script::Script;
use super::signing::Signing;

/// Everything a [`Simulator`](super::Simulator) can be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bots it plays; their ids differ.
    pub bots: Vec<Bot>,
    /// How long a webhook may take before it counts as failed. 9 s: the shorter of the two limits that
    /// are known of the platform's calls to a customer's backend.
    pub webhook_timeout: Duration,
    /// How often a failed message is sent again, a second apart. The platform is not known to: 0.
    pub webhook_retries: u32,
    /// How long a bot thinks before the first webhook of a turn.
    pub reply_delay: Duration,
    /// Answer 401 in place of 404 to an unknown bot id.
    pub unknown_bot_is_unauthorized: bool,
    /// Answer 200 to a message without text and ignore it, in place of 400.
    pub ignore_blank_messages: bool,
    /// Whose bots they are, with a key that opens exports and deletions of each. Absent: only the bots' own
    /// keys do.
    pub organization: Option<Organization>,
    /// How many requests, and as many webhooks, the records keep; older ones are forgotten.
    /// 10 000: the longest test, in a few megabytes.
    pub kept: usize,
}

impl Settings {
    pub fn new(bots: Vec<Bot>) -> Self {
        Self {
            bots,
            webhook_timeout: Duration::from_secs(9),
            webhook_retries: 0,
            reply_delay: Duration::ZERO,
            unknown_bot_is_unauthorized: false,
            ignore_blank_messages: false,
            organization: None,
            kept: 10_000,
        }
    }
}

/// An organization, which has bots.
#[derive(Clone, Debug)]
pub struct Organization {
    /// What callers send in the header `organizationid`.
    pub id: String,
    /// What callers send in the header `Authorization`, in place of a bot's key.
    pub key: SecretString,
}

/// One bot: how it is reached, where it calls back, and what it says.
#[derive(Clone, Debug)]
pub struct Bot {
    /// What callers send in the header `botid`.
    pub id: String,
    /// What callers send in the header `Authorization`, without a scheme word.
    pub key: SecretString,
    /// Where messages, escalations and availability checks go.
    pub webhook_url: String,
    /// Where actions go. Absent: to `webhook_url`.
    pub action_url: Option<String>,
    /// How webhooks prove where they come from.
    pub signing: Signing,
    /// Sent when a session starts. Absent: the script's, if it has one. Empty: none.
    pub welcome: Option<String>,
    /// How long a session lives after the last message of either side. The platform's default: 2 h.
    pub session_duration: Duration,
    pub script: Arc<Script>,
}

impl Bot {
    /// A bot that plays [`Script::shop`], unsigned, with sessions of two hours.
    pub fn new(id: &str, key: &str, webhook_url: &str) -> Self {
        Self {
            id: id.to_owned(),
            key: key.into(),
            webhook_url: webhook_url.to_owned(),
            action_url: None,
            signing: Signing::None,
            welcome: None,
            session_duration: Duration::from_hours(2),
            script: Arc::new(Script::shop()),
        }
    }

    #[must_use]
    pub fn with_script(mut self, script: Script) -> Self {
        self.script = Arc::new(script);
        self
    }

    #[must_use]
    pub fn with_welcome(mut self, welcome: &str) -> Self {
        self.welcome = Some(welcome.to_owned());
        self
    }

    #[must_use]
    pub fn with_signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    #[must_use]
    pub fn with_action_url(mut self, url: &str) -> Self {
        self.action_url = Some(url.to_owned());
        self
    }

    pub(super) fn welcome(&self) -> Option<&str> {
        let welcome = self.welcome.as_ref().or(self.script.welcome.as_ref());
        welcome.map(String::as_str).filter(|text| !text.is_empty())
    }
}
