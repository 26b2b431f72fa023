//! What the configuration declares, as it is shown to administrators.

use serde_json::{Map, Value};

use super::{
    Admin,
    objects::Kind,
    settings,
    view::{ObjectView, SecretView, Standing},
};
use crate::{
    config::managed::{Holds, Listed},
    domain::{Id, administration::ResourceKind, tenant_of},
};

impl Admin {
    pub(super) fn is_declared(&self, tenant: &Id, kind: ResourceKind, name: &str) -> bool {
        let declared = &self.parts.declared;
        let is_ours = |owner: &str| tenant_of(owner) == tenant.as_str();
        match kind {
            ResourceKind::Agent => declared
                .agents
                .iter()
                .any(|one| one.name == name && is_ours(name)),
            ResourceKind::Source => declared
                .sources
                .iter()
                .any(|one| one.name == name && is_ours(name)),
            ResourceKind::Account => {
                let mut accounts = declared.accounts.iter();
                accounts.any(|one| one.name == name && is_ours(&one.agent))
            }
            ResourceKind::Caller => {
                let mut callers = declared.callers.iter();
                callers.any(|one| one.name == name && one.tenant == tenant.as_str())
            }
        }
    }

    pub(super) fn declared_objects(&self, tenant: &Id, kind: Kind) -> Vec<ObjectView> {
        let declared = &self.parts.declared;
        let is_ours = |name: &str| tenant_of(name) == tenant.as_str();
        match kind {
            Kind::Agent => {
                let agents = declared.agents.iter().filter(|agent| is_ours(&agent.name));
                agents.map(|agent| view(&agent.name, kind, agent)).collect()
            }
            Kind::Source => {
                let sources = declared
                    .sources
                    .iter()
                    .filter(|source| is_ours(&source.name));
                sources
                    .map(|source| view(&source.name, kind, source))
                    .collect()
            }
        }
    }
}

fn view(name: &str, kind: Kind, config: &impl serde::Serialize) -> ObjectView {
    let table = toml::Table::try_from(config).unwrap_or_default();
    let mut settings = match settings::to_json(&toml::Value::Table(table)) {
        Value::Object(settings) => settings,
        _ => Map::new(),
    };
    settings.remove("name");
    let mut secrets = Vec::new();
    take_secrets(&mut settings, "", kind.listed(), &mut secrets);
    let table = match kind {
        Kind::Agent => "platform",
        Kind::Source => "system",
    };
    let built_on = settings.get(table).and_then(Value::as_object);
    let built_on = built_on.and_then(|table| table.keys().next()).cloned();
    ObjectView {
        name: name.to_owned(),
        built_on: built_on.unwrap_or_default(),
        settings,
        secrets,
        paused: false,
        standing: Standing::DECLARED,
    }
}

/// Takes the places of secrets out: where they stand is the operator's business. That there are some is told.
fn take_secrets(
    settings: &mut Map<String, Value>,
    at: &str,
    listed: Listed,
    secrets: &mut Vec<SecretView>,
) {
    settings.retain(|name, value| {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        let found = match listed.holds(&path) {
            Some(Holds::Secret) => vec![path.clone()],
            Some(Holds::Secrets) => {
                let count = value.as_array().map_or(0, Vec::len);
                (0..count).map(|place| format!("{path}[{place}]")).collect()
            }
            _ => {
                if let Some(inner) = value.as_object_mut() {
                    take_secrets(inner, &path, listed, secrets);
                }
                return true;
            }
        };
        secrets.extend(found.into_iter().map(|path| SecretView {
            path,
            created_at: None,
            expires_at: None,
        }));
        false
    });
}
