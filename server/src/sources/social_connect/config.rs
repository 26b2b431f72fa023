//! Settings of a source that is Qualtrics Social Connect.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::handover::Said;
use crate::{
    config::{
        problem::Problems,
        section::{Kind, Part, Section, Setting, section},
    },
    outgoing,
    secret::Secret,
};

section! {
    /// Qualtrics Social Connect (before: Engagor, CX Social), through its REST API and the webhooks of its automation
    /// recipes.
    SocialConnectConfig {
        /// The account's id: the number after `/messages/` in the address of any of its messages. Webhooks of other
        /// accounts are answered 200 and dropped.
        account_id: String;
        /// Where its API is. Plain http is accepted for loopback addresses only.
        base_url: String = "https://api.engagor.com".to_owned();
        /// Where access is granted and tokens are renewed: `https://us.engagor.com` for the US region.
        oauth_host: String = "https://app.engagor.com".to_owned();
        /// The id of our application. Needed with `token_file`.
        client_id: String = String::new();
        /// The secret of our application: signs webhooks, and renews the token of `token_file`.
        client_secret: Option<Secret> = None;
        /// Secrets of before, with which webhooks may still be signed while a rotation lasts.
        former_client_secrets: Vec<Secret> = Vec::new();
        /// A token made by hand in the application's settings. Such a token may be limited to 20 calls an hour: set
        /// `calls_per_hour` to what it has. Either this or `token_file`.
        token: Option<Secret> = None;
        /// The file with the tokens that `parloir source-login` fetched, sealed under the master key. It is written again
        /// whenever they are renewed, so it must lie in a folder that the server can write to. Either this or `token`.
        token_file: Option<PathBuf> = None;
        /// How webhooks are verified: `signature` wants `x-signature` made with a client secret, which the vendor
        /// enables per recipe; `url_token` wants one of `url_tokens` as a segment of the path.
        verification: Verification = Verification::Signature;
        /// The tokens of `url_token`, of 22 characters at least (128 bits). Addresses stand in many logs, so the tags that
        /// such a message tells are not believed but asked for, one call each: ask the vendor for signatures.
        url_tokens: Vec<Secret> = Vec::new();
        /// Who answers a contact is kept as: `handover`, the vendor's handover (Live Chat, `WhatsApp`, Viber and Twilio,
        /// once it is enabled for the account), or `tag`, a tag of the contact (all channels but Instagram).
        ownership: Ownership = Ownership::Tag;
        /// The tag that means that a human answers. Compared without case and outer blanks.
        tag: String = "escalated to agent".to_owned();
        /// How the calls for contacts and handovers name a channel, by its name in messages. What is not named here
        /// keeps its name. Given, it takes the place of the whole default.
        services: BTreeMap<String, String> = services();
        /// What the owner of a handover means, `human` or `agent`, by its name in lower case. Our client id always means
        /// the agent; what stands nowhere means that the owner is unknown, and then the agent is silent. Given, it takes
        /// the place of the whole default.
        owner_words: BTreeMap<String, Said> = owner_words();
        /// The id of the profile that answers, by channel, where a message does not tell its own.
        profiles: BTreeMap<String, String> = BTreeMap::new();
        /// The topics of the account that are ours, as ids between commas: those that the recipe sends. Messages of other
        /// topics are answered 200 and dropped, and only these topics are looked at for missed messages. Empty: whatever
        /// the recipe sends is ours, nothing is looked for, and calls that need a topic name the message's own.
        topic_ids: String = String::new();
        /// Channels whose messages are not answered, by their names in messages: those that another source serves, such
        /// as `facebook` beside a source that is Messenger.
        ignored_channels: Vec<String> = Vec::new();
        /// Calls that the token may make in an hour.
        calls_per_hour: u32 = 350, "1" to "100000";
        /// How many of these are kept for handovers, tags and the question who owns: without them, messages would use
        /// up what a visitor needs to reach a human. The question may use half of them; the other half is for escalations
        /// and their return alone. Less than `calls_per_hour`.
        reserve_for_handovers: u32 = 30, "0" to "100000";
        /// Ask for a human's approval of a message that we are not permitted to publish directly, instead of failing.
        /// Each such message costs two calls.
        approval_fallback: bool = false;
        /// Record private messages that the brand itself sent, by its people over there, as messages of a human. Needs
        /// `application_name`.
        record_brand_messages: bool = false;
        /// The name under which messages that we sent come back, in `source.application`: those are not recorded again.
        application_name: String = String::new();
        /// How often to look for messages that no webhook brought; 0 is never, and so is it without `topic_ids`. A look
        /// knows nothing of the recipe's filters: it takes every private message of these topics. It costs one call
        /// and one for every further hundred messages.
        #[serde(with = "humantime_serde")]
        looks_every: Duration = Duration::from_mins(10), "0s" to "1day";
        /// The longest message in characters; longer ones are split at the ends of sentences. The channels differ, and
        /// the default fits all of them.
        text_chars: usize = 1600, "100" to "10000";
        /// Put a human's name before what a human says through Parloir, as in `Lee: Hello`: agent and humans answer from
        /// the same profile. Left out where it would make a text longer than `text_chars`.
        name_humans: bool = true;
        /// Send to addresses of private networks too. Off, a base URL that resolves to one is refused.
        allow_private_addresses: bool = false;
        /// How long a connection may take to be made.
        #[serde(with = "humantime_serde")]
        connect_timeout: Duration = Duration::from_secs(2), "10ms" to "1m";
        /// Bytes of one answer; a longer one counts as none. A page of a hundred messages takes about half a megabyte.
        max_response_bytes: usize = 4 * 1024 * 1024, "1024" to "67108864";
    }
}

/// How webhooks are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// By `x-signature`.
    Signature,
    /// By a token in the path.
    UrlToken,
}

/// What tells who answers a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The vendor's handover.
    Handover,
    /// A tag of the contact.
    Tag,
}

impl SocialConnectConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![Part::of::<Self>(at.to_owned())]
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
        let mut wrong = |key: &str, text: &str| problems.add(format!("{at}.{key}"), text);
        for (key, url) in [
            ("base_url", &self.base_url),
            ("oauth_host", &self.oauth_host),
        ] {
            if let Err(remedy) = outgoing::check_address(url) {
                wrong(key, remedy);
            }
        }
        for (key, ids) in [
            ("account_id", &self.account_id),
            ("topic_ids", &self.topic_ids),
        ] {
            if !ids
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == ',' && key == "topic_ids")
            {
                wrong(
                    key,
                    "must be letters and digits, and topics have commas between them",
                );
            }
        }
        match (&self.token, &self.token_file) {
            (None, None) => wrong("token", "is missing, and so is token_file: write one"),
            (Some(_), Some(_)) => wrong("token", "must not be set beside token_file"),
            _ => {}
        }
        self.check_together(&mut wrong);
    }

    /// Every secret, with its setting and the least length that it may have.
    pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
        let one =
            |name: &str, secret: &'_ Option<Secret>| secret.is_some().then(|| name.to_owned());
        let single = [
            ("client_secret", &self.client_secret),
            ("token", &self.token),
        ]
        .into_iter()
        .filter_map(|(name, secret)| Some((one(name, secret)?, secret.as_ref()?, 1)));
        let list = |name: &'static str, secrets: &'_ [Secret]| -> Vec<(String, usize)> {
            (0..secrets.len())
                .map(|n| (format!("{name}[{n}]"), n))
                .collect()
        };
        let former = list("former_client_secrets", &self.former_client_secrets);
        let tokens = list("url_tokens", &self.url_tokens);
        single
            .chain(
                former
                    .into_iter()
                    .map(|(name, n)| (name, &self.former_client_secrets[n], 1)),
            )
            .chain(
                tokens
                    .into_iter()
                    .map(|(name, n)| (name, &self.url_tokens[n], 22)),
            )
            .collect()
    }

    /// What one setting says about another.
    fn check_together(&self, wrong: &mut dyn FnMut(&str, &str)) {
        let signs = self.verification == Verification::Signature;
        if self.client_secret.is_none() && (signs || self.token_file.is_some()) {
            wrong(
                "client_secret",
                "is missing: it verifies webhooks, and renews token_file",
            );
        }
        if self.client_id.is_empty() && self.token_file.is_some() {
            wrong("client_id", "is missing: it renews token_file");
        }
        if !signs && self.url_tokens.is_empty() {
            wrong(
                "url_tokens",
                "is empty: without signatures, a token must show who sent a webhook",
            );
        }
        if self.tag.trim().is_empty() && self.ownership == Ownership::Tag {
            wrong("tag", "is blank");
        }
        if self.reserve_for_handovers >= self.calls_per_hour {
            wrong(
                "reserve_for_handovers",
                "must be less than calls_per_hour, or nothing is left for messages",
            );
        }
        if self.record_brand_messages && self.application_name.is_empty() {
            wrong(
                "application_name",
                "is missing: without it, what we sent ourselves would be recorded as a human's",
            );
        }
    }
}

/// The channels with a handover, as the calls for contacts name them.
fn services() -> BTreeMap<String, String> {
    let names = [
        ("livechat", "web"),
        ("whatsapp", "whatsapp"),
        ("viber", "viber"),
        ("twilio", "twilio"),
    ];
    names
        .into_iter()
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .collect()
}

/// Guesses: the vendor documents no names.
fn owner_words() -> BTreeMap<String, Said> {
    let human = ["engage", "cxsocial", "socialconnect", "social_connect"];
    let agent = ["application", "external", "bot"];
    let said = |words: &[&str], said| {
        words
            .iter()
            .map(|word| ((*word).to_owned(), said))
            .collect::<Vec<_>>()
    };
    said(&human, Said::Human)
        .into_iter()
        .chain(said(&agent, Said::Agent))
        .collect()
}

impl Setting for Verification {
    const KIND: Kind = Kind::Choice(&["signature", "url_token"]);
}

impl Setting for Ownership {
    const KIND: Kind = Kind::Choice(&["handover", "tag"]);
}

impl Setting for BTreeMap<String, Said> {
    const KIND: Kind = Kind::Map;
}
