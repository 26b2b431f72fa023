//! Whether sources hold together with the accounts that name them.

use super::check_name;
use crate::{
    config::{Config, problem::Problems, section::Section},
    domain::identity::tenant_of,
};

/// The first `declared` sources must be named by an account.
pub(super) fn check(config: &Config, declared: usize, problems: &mut Problems) {
    for (index, source) in config.sources.iter().enumerate() {
        let at = format!("sources[{index}]");
        source.check(&at, problems);
        source.system.check(&format!("{at}.system"), problems);
        check_name(&source.name, &at, problems);
        if config.sources[..index]
            .iter()
            .any(|other| other.name == source.name)
        {
            problems.add(
                format!("{at}.name"),
                format!("there are two sources {}", source.name),
            );
        }
        if source.max_queue_age + source.send_timeout >= config.log.idempotency_window {
            problems.add(
                format!("{at}.max_queue_age"),
                "must end before log.idempotency_window does: a repeated webhook would be taken for a new one",
            );
        }
    }
    check_accounts(config, declared, problems);
}

/// Each source is named by exactly one account.
fn check_accounts(config: &Config, declared: usize, problems: &mut Problems) {
    for (index, account) in config.accounts.iter().enumerate() {
        let Some(name) = &account.source else {
            continue;
        };
        let at = format!("accounts[{index}].source");
        if config.sources.iter().all(|source| source.name != *name) {
            problems.add(at, format!("there is no source {name}"));
        } else if tenant_of(name) != tenant_of(&account.agent) {
            problems.add(
                at,
                format!(
                    "{name} belongs to the tenant {}, and the account's agent {} to {}: both must be of one tenant",
                    tenant_of(name),
                    account.agent,
                    tenant_of(&account.agent)
                ),
            );
        } else if let Some(other) = config.accounts[..index]
            .iter()
            .find(|other| other.source.as_ref() == Some(name))
        {
            problems.add(
                at,
                format!(
                    "{name} brings the visitors of the account {} already: a source serves one account",
                    other.name
                ),
            );
        }
    }
    for (index, source) in config.sources.iter().take(declared).enumerate() {
        let is_named = |name: &Option<String>| name.as_ref() == Some(&source.name);
        if !config
            .accounts
            .iter()
            .any(|account| is_named(&account.source))
        {
            problems.add(
                format!("sources[{index}].name"),
                format!(
                    "{} is named by no account: its visitors would belong to nobody; write source = \"{}\" into one",
                    source.name, source.name
                ),
            );
        }
    }
}
