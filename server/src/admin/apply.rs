//! From what is kept to what counts: every object is read, all of it checked together, and swapped in.

use std::collections::{BTreeMap, HashMap, HashSet};

use secrecy::ExposeSecret;

use super::{
    Admin, accounts, callers,
    kept::{Draft, Kept},
    settings,
};
use crate::{
    access::{CallerRecord, Digest, KeyId, KeyRecord},
    config::{
        AgentConfig, Problems, SourceConfig,
        managed::{Given, Listed, read_agent, read_source},
    },
    domain::{
        Error, Result, Scope, Violation,
        administration::{Resource, ResourceKind},
        tenant_of,
    },
    live::Managed,
};

/// What is to count from the commit on.
#[derive(Debug, Default)]
pub(super) struct Applied {
    managed: Managed,
    callers: Vec<CallerRecord>,
    keys: Vec<KeyRecord>,
}

impl Admin {
    /// Whether a draft holds together, and what would count then.
    pub(super) fn check(&self, draft: &Draft) -> Result<Applied> {
        let (managed, broken) = self.managed(&draft.kept);
        if let Some((resource, problems)) = broken.into_iter().next() {
            return Err(violations(&problems, &resource));
        }
        if let Err(problems) = self.parts.live.check(&managed) {
            return Err(violations_of_all(&problems, draft));
        }
        let (callers, keys) = records(&draft.kept);
        Ok(Applied {
            managed,
            callers,
            keys,
        })
    }

    pub(super) fn apply(&self, applied: &Applied) {
        if let Err(problems) = self.parts.live.replace(&applied.managed) {
            // It was checked under the same lock, so this is ours.
            tracing::error!(%problems, "what an administrator changed does not count before a restart");
        }
        let (callers, keys) = (applied.callers.clone(), applied.keys.clone());
        self.parts.callers.replace_stored(callers, keys);
    }

    /// At the start: what does not hold together any more, beside another configuration or in another version, is left
    /// out and told, so that the rest works.
    pub(super) fn apply_what_holds(&self) {
        let kept = self.kept();
        let (mut managed, broken) = self.managed(&kept);
        for (resource, problems) in broken {
            let target = resource.key.kind.target(resource.key.name.as_str());
            tracing::error!(target, %problems, "what an administrator made is left out");
        }
        while let Err(problems) = self.parts.live.check(&managed) {
            let before = managed.clone();
            let is_named = |list: &str, name: &str| {
                let at = format!("{list}[{name}]");
                problems
                    .0
                    .iter()
                    .any(|problem| problem.key.starts_with(&at))
            };
            managed.agents.retain(|one| !is_named("agents", &one.name));
            managed
                .sources
                .retain(|one| !is_named("sources", &one.name));
            managed
                .accounts
                .retain(|one| !is_named("accounts", &one.name));
            tracing::error!(%problems, "what administrators made is left out as far as it is wrong");
            if managed == before {
                managed = Managed::default();
                break;
            }
        }
        let (callers, keys) = records(&kept);
        self.apply(&Applied {
            managed,
            callers,
            keys,
        });
    }

    /// Everything that can be read, and what cannot.
    fn managed(&self, kept: &Kept) -> (Managed, Vec<(Resource, Problems)>) {
        let (mut managed, mut broken) = (Managed::default(), Vec::new());
        for resource in kept.of_kind(ResourceKind::Agent) {
            match self.agent(kept, resource) {
                Ok(agent) => managed.agents.push(agent),
                Err(problems) => broken.push((resource.clone(), problems)),
            }
            if resource.off {
                managed.paused.insert(resource.key.name.to_string());
            }
        }
        for resource in kept.of_kind(ResourceKind::Source) {
            match self.source(kept, resource) {
                Ok(source) => managed.sources.push(source),
                Err(problems) => broken.push((resource.clone(), problems)),
            }
        }
        let accounts = kept.of_kind(ResourceKind::Account);
        managed.accounts = accounts.map(accounts::config).collect();
        broken.extend(self.shared_keys(kept, &managed.agents));
        (managed, broken)
    }

    fn agent(
        &self,
        kept: &Kept,
        resource: &Resource,
    ) -> std::result::Result<AgentConfig, Problems> {
        self.given(kept, resource, Listed::Agents, read_agent)
    }

    fn source(
        &self,
        kept: &Kept,
        resource: &Resource,
    ) -> std::result::Result<SourceConfig, Problems> {
        self.given(kept, resource, Listed::Sources, read_source)
    }

    fn given<T>(
        &self,
        kept: &Kept,
        resource: &Resource,
        listed: Listed,
        read: impl FnOnce(&Given<'_>) -> std::result::Result<T, Problems>,
    ) -> std::result::Result<T, Problems> {
        let table = settings::to_toml(&settings::read(&resource.settings)).map_err(|path| {
            let mut problems = Problems::default();
            problems.add(path, "must not be null: leave the setting out");
            problems
        })?;
        let secrets = kept.secrets(&resource.key);
        read(&Given {
            listed,
            name: resource.key.name.as_str(),
            settings: &table,
            secrets: secrets
                .iter()
                .map(|secret| (secret.path.as_str(), secret.id.as_str(), &secret.value))
                .collect(),
            allow_private_addresses: self.parts.declared.admin.allow_private_addresses,
        })
    }

    /// A key belongs to one agent of a tenant: the platform tells agents apart by it. Keys of other tenants are not
    /// looked at: whoever guesses one would be told that it is right.
    fn shared_keys(&self, kept: &Kept, managed: &[AgentConfig]) -> Vec<(Resource, Problems)> {
        let mut seen: HashMap<(&str, String), &str> = HashMap::new();
        let mut shared = Vec::new();
        for agent in self.parts.declared.agents.iter().chain(managed) {
            let (setting, secret) = agent.platform.api_key();
            let Ok(key) = secret.read() else { continue };
            let used = (tenant_of(&agent.name), key.expose_secret().to_owned());
            let Some(other) = seen.insert(used, &agent.name) else {
                continue;
            };
            let mut found = kept.of_kind(ResourceKind::Agent);
            if let Some(resource) = found.find(|one| one.key.name.as_str() == agent.name) {
                let mut problems = Problems::default();
                problems.add(
                    format!("secrets[platform.{setting}]"),
                    format!("is the API key of the agent {other} too: a key belongs to one agent"),
                );
                shared.push((resource.clone(), problems));
            }
        }
        shared
    }
}

/// Callers and keys as the guard knows them. Until there is one who could administrate, with a key or a certificate, they
/// are not handed on: the first caller would lock its maker out before it has a key.
fn records(kept: &Kept) -> (Vec<CallerRecord>, Vec<KeyRecord>) {
    let callers: Vec<_> = kept
        .of_kind(ResourceKind::Caller)
        .map(callers::record)
        .collect();
    let keys = kept.all_keys().iter().filter_map(|key| {
        Some(KeyRecord {
            id: KeyId::parse(key.id.as_str())?,
            digest: Digest::from_bytes(key.digest.as_slice().try_into().ok()?),
            tenant: key.tenant.clone(),
            caller: key.caller.clone(),
            expires_at: key.expires_at,
            revoked: key.revoked_at.is_some(),
        })
    });
    let keys: Vec<_> = keys.collect();
    let is_of = |key: &KeyRecord, caller: &CallerRecord| {
        key.tenant == caller.tenant && key.caller == caller.name
    };
    // Also keys that count no more: nobody gets in again without one because the last has expired.
    let can_ever_administrate = callers.iter().any(|caller| {
        caller.scopes.allows(Scope::Admin)
            && (!caller.certificates.is_empty() || keys.iter().any(|key| is_of(key, caller)))
    });
    if can_ever_administrate {
        (callers, keys)
    } else {
        Default::default()
    }
}

/// The problems of one object as an administrator knows its fields.
pub(super) fn violations(problems: &Problems, resource: &Resource) -> Error {
    let each = problems.0.iter().map(|problem| Violation {
        field: field(resource.key.kind, &problem.key),
        description: problem.text.clone(),
    });
    Error::Invalid(each.collect())
}

/// Those of the object that is being changed with its fields, and others with the object's name.
fn violations_of_all(problems: &Problems, draft: &Draft) -> Error {
    let changed: HashSet<String> = draft
        .changes
        .iter()
        .filter_map(|change| match change {
            crate::domain::administration::Change::Save { resource, .. } => Some(format!(
                "{}s[{}].",
                resource.key.kind.name(),
                resource.key.name
            )),
            _ => None,
        })
        .collect();
    let kinds: BTreeMap<_, _> = ResourceKind::ALL
        .iter()
        .map(|kind| (format!("{}s[", kind.name()), *kind))
        .collect();
    let each = problems.0.iter().map(|problem| {
        let own = changed
            .iter()
            .find_map(|at| problem.key.strip_prefix(at.as_str()));
        let kind = kinds
            .iter()
            .find(|(at, _)| problem.key.starts_with(at.as_str()));
        Violation {
            field: match (own, kind) {
                (Some(rest), Some((_, kind))) => field(*kind, rest),
                _ => problem.key.clone(),
            },
            description: problem.text.clone(),
        }
    });
    Error::Invalid(each.collect())
}

fn field(kind: ResourceKind, key: &str) -> String {
    let is_setting = matches!(kind, ResourceKind::Agent | ResourceKind::Source);
    let kind = kind.name();
    match key {
        "name" => format!("{kind}.name"),
        key if key.starts_with("secrets[") => key.to_owned(),
        key if is_setting => format!("{kind}.settings.{key}"),
        key => format!("{kind}.{key}"),
    }
}
