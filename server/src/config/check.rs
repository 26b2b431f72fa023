//! Whether the settings hold together: bounds of each section, then what one says about another.

use super::{
    AccountConfig, ActionFallback, AgentConfig, Config, addresses, nats,
    problem::{Problem, Problems},
    section::Section,
    sinks, tls,
    verification::VerificationConfig,
};
use crate::{
    agents::PlatformConfig,
    domain::identity::{is_object_name, tenant_of},
    store::is_server,
    telemetry,
};

mod callers;
mod sources;

/// Reports everything that is wrong.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    let sections: [(&str, &dyn Checked); 14] = [
        ("grpc", &config.grpc),
        ("webhooks", &config.webhooks),
        ("ops", &config.ops),
        ("database", &config.database),
        ("encryption", &config.encryption),
        ("stream", &config.stream),
        ("subscriptions", &config.subscriptions),
        ("log", &config.log),
        ("delivery", &config.delivery),
        ("erasure", &config.erasure),
        ("admin", &config.admin),
        ("shutdown", &config.shutdown),
        ("logging", &config.logging),
        ("limits", &config.limits),
    ];
    for (at, section) in sections {
        section.check_bounds(at, problems);
    }
    check_together(config, problems);
    tls::check_grpc(&config.grpc.tls, problems);
    tls::check(&config.webhooks.tls, "webhooks.tls", problems);
    tls::check(&config.ops.tls, "ops.tls", problems);
    nats::check(&config.nats, problems);
    sinks::check(config, problems);
    callers::check(config, problems);
    let proxies = &config.webhooks.trusted_proxies;
    addresses::check(proxies, "webhooks.trusted_proxies", problems);
    let objects = check_objects(config, config.sources.len());
    problems.0.extend(objects.0);
}

/// What is wrong with the settings of each agent and source alone.
pub(super) fn check_bounds_of(config: &Config) -> Problems {
    let mut problems = Problems::default();
    for (index, agent) in config.agents.iter().enumerate() {
        let at = format!("agents[{index}]");
        agent.check(&at, &mut problems);
        agent
            .platform
            .check(&format!("{at}.platform"), &mut problems);
    }
    for (index, source) in config.sources.iter().enumerate() {
        let at = format!("sources[{index}]");
        source.check(&at, &mut problems);
        source.system.check(&format!("{at}.system"), &mut problems);
    }
    problems
}

/// What is wrong with agents, accounts and sources, and with each of them beside the others. The first `declared`
/// sources must be named by an account; later ones may wait for theirs.
pub fn check_objects(config: &Config, declared: usize) -> Problems {
    let mut problems = Problems::default();
    for (at, listed) in allow_lists(config) {
        addresses::check(listed, &at, &mut problems);
    }
    for (index, agent) in config.agents.iter().enumerate() {
        check_agent(config, agent, &format!("agents[{index}]"), &mut problems);
    }
    for (index, account) in config.accounts.iter().enumerate() {
        check_account(
            config,
            account,
            &format!("accounts[{index}]"),
            &mut problems,
        );
    }
    sources::check(config, declared, &mut problems);
    check_repeats(config, &mut problems);
    problems
}

/// What is allowed and yet worth a word.
pub(super) fn warnings(config: &Config) -> Vec<Problem> {
    let mut problems = Problems::default();
    callers::warnings(config, &mut problems);
    for (index, agent) in config.agents.iter().enumerate() {
        let PlatformConfig::Zendesk(platform) = &agent.platform;
        let is_outside =
            !config.webhooks.listen.ip().is_loopback() || platform.base_url.starts_with("https:");
        if platform.webhook == VerificationConfig::None && is_outside {
            problems.add(
                format!("agents[{index}].platform.zendesk.webhook"),
                "is \"none\": whoever reaches the webhooks can speak as this agent; set \
                 [agents.platform.zendesk.webhook.static_header], or keep /webhooks/ out of the public proxy",
            );
        }
    }
    for (index, account) in config.accounts.iter().enumerate() {
        let is_same = |other: &AccountConfig| {
            other.agent == account.agent && other.upstream_prefix == account.upstream_prefix
        };
        if let Some(other) = config.accounts[..index].iter().find(|other| is_same(other)) {
            problems.add(
                format!("accounts[{index}].upstream_prefix"),
                format!(
                    "is that of the account {}, which shares the agent {}: a conversation id used by both will be \
                     refused; give each a prefix of its own",
                    other.name, account.agent
                ),
            );
        }
    }
    if config.webhooks.listen.ip().is_loopback() && config.webhooks.trusted_proxies.is_empty() {
        let listed = allow_lists(config).filter(|(_, listed)| !listed.is_empty());
        for (at, _) in listed {
            problems.add(
                at,
                "the webhooks listen on this machine alone, so that every request comes from a proxy on it: name that \
                 proxy in webhooks.trusted_proxies, for example [\"127.0.0.1\"]",
            );
        }
    }
    if config.nats.url.is_some() && !is_server(&config.database.url) {
        problems.add(
            "nats.url",
            "is not used: no other replica shares a database in a file",
        );
    }
    problems.0
}

trait Checked {
    fn check_bounds(&self, at: &str, problems: &mut Problems);
}

impl<T: Section> Checked for T {
    fn check_bounds(&self, at: &str, problems: &mut Problems) {
        self.check(at, problems);
    }
}

fn check_together(config: &Config, problems: &mut Problems) {
    let (webhooks, shutdown) = (&config.webhooks, &config.shutdown);
    if webhooks.max_buffered_bytes < webhooks.max_body_bytes {
        problems.add(
            "webhooks.max_buffered_bytes",
            "must be at least webhooks.max_body_bytes",
        );
    }
    if shutdown.notice + shutdown.grace >= shutdown.hard_deadline {
        problems.add(
            "shutdown.hard_deadline",
            "must be longer than shutdown.notice and shutdown.grace together",
        );
    }
    if let Err(error) = telemetry::filter(&config.logging.filter) {
        problems.add("logging.filter", error.to_string());
    }
    if config.delivery.retry_base > config.delivery.retry_max {
        problems.add("delivery.retry_max", "must be at least delivery.retry_base");
    }
    if config.erasure.retry_base > config.erasure.retry_max {
        problems.add("erasure.retry_max", "must be at least erasure.retry_base");
    }
    let url = config.database.url.as_str();
    if is_server(url) && holds_password(url) {
        problems.add(
            "database.url",
            "must not hold a password, because it is shown in logs: name its place in database.password",
        );
    }
    if is_server(url) && config.encryption.master_key.is_beside() {
        problems.add(
            "encryption.master_key",
            "must be set with PostgreSQL: every replica needs the same keys, so no file is made beside a database that \
             is elsewhere; `parloir new-master-key` draws one",
        );
    }
    if url.strip_prefix("sqlite:").is_none_or(str::is_empty) && !is_server(url) {
        problems.add(
            "database.url",
            "must be sqlite: and the path of a file, for example sqlite:/var/lib/parloir.db, or the URL of a PostgreSQL \
             database, postgres://user@host/database",
        );
    }
}

/// What an agent and a source may be called. An empty name is reported as missing.
fn check_name(name: &str, at: &str, problems: &mut Problems) {
    if !name.is_empty() && !is_object_name(name) {
        problems.add(
            format!("{at}.name"),
            "must be 1 to 64 of a-z, 0-9, _ and -, because it stands in webhook addresses; outside the tenant \
             \"default\" it begins with the tenant's name (at most 32) and a dot, as in acme.support",
        );
    }
}

/// Every `allowed_addresses` with its key.
fn allow_lists(config: &Config) -> impl Iterator<Item = (String, &Vec<String>)> {
    let agents = config.agents.iter().map(|agent| &agent.allowed_addresses);
    let sources = config
        .sources
        .iter()
        .map(|source| &source.allowed_addresses);
    let keyed = |kind: &'static str| {
        move |(index, listed)| (format!("{kind}[{index}].allowed_addresses"), listed)
    };
    let agents = agents.enumerate().map(keyed("agents"));
    agents.chain(sources.enumerate().map(keyed("sources")))
}

fn check_agent(config: &Config, agent: &AgentConfig, at: &str, problems: &mut Problems) {
    agent.check(at, problems);
    agent.platform.check(&format!("{at}.platform"), problems);
    check_name(&agent.name, at, problems);
    if agent.max_queue_age + agent.send_timeout >= config.log.idempotency_window {
        problems.add(
            format!("{at}.max_queue_age"),
            "must end before log.idempotency_window does: a repeated message would be taken for a new one while the \
             first still waits",
        );
    }
    let accounts: Vec<&AccountConfig> = config
        .accounts
        .iter()
        .filter(|account| account.agent == agent.name)
        .collect();
    match &agent.default_account {
        None if accounts.len() > 1 => problems.add(
            format!("{at}.default_account"),
            format!(
                "is missing: {} accounts share the agent {name}; name one of them, here or with `parloir admin agents \
                 update {name} --set default_account=ACCOUNT`",
                accounts.len(),
                name = agent.name
            ),
        ),
        Some(name) if accounts.iter().all(|account| account.name != *name) => {
            problems.add(
                format!("{at}.default_account"),
                format!("{name} is not an account of this agent"),
            );
        }
        _ => {}
    }
    for (index, action) in agent.actions.iter().enumerate() {
        let at = format!("{at}.actions[{index}]");
        action.check(&at, problems);
        if action.fallback.unwrap_or(agent.action_fallback) == ActionFallback::Error
            && !action.results.is_empty()
        {
            problems.add(
                format!("{at}.results"),
                "are never sent, because the fallback is error: use empty",
            );
        }
        if agent.actions[..index]
            .iter()
            .any(|other| other.name == action.name)
        {
            problems.add(
                format!("{at}.name"),
                format!("{} is listed twice", action.name),
            );
        }
    }
}

fn check_account(config: &Config, account: &AccountConfig, at: &str, problems: &mut Problems) {
    account.check(at, problems);
    if account.name.len() > 256 || account.name.chars().any(char::is_control) {
        problems.add(
            format!("{at}.name"),
            "must be 1 to 256 bytes without control characters",
        );
    }
    if account.upstream_prefix.len() > 64 || account.upstream_prefix.chars().any(char::is_control) {
        problems.add(
            format!("{at}.upstream_prefix"),
            "must be at most 64 bytes without control characters",
        );
    }
    if !account.agent.is_empty()
        && config
            .agents
            .iter()
            .all(|agent| agent.name != account.agent)
    {
        // Of the same tenant: another's names are no business of this one.
        let tenant = tenant_of(&account.agent);
        let known: Vec<&str> = config
            .agents
            .iter()
            .map(|agent| agent.name.as_str())
            .filter(|name| tenant_of(name) == tenant)
            .collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        problems.add(
            format!("{at}.agent"),
            format!("there is no agent {}; configured: {known}", account.agent),
        );
    }
}

fn check_repeats(config: &Config, problems: &mut Problems) {
    for (index, agent) in config.agents.iter().enumerate() {
        let before = &config.agents[..index];
        if before.iter().any(|other| other.name == agent.name) {
            problems.add(
                format!("agents[{index}].name"),
                format!("there are two agents {}", agent.name),
            );
        }
        let (setting, key) = agent.platform.api_key();
        let is_same =
            |other: &&AgentConfig| key.is_configured() && other.platform.api_key().1 == key;
        if let Some(other) = before.iter().find(is_same) {
            let whose = if tenant_of(&other.name) == tenant_of(&agent.name) {
                format!("the agent {}", other.name)
            } else {
                "an agent of another tenant".to_owned()
            };
            problems.add(
                format!("agents[{index}].platform.{setting}"),
                format!("is the API key of {whose} too: a key belongs to one agent"),
            );
        }
    }
    for (index, account) in config.accounts.iter().enumerate() {
        let is_same = |other: &AccountConfig| {
            other.name == account.name && tenant_of(&other.agent) == tenant_of(&account.agent)
        };
        if config.accounts[..index].iter().any(is_same) {
            problems.add(
                format!("accounts[{index}].name"),
                format!("there are two accounts {}", account.name),
            );
        }
    }
}

/// `://USER:PASSWORD@`, or as a parameter.
fn holds_password(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || rest.contains("password=")
}
