//! Settings of a source that is a page on Facebook Messenger.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::graph_id::GraphId;
use crate::{
    config::{
        problem::Problems,
        section::{Kind, Part, Section, Setting, section},
    },
    outgoing,
    secret::Secret,
};

/// Verify tokens are compared with what anybody may send: this many characters cannot be guessed in a life.
const LEAST_VERIFY_TOKEN: usize = 16;

section! {
    /// One page on Facebook Messenger, of which our app is the default application. Social Connect, or the page's inbox,
    /// is the other application that visitors are handed over to.
    MessengerConfig {
        /// The page's id: digits. Webhooks of other pages are dropped.
        page_id: GraphId;
        /// The page's access token, with the permission `pages_messaging`. Once it is refused (error 190) nothing is
        /// sent until another one stands in its place.
        page_token: Secret;
        /// Our app's id: digits. What tells our own messages and our own ownership from everybody else's.
        app_id: GraphId;
        /// The app's secrets, which sign its webhooks. Several let a rotation overlap: any of them counts.
        app_secrets: Vec<Secret>;
        /// What was typed as "verify token" when the webhook was set up, at least 16 characters. Any of them counts.
        verify_tokens: Vec<Secret>;
        /// The application that visitors are handed over to: Social Connect's app id, or 263902037430900 for the page's
        /// inbox. Without it escalations are left to callers, and none is ever passed on.
        handover_app_id: Option<GraphId> = None;
        /// What is done when another application asks for a visitor: `pass` gives the visitor at once to whoever asks,
        /// `ignore` tells subscribers and does nothing.
        thread_requests: ThreadRequests = ThreadRequests::Pass;
        /// After a visitor was taken back, keep the control of the conversation for this long instead of the platform's
        /// 24 h. More than 7 days count as 7 days, which is all that the platform grants. Unset, nothing is extended.
        #[serde(with = "humantime_serde")]
        extend_control: Option<Duration> = None, "1m" to "30days";
        /// The platform has approved the feature Human Agent for our app: a human may answer for 7 days after the
        /// visitor's last word instead of 24 h. An agent never may.
        human_agent_tag: bool = false;
        /// Put a human's name before their words (`Lee: ...`), because the platform shows the page's name alone.
        name_humans: bool = true;
        /// Where the Graph API is. Plain http is accepted for loopback addresses only.
        base_url: String = "https://graph.facebook.com".to_owned();
        /// The Graph API's version, as in its addresses. The platform ends each some two years after it came.
        version: String = "v25.0".to_owned();
        /// How long a connection to the platform may take to be made.
        #[serde(with = "humantime_serde")]
        connect_timeout: Duration = Duration::from_secs(2), "10ms" to "1m";
        /// Send to addresses of private networks too. Off, a base URL that resolves to one is refused.
        allow_private_addresses: bool = false;
        /// Bytes of an answer that are read. A longer one counts as one that does not tell.
        max_response_bytes: usize = 1024 * 1024, "1024" to "67108864";
    }
}

/// What is done when another application asks for a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadRequests {
    /// Passed to whoever asks.
    Pass,
    /// Told, and left alone.
    Ignore,
}

impl MessengerConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![Part::of::<Self>(at.to_owned())]
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
        let ids = [
            ("page_id", Some(&self.page_id)),
            ("app_id", Some(&self.app_id)),
            ("handover_app_id", self.handover_app_id.as_ref()),
        ];
        for (name, id) in ids {
            if id.is_some_and(|id| !id.is_missing() && !id.is_digits()) {
                problems.add(
                    format!("{at}.{name}"),
                    "must be the id itself: digits alone",
                );
            }
        }
        if self.handover_app_id.as_ref() == Some(&self.app_id) && !self.app_id.is_missing() {
            problems.add(
                format!("{at}.handover_app_id"),
                "is our own app_id: a visitor would be handed over to the agent",
            );
        }
        if !is_version(&self.version) {
            problems.add(format!("{at}.version"), "must look like v25.0");
        }
        if let Err(remedy) = outgoing::check_address(&self.base_url) {
            problems.add(format!("{at}.base_url"), remedy);
        }
    }

    /// Every secret, with its setting and the least length that it may have.
    pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
        let list = |name: &'static str, secrets| {
            let secrets: &[Secret] = secrets;
            let least = if name == "verify_tokens" {
                LEAST_VERIFY_TOKEN
            } else {
                1
            };
            secrets
                .iter()
                .enumerate()
                .map(move |(index, secret)| (format!("{name}[{index}]"), secret, least))
        };
        std::iter::once(("page_token".to_owned(), &self.page_token, 1))
            .chain(list("app_secrets", &self.app_secrets))
            .chain(list("verify_tokens", &self.verify_tokens))
            .collect()
    }
}

fn is_version(text: &str) -> bool {
    let numbers = text.strip_prefix('v').and_then(|text| text.split_once('.'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

impl Setting for ThreadRequests {
    const KIND: Kind = Kind::Choice(&["pass", "ignore"]);
}
