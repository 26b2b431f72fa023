//! `[[sources]]`: the systems that bring visitors by themselves, whatever they are.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::section::{Kind, Setting, section};
use crate::sources::SystemConfig;

section! {
    /// One source: an outside system that brings visitors' messages by itself and takes replies and handovers. An
    /// account names it with `source`.
    SourceConfig {
        /// Its name, in webhook paths (`/sources/{name}`), metrics and answers: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
        /// Outside the tenant `default` it begins with the tenant's name and a dot: `acme.support` is of `acme`.
        name: String;
        /// What it is and how it is reached: one table named after the system.
        system: SystemConfig = SystemConfig::default();
        /// From where its webhooks may come: addresses and networks such as `"192.0.2.0/24"`, and
        /// `"preset:zendesk-eu"`, `"preset:zendesk-us"` for the addresses that Zendesk publishes. Others are answered
        /// 403. With none listed they may come from everywhere. Behind a proxy it needs `webhooks.trusted_proxies`.
        allowed_addresses: Vec<String> = Vec::new();
        /// How long one request to it may take. After that a message is read back where that is possible, and UNKNOWN
        /// otherwise.
        #[serde(with = "humantime_serde")]
        send_timeout: Duration = Duration::from_secs(10), "10ms" to "5m";
        /// How long something is tried while it cannot be reached, before it FAILED.
        #[serde(with = "humantime_serde")]
        max_queue_age: Duration = Duration::from_mins(5), "100ms" to "7days";
        /// Who answers when the agent wants to hand a visitor over: `source` hands over there and accepts once that is
        /// done, `callers` leaves it to `RespondToAgent`. A source that cannot hand over leaves it to callers always.
        escalations: Escalations = Escalations::Source;
        /// What hands a visitor over without asking the agent, by language (BCP 47, or its first part): compared without
        /// case, accents or punctuation with the whole message. `""` counts for every language.
        handover_phrases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        /// What the visitor is told when a human is to take over, by language; `""` is for every other one. Nothing by
        /// default: the agent has usually said so itself.
        handover_text: BTreeMap<String, String> = BTreeMap::new();
        /// What the visitor is told when a human joins, when there is news of the queue, when the human leaves, and when
        /// nobody could take over. Nothing by default: `SendHumanMessage` shows words alone.
        sign_texts: SignTextsConfig = SignTextsConfig::default();
        /// What it says of the owner counts only if it happened this long after our own newest change: what was under
        /// way before that still shows the time before.
        #[serde(with = "humantime_serde")]
        owner_settles: Duration = Duration::from_secs(3), "0s" to "5m";
        /// How old what is known of the owner may be before it is read again ahead of a message to the agent. Only where
        /// it can be read.
        #[serde(with = "humantime_serde")]
        owner_max_age: Duration = Duration::from_hours(1), "1s" to "7days";
        /// The same while a human owns the conversation: how a handback is noticed that is not told.
        #[serde(with = "humantime_serde")]
        human_max_age: Duration = Duration::from_secs(5), "0s" to "1day";
        /// How long the owner may stay UNKNOWN, with the agent silent.
        #[serde(with = "humantime_serde")]
        owner_unknown_max: Duration = Duration::from_mins(15), "1s" to "7days";
        /// Who owns the conversation after that: `human`, `agent` or `none`.
        owner_unknown_then: UnknownThen = UnknownThen::Human;
    }
}

section! {
    /// What the visitor is told of a human's signs: texts by language, `""` for every other one.
    SignTextsConfig {
        /// A human joined; `{name}` stands for the name.
        joined: BTreeMap<String, String> = BTreeMap::new();
        /// News of the queue; `{position}` and `{minutes}` stand for what is known of it.
        queue: BTreeMap<String, String> = BTreeMap::new();
        /// The human left.
        left: BTreeMap<String, String> = BTreeMap::new();
        /// Nobody could take over.
        failed: BTreeMap<String, String> = BTreeMap::new();
    }
}

/// Who answers when the agent wants to hand a visitor over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalations {
    /// The source, by handing over.
    Source,
    /// Callers, by `RespondToAgent`.
    Callers,
}

/// Who owns a conversation whose owner stayed unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownThen {
    /// A human: the agent stays silent.
    Human,
    /// The agent.
    Agent,
    /// Nobody: the visitor's next message goes to the agent.
    None,
}

impl Setting for SignTextsConfig {
    const KIND: Kind = Kind::Table;
}

impl Setting for Escalations {
    const KIND: Kind = Kind::Choice(&["source", "callers"]);
}

impl Setting for UnknownThen {
    const KIND: Kind = Kind::Choice(&["human", "agent", "none"]);
}

impl Setting for BTreeMap<String, Vec<String>> {
    const KIND: Kind = Kind::Map;
}
