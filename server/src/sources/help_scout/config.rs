//! Settings of a source that is Help Scout, Inbox API 2.0.

use std::time::Duration;

use crate::{
    config::{
        problem::Problems,
        section::{Part, Section, section},
    },
    outgoing,
    secret::Secret,
};

/// Shorter secrets of webhooks can be guessed.
const SHORTEST_SECRET: usize = 8;

section! {
    /// Help Scout, reached through its Inbox API 2.0.
    HelpScoutConfig {
        /// The id of the app, from the profile of the user it belongs to.
        app_id: String;
        /// The app's secret. Used to fetch access tokens, and read again for each of them.
        app_secret: Secret;
        /// What webhooks are signed with, 8 to 40 characters; any of them counts.
        webhook_secrets: Vec<Secret>;
        /// The id of the user whom the agent speaks as. What this user writes is known to be ours; what another user
        /// writes means that a human answers.
        bot_user_id: u64, "1" to "9223372036854775807";
        /// Only conversations of this inbox count; webhooks about others are answered 200 and dropped. Unset: all of
        /// them.
        mailbox_id: Option<u64> = None, "1" to "9223372036854775807";
        /// The tag that says that a human answers. Set at a handover; without it, and without an assignee, the agent
        /// answers again.
        tag: String = "escalated".to_owned();
        /// The user or team that a handover is assigned to. Unset: it stays unassigned and only gets the tag.
        escalate_to: Option<u64> = None, "1" to "9223372036854775807";
        /// What the internal note of a handover begins with; what the agent's side says follows. Empty, and without
        /// anything to follow, there is no note.
        note: String = "The AI agent has handed this conversation over.".to_owned();
        /// Put a human's name before what a human says through Parloir, as in `Lee: Hello`: the reply itself shows the
        /// user of `bot_user_id`.
        name_humans: bool = true;
        /// Try to answer live chats of Beacon, too, as threads of kind chat. Off, a chat's messages come in and nothing
        /// is ever sent there: whether such a thread reaches the visitor is not documented.
        beacon_replies: bool = false;
        /// Where its API is, with the version.
        base_url: String = "https://api.helpscout.net/v2".to_owned();
        /// How long a connection to it may take to be made.
        #[serde(with = "humantime_serde")]
        connect_timeout: Duration = Duration::from_secs(2), "10ms" to "1m";
        /// Bytes of an answer that are read. A page of threads with long mails is longer than most; one that does not
        /// fit counts as not read.
        max_response_bytes: usize = 8 * 1024 * 1024, "1024" to "67108864";
        /// Send to addresses of private networks too. Off, a base URL that resolves to one is refused.
        allow_private_addresses: bool = false;
    }
}

impl HelpScoutConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![Part::of::<Self>(at.to_owned())]
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
        if let Err(remedy) = outgoing::check_address(&self.base_url) {
            problems.add(format!("{at}.base_url"), remedy);
        }
        if self.tag.trim().is_empty() {
            problems.add(
                format!("{at}.tag"),
                "must not be empty: it says who answers",
            );
        }
        if self.escalate_to == Some(self.bot_user_id) {
            problems.add(
                format!("{at}.escalate_to"),
                "must not be bot_user_id: what is assigned to that user is the agent's",
            );
        }
    }

    /// Every secret, with its setting and the least length that it may have.
    pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
        let webhooks = self.webhook_secrets.iter().enumerate();
        let webhooks = webhooks.map(|(number, secret)| {
            let name = format!("webhook_secrets[{number}]");
            (name, secret, SHORTEST_SECRET)
        });
        let mut all = vec![("app_secret".to_owned(), &self.app_secret, 1)];
        all.extend(webhooks);
        all
    }
}
