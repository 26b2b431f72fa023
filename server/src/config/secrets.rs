//! Looks every configured secret up once, so that a missing one is found at the start and not at the first message.

use secrecy::{ExposeSecret, SecretString};

use super::{Config, problem::Problems};
use crate::{
    access::{Key, KeyId},
    secret::{Secret, SecretError},
};

/// Reads every secret that the configuration names.
///
/// # Errors
///
/// Every one that cannot be read or is too short, and every two agents that share an API key.
pub fn check_secrets(config: &Config) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let mut keys: Vec<(&str, SecretString)> = Vec::new();
    for (index, agent) in config.agents.iter().enumerate() {
        let at = format!("agents[{index}].platform");
        let (setting, secret) = agent.platform.api_key();
        let setting = format!("{at}.{setting}");
        if let Some(key) = read(secret, &setting, 1, &mut problems) {
            let same = keys
                .iter()
                .find(|(_, other)| other.expose_secret() == key.expose_secret());
            if let Some((other, _)) = same {
                problems.add(
                    setting,
                    format!("is the API key of the agent {other} too: a key belongs to one agent"),
                );
            }
            keys.push((&agent.name, key));
        }
        if let Some((setting, secret)) = agent.platform.organization_key() {
            read(secret, &format!("{at}.{setting}"), 1, &mut problems);
        }
        let (setting, secrets, least) = agent.platform.webhook_secrets();
        for (number, secret) in secrets.iter().enumerate() {
            read(
                secret,
                &format!("{at}.{setting}[{number}]"),
                least,
                &mut problems,
            );
        }
    }
    if config.database.password.is_configured() {
        read(
            &config.database.password,
            "database.password",
            1,
            &mut problems,
        );
    }
    let mut callers = Vec::new();
    for (index, caller) in config.callers.iter().enumerate() {
        for (number, secret) in caller.keys.iter().enumerate() {
            let at = format!("callers[{index}].keys[{number}]");
            check_key(&caller.name, secret, &at, &mut callers, &mut problems);
        }
    }
    for (index, source) in config.sources.iter().enumerate() {
        for (setting, secret, least) in source.system.secrets() {
            let key = format!("sources[{index}].system.{setting}");
            read(secret, &key, least, &mut problems);
        }
    }
    let sinks = config.sinks.iter().enumerate();
    let sinks = sinks.map(|(index, sink)| (format!("sinks[{index}].access"), &sink.access));
    let brokers = [("nats.access".to_owned(), &config.nats.access)];
    for (at, access) in brokers.into_iter().chain(sinks) {
        for (setting, secret) in access.secrets() {
            read(secret, &format!("{at}.{setting}"), 1, &mut problems);
        }
    }
    problems.into_result()
}

/// A file that is gone is no problem: that is how a key is taken back while the server runs, and it must start again.
fn check_key<'a>(
    caller: &'a str,
    secret: &Secret,
    at: &str,
    known: &mut Vec<(&'a str, KeyId)>,
    problems: &mut Problems,
) {
    match secret.read().map(|text| Key::parse(&text)) {
        Ok(None) => problems.add(at, "has not the form of a key: `parloir new-key` makes one"),
        Ok(Some(key)) => {
            let same = known.iter().find(|(_, id)| *id == key.id());
            if let Some((other, _)) = same.filter(|(other, _)| *other != caller) {
                problems.add(at, format!("is a key of the caller {other} too"));
            }
            known.push((caller, key.id()));
        }
        Err(SecretError::File { .. } | SecretError::Empty(_)) => {}
        Err(error) => problems.add(at, error.to_string()),
    }
}

fn read(secret: &Secret, key: &str, least: usize, problems: &mut Problems) -> Option<SecretString> {
    match secret.read() {
        Ok(value) if value.expose_secret().len() < least => {
            problems.add(key, format!("is too short: {least} characters at least"));
            None
        }
        Ok(value) => Some(value),
        Err(error) => {
            problems.add(key, error.to_string());
            None
        }
    }
}
