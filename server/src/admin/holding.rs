//! What of a tenant's objects holds. What does not, beside another configuration or in another version, is left out, and
//! stands in the way of nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use secrecy::ExposeSecret;

use super::{Admin, accounts, kept::Kept, settings};
use crate::{
    config::{
        AgentConfig, Problems,
        managed::{Given, Listed, read_agent, read_source},
    },
    domain::{
        Id, Timestamp,
        administration::{Resource, ResourceKey, ResourceKind},
        tenant_of,
    },
    live::Managed,
};

/// What of a tenant's counts, and why the rest does not: each with the keys of its own settings.
#[derive(Debug, Default)]
pub(super) struct Holding {
    pub managed: Managed,
    pub broken: BTreeMap<ResourceKey, Problems>,
}

impl Admin {
    /// Judges what a tenant has, at `now`. Where two cannot both be, what is `changed` has to go.
    pub(super) fn holding(
        &self,
        kept: &Kept,
        tenant: &Id,
        now: Timestamp,
        changed: &BTreeSet<ResourceKey>,
    ) -> Holding {
        let mut holding = self.read(kept, tenant, now);
        self.leave_shared_keys_out(&mut holding, kept, tenant, changed);
        while let Err(problems) = self.parts.live.check(&holding.managed) {
            let known = holding.broken.len();
            let left = left(kept, tenant, &holding);
            if left.is_empty() {
                break;
            }
            for key in &left {
                let at = format!("{}s[{}]", key.kind.name(), key.name);
                let its = problems.0.iter().filter_map(|problem| {
                    let rest = problem.key.strip_prefix(&at)?;
                    Some((rest.trim_start_matches('.'), &problem.text))
                });
                for (rest, text) in its {
                    let broken = holding.broken.entry(key.clone()).or_default();
                    broken.add(rest, text.clone());
                }
            }
            if holding.broken.len() == known {
                // It is nobody's by name, so it may be anybody's.
                holding
                    .broken
                    .extend(left.into_iter().map(|key| (key, problems.clone())));
            }
            holding.leave_broken_out();
        }
        holding
    }

    /// Everything of the tenant that can be read.
    fn read(&self, kept: &Kept, tenant: &Id, now: Timestamp) -> Holding {
        let mut holding = Holding::default();
        for resource in kept.of_tenant(tenant, ResourceKind::Agent) {
            match self.given(kept, resource, now, Listed::Agents, read_agent) {
                Ok(agent) => holding.managed.agents.push(agent),
                Err(problems) => drop(holding.broken.insert(resource.key.clone(), problems)),
            }
            if resource.off {
                let name = resource.key.name.to_string();
                holding.managed.paused.insert(name);
            }
        }
        for resource in kept.of_tenant(tenant, ResourceKind::Source) {
            match self.given(kept, resource, now, Listed::Sources, read_source) {
                Ok(source) => holding.managed.sources.push(source),
                Err(problems) => drop(holding.broken.insert(resource.key.clone(), problems)),
            }
        }
        let accounts = kept.of_tenant(tenant, ResourceKind::Account);
        holding.managed.accounts = accounts.map(accounts::config).collect();
        holding
    }

    fn given<T>(
        &self,
        kept: &Kept,
        resource: &Resource,
        now: Timestamp,
        listed: Listed,
        read: impl FnOnce(&Given<'_>) -> Result<T, Problems>,
    ) -> Result<T, Problems> {
        let table = settings::to_toml(&settings::read(&resource.settings)).map_err(|path| {
            let mut problems = Problems::default();
            problems.add(path, "must not be null: leave the setting out");
            problems
        })?;
        let mut secrets = kept.secrets(&resource.key);
        // Over is over, also while the database cannot take it out.
        secrets.retain(|secret| secret.expires_at.is_none_or(|at| at > now));
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
    fn leave_shared_keys_out(
        &self,
        holding: &mut Holding,
        kept: &Kept,
        tenant: &Id,
        changed: &BTreeSet<ResourceKey>,
    ) {
        let mut seen: HashMap<String, &str> = HashMap::new();
        let declared = self.parts.declared.agents.iter();
        for agent in declared.filter(|agent| tenant_of(&agent.name) == tenant.as_str()) {
            if let Some(key) = api_key(agent) {
                seen.insert(key, &agent.name);
            }
        }
        let resource = |agent: &AgentConfig| kept.find(tenant, ResourceKind::Agent, &agent.name);
        let mut own: Vec<_> = holding.managed.agents.iter().collect();
        // Whoever had it first keeps it.
        own.sort_by_key(|agent| {
            resource(agent).map(|one| (changed.contains(&one.key), one.created_at))
        });
        for agent in own {
            let Some(key) = api_key(agent) else { continue };
            let Some(other) = seen.get(&key) else {
                seen.insert(key, &agent.name);
                continue;
            };
            let (setting, _) = agent.platform.api_key();
            let mut problems = Problems::default();
            problems.add(
                format!("secrets[platform.{setting}]"),
                format!("is the API key of the agent {other} too: a key belongs to one agent"),
            );
            if let Some(resource) = resource(agent) {
                holding.broken.insert(resource.key.clone(), problems);
            }
        }
        holding.leave_broken_out();
    }
}

impl Holding {
    fn leave_broken_out(&mut self) {
        let names = |kind| -> BTreeSet<String> {
            let broken = self.broken.keys().filter(|key| key.kind == kind);
            broken.map(|key| key.name.to_string()).collect()
        };
        let (agents, sources) = (names(ResourceKind::Agent), names(ResourceKind::Source));
        let accounts = names(ResourceKind::Account);
        let managed = &mut self.managed;
        managed.agents.retain(|one| !agents.contains(&one.name));
        managed.sources.retain(|one| !sources.contains(&one.name));
        managed.accounts.retain(|one| !accounts.contains(&one.name));
    }
}

/// What is not left out yet.
fn left(kept: &Kept, tenant: &Id, holding: &Holding) -> Vec<ResourceKey> {
    let kinds = [
        ResourceKind::Agent,
        ResourceKind::Source,
        ResourceKind::Account,
    ];
    let all = kinds
        .into_iter()
        .flat_map(|kind| kept.of_tenant(tenant, kind));
    all.map(|resource| &resource.key)
        .filter(|key| !holding.broken.contains_key(key))
        .cloned()
        .collect()
}

fn api_key(agent: &AgentConfig) -> Option<String> {
    let (_, secret) = agent.platform.api_key();
    Some(secret.read().ok()?.expose_secret().to_owned())
}
