//! What a simulated Social Connect is started with.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use secrecy::SecretString;

/// Tells the time in seconds since 1970.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// One account with one topic, one application, and people who look after it.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that the vendor grants or not"
)]
pub struct Settings {
    pub account_id: String,
    pub topic_id: u64,
    /// The brand's own profile, to which visitors write on every channel.
    pub profile: String,
    /// The application that connects the bot.
    pub client_id: String,
    pub client_secret: SecretString,
    /// A token that does not expire and may do everything.
    pub token: SecretString,
    /// Where the recipe posts messages. Empty: nowhere.
    pub webhook_url: String,
    /// Webhooks are signed, as the vendor enables on request.
    pub signs: bool,
    /// Messages tell their author's tags.
    pub tells_tags: bool,
    /// The tag that people use for "a human answers".
    pub tag: String,
    /// The handover is enabled for the account.
    pub hands_over: bool,
    /// The application is on the list of those that may publish directly.
    pub may_publish: bool,
    pub calls_per_hour: u32,
    /// How long a webhook may take before it counts as failed.
    pub webhook_timeout: Duration,
    pub now: Now,
}

impl Settings {
    /// An account where everything is allowed, by the machine's clock.
    pub fn new(client_secret: &str, token: &str) -> Self {
        Self {
            account_id: "1417".to_owned(),
            topic_id: 46283,
            profile: "99887766".to_owned(),
            client_id: "parloir-app".to_owned(),
            client_secret: client_secret.into(),
            token: token.into(),
            webhook_url: String::new(),
            signs: true,
            tells_tags: true,
            tag: "escalated to agent".to_owned(),
            hands_over: true,
            may_publish: true,
            calls_per_hour: 350,
            webhook_timeout: Duration::from_secs(9),
            now: Arc::new(|| {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                since.map_or(0, |since| since.as_secs())
            }),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}
