//! `[[agents]]`: the AI agents, whatever their platform.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::section::{Kind, Setting, section};
use crate::agents::PlatformConfig;

section! {
    /// One AI agent.
    AgentConfig {
        /// Its name, in webhook paths, metrics and answers: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
        /// Outside the tenant `default` it begins with the tenant's name and a dot: `acme.support` is of `acme`.
        name: String;
        /// Where it lives: one table named after the platform.
        platform: PlatformConfig = PlatformConfig::default();
        /// From where its webhooks may come: addresses and networks such as `"192.0.2.0/24"`, and
        /// `"preset:zendesk-eu"`, `"preset:zendesk-us"` for the addresses that Zendesk publishes. Others are answered
        /// 403. With none listed they may come from everywhere. Behind a proxy it needs `webhooks.trusted_proxies`.
        allowed_addresses: Vec<String> = Vec::new();
        /// The account of conversations that the agent begins by itself and of whose id no account's prefix tells.
        /// Required when several accounts share the agent.
        default_account: Option<String> = None;
        /// How long the platform keeps a session in which nothing is said. As configured there; our estimate
        /// follows it.
        #[serde(with = "humantime_serde")]
        session_timeout: Duration = Duration::from_hours(2), "1s" to "365days";
        /// How long one request to the agent may take. After that a message is UNKNOWN: never sent again by itself.
        #[serde(with = "humantime_serde")]
        send_timeout: Duration = Duration::from_secs(10), "10ms" to "5m";
        /// How long something is tried while the agent cannot be reached, before it FAILED.
        #[serde(with = "humantime_serde")]
        max_queue_age: Duration = Duration::from_mins(5), "100ms" to "7days";
        /// Deliveries that are not final at one time, the one under way included; above that, a command that would have
        /// to wait is answered UNAVAILABLE.
        max_queued: usize = 10_000, "1" to "1000000";
        /// Questions of the agent that wait at one time; more get the fallback at once.
        max_open_requests: usize = 1000, "1" to "100000";
        /// How long an action waits for an answer, counted from its first byte. The platform gives up after 9 s.
        #[serde(with = "humantime_serde")]
        action_time_limit: Duration = Duration::from_secs(8), "50ms" to "8900ms";
        /// How long an escalation waits.
        #[serde(with = "humantime_serde")]
        escalation_time_limit: Duration = Duration::from_secs(8), "50ms" to "8900ms";
        /// How long an availability check waits when nobody has published the answer.
        #[serde(with = "humantime_serde")]
        availability_time_limit: Duration = Duration::from_secs(2), "50ms" to "8900ms";
        /// A question that is asked again within this time gets the same answer; 0s is never.
        #[serde(with = "humantime_serde")]
        repeat_window: Duration = Duration::from_secs(30), "0s" to "1h";
        /// What an action gets when nobody answers in time: `empty` is success without results, `error` a failure.
        action_fallback: ActionFallback = ActionFallback::Empty;
        /// What an escalation gets when nobody answers in time: `refuse` lets the agent go on by its own fallback,
        /// `accept` hands the visitor to the human side all the same.
        escalation_fallback: EscalationFallback = EscalationFallback::Refuse;
        /// Actions with settings of their own. With none listed every action is offered to subscribers.
        actions: Vec<ActionConfig> = Vec::new();
        /// What an action gets that is not listed where some are: `empty` is success at once, `refuse` a 400. It is
        /// recorded either way.
        unlisted_action: UnlistedAction = UnlistedAction::Empty;
        /// What a webhook gets that names another agent's id: `not_found` is 404, `ok` is 200. Nothing of it is
        /// recorded.
        unknown_bot: UnknownBot = UnknownBot::NotFound;
        /// Give the platform a new conversation id at each handback, so that what the agent still says to the time
        /// before is known as superseded. Off, such a message cannot be told from a current one.
        fence_by_id: bool = true;
        /// Words of a human are refused in the platform's widget until `SendHumanMessage` has said `joined`, because the
        /// widget still belongs to the bot until then. Off, they are sent all the same, with a warning in the log.
        human_must_join: bool = true;
        /// The session parameter in which a handback's note reaches the agent.
        handback_parameter: String = "handback_note".to_owned();
        /// Keys of parameters that are personal whatever callers, sources and answers say of them: the platform is told to
        /// keep their values out of its logs (`sanitize`). Upper and lower case are the same. `[]` for none.
        always_personal: Vec<String> = ["email", "phone", "name", "address", "iban"].map(str::to_owned).to_vec();
    }
}

section! {
    /// One action of an agent.
    ActionConfig {
        /// Its name, as registered with the agent.
        name: String;
        /// How long it waits for an answer; without it `action_time_limit` of the agent counts.
        #[serde(with = "humantime_serde")]
        time_limit: Option<Duration> = None, "50ms" to "8900ms";
        /// What it gets when nobody answers in time; without it `action_fallback` of the agent counts.
        fallback: Option<ActionFallback> = None;
        /// Results to send with the fallback `empty`, so that the agent has something to say: names and values.
        results: BTreeMap<String, String> = BTreeMap::new();
    }
}

/// What an action gets when nobody answers in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionFallback {
    /// Success without results, or with the configured ones.
    Empty,
    /// A failure.
    Error,
}

/// What an escalation gets when nobody answers in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationFallback {
    /// The agent goes on by its own fallback.
    Refuse,
    /// The visitor goes to the human side all the same.
    Accept,
}

/// What an action gets that is not among those listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlistedAction {
    /// Success without results, at once.
    Empty,
    /// 400, at once.
    Refuse,
}

/// What a webhook gets that names another agent's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownBot {
    /// 404.
    NotFound,
    /// 200.
    Ok,
}

impl Setting for ActionFallback {
    const KIND: Kind = Kind::Choice(&["empty", "error"]);
}

impl Setting for EscalationFallback {
    const KIND: Kind = Kind::Choice(&["refuse", "accept"]);
}

impl Setting for UnlistedAction {
    const KIND: Kind = Kind::Choice(&["empty", "refuse"]);
}

impl Setting for UnknownBot {
    const KIND: Kind = Kind::Choice(&["not_found", "ok"]);
}

impl Setting for Vec<ActionConfig> {
    const KIND: Kind = Kind::List;
}

impl Setting for PlatformConfig {
    const KIND: Kind = Kind::Table;
}
