//! Settings of a source that is `LivePerson`, third-party bots by a custom endpoint.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    config::{
        problem::Problems,
        section::{Kind, Part, Section, Setting, section},
    },
    secret::Secret,
};

/// A key of 2048 bits, the shortest that is taken, has 450 characters in PEM: anything much shorter was cut off.
const LEAST_KEY_CHARS: usize = 400;

section! {
    /// `LivePerson`, third-party bots by a custom endpoint: `LivePerson` calls `/sources/{name}/v1/...` and waits for
    /// what the agent says.
    LivePersonConfig {
        /// The `LivePerson` account (site id). A call whose token is for another one is refused.
        account_id: String;
        /// Ids of the bots that `LivePerson` may ask for here; any other is answered 404.
        bots: Vec<String>;
        /// Environments that each bot has. `draft` must be among them: `LivePerson` looks for it.
        environments: Vec<String> = vec!["draft".to_owned(), "production".to_owned()];
        /// Public keys (PEM, `BEGIN PUBLIC KEY`) that `LivePerson`'s tokens may be signed with: the one of the
        /// account's zone, and while it is being replaced the next one too.
        public_keys: Vec<Secret>;
        /// How far `LivePerson`'s clock may be from ours when a token's lifetime is checked.
        #[serde(with = "humantime_serde")]
        clock_leeway: Duration = Duration::from_secs(30), "0s" to "5m";
        /// What `LivePerson` is told when it asks how the bots are. Anything but `online` makes it send visitors
        /// elsewhere.
        state: BotState = BotState::Online;
        /// How long a visitor's words wait for the agent's answer before they are answered with `fallback_text`.
        /// `LivePerson` gives up after 60 s.
        #[serde(with = "humantime_serde")]
        answer_within: Duration = Duration::from_secs(50), "1s" to "55s";
        /// How long a call waits for what may never come: a greeting when a conversation begins, words after a picture,
        /// an answer behind late messages. After that its answer is empty, or what there is.
        #[serde(with = "humantime_serde")]
        may_answer_within: Duration = Duration::from_secs(5), "0s" to "55s";
        /// How long no further message may have come before an answer is complete. Too short, and a second message of
        /// the agent's waits for the visitor's next words; too long, and each answer is late by it.
        #[serde(with = "humantime_serde")]
        gather: Duration = Duration::from_millis(700), "0s" to "10s";
        /// What the visitor is told when the agent did not answer in time. Empty: nothing.
        fallback_text: String = "Sorry, this takes longer than usual. Please write again in a moment.".to_owned();
        /// The skill that a handover goes to, by its target as the agent names it. Skill names are case-sensitive.
        skills: BTreeMap<String, String> = BTreeMap::new();
        /// The skill of every other handover.
        default_skill: String;
        /// A `LivePerson` user that a handover goes to instead of any user of a skill, by its target. With a skill for
        /// the same target both are named.
        agent_ids: BTreeMap<String, String> = BTreeMap::new();
        /// Answers that are kept in memory, so that a call which `LivePerson` repeats gets the same again.
        stored_answers: usize = 1000, "1" to "1000000";
        /// How long they are kept.
        #[serde(with = "humantime_serde")]
        stored_for: Duration = Duration::from_mins(10), "1s" to "1day";
        /// Calls that wait for an answer at one time. One more is taken, and answered with the fallback at once.
        max_waiting: usize = 10_000, "1" to "1000000";
        /// Secrets of a Connector API application whose webhooks come to `/sources/{name}/connector`: with them the
        /// words of humans, who owns a conversation, and its end are told too. None: that address is closed.
        connector_secrets: Vec<Secret> = Vec::new();
        /// Ids of `LivePerson` users whose messages are ours: the bot's own user, and our own consumers. Required with
        /// `connector_secrets`: otherwise the agent's answers would be taken for a human's.
        connector_own_ids: Vec<String> = Vec::new();
    }
}

/// How the bots are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotState {
    /// They answer.
    Online,
    /// They are switched off.
    Offline,
    /// They do not work.
    Error,
    /// They are being worked on.
    Maintenance,
}

impl BotState {
    /// `LivePerson`'s word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Error => "error",
            Self::Maintenance => "maintenance",
        }
    }
}

impl Setting for BotState {
    const KIND: Kind = Kind::Choice(&["online", "offline", "error", "maintenance"]);
}

impl LivePersonConfig {
    /// The configuration reference, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![Part::of::<Self>(at.to_owned())]
    }

    /// Reports what is missing or wrong. `at` is the key of this table.
    pub fn check_all(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
        for (setting, names) in [("bots", &self.bots), ("environments", &self.environments)] {
            if !names.iter().all(|name| is_segment(name)) {
                problems.add(
                    format!("{at}.{setting}"),
                    "must each be of A-Z, a-z, 0-9, '.', '_' and '-': they stand in addresses",
                );
            }
        }
        if !self.environments.iter().any(|name| name == "draft") {
            problems.add(
                format!("{at}.environments"),
                "must hold draft: LivePerson looks for it",
            );
        }
        if !self.connector_secrets.is_empty() && self.connector_own_ids.is_empty() {
            problems.add(
                format!("{at}.connector_own_ids"),
                "must name the bot's own LivePerson user where there are connector_secrets: \
                 otherwise the agent's answers would be taken for a human's",
            );
        }
    }

    /// Every secret, with its setting and the least length that it may have.
    pub fn secrets(&self) -> Vec<(String, &Secret, usize)> {
        let keys = self.public_keys.iter().enumerate();
        let keys = keys.map(|(number, key)| {
            let setting = format!("public_keys[{number}]");
            (setting, key, LEAST_KEY_CHARS)
        });
        let secrets = self.connector_secrets.iter().enumerate();
        // Whatever secret LivePerson gave the application.
        let secrets =
            secrets.map(|(number, secret)| (format!("connector_secrets[{number}]"), secret, 1));
        keys.chain(secrets).collect()
    }
}

/// It stands in an address as it is.
fn is_segment(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.chars().all(is_plain)
}
