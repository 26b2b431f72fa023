//! Accounts: which agent answers, which source brings visitors.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Admin,
    act::Act,
    kept::Kept,
    objects::is_still,
    settings,
    view::{AccountView, Standing},
};
use crate::{
    config::AccountConfig,
    domain::{
        Error, Id, Identity, Result,
        administration::{ActRefused, Resource, ResourceKind},
        tenant_of,
    },
};

/// What a mask may name.
const PATHS: [&str; 3] = ["agent", "source", "upstream_prefix"];

/// What an administrator wants an account to be.
#[derive(Debug, Default)]
pub struct AccountChange {
    pub name: String,
    pub agent: String,
    /// Empty: none.
    pub source: String,
    pub upstream_prefix: String,
    /// Of an update: what is changed.
    pub mask: Vec<String>,
    pub etag: String,
}

impl Admin {
    pub async fn create_account(
        self: &Arc<Self>,
        identity: &Identity,
        wanted: AccountChange,
    ) -> Result<AccountView> {
        let target = ResourceKind::Account.target(&wanted.name);
        let act = Act::new(identity, "CreateAccount", target).settings(kept_form(&wanted));
        let (tenant, name) = (identity.tenant.clone(), wanted.name.clone());
        self.act(act, move |admin, draft| {
            Id::parse("account.account", &wanted.name)?;
            let key = admin.free(draft, &tenant, ResourceKind::Account, &wanted.name)?;
            admin.check_named(&draft.kept, &tenant, &wanted)?;
            draft.add(key, kept_form(&wanted).to_string(), false);
            Ok(())
        })
        .await?;
        self.account(identity, &name)
    }

    pub async fn update_account(
        self: &Arc<Self>,
        identity: &Identity,
        wanted: AccountChange,
    ) -> Result<AccountView> {
        let target = ResourceKind::Account.target(&wanted.name);
        let act = Act::new(identity, "UpdateAccount", target)
            .paths("update_mask", &wanted.mask, |path| PATHS.contains(&path))
            .settings(kept_form(&wanted));
        let (tenant, name) = (identity.tenant.clone(), wanted.name.clone());
        self.act(act, move |admin, draft| {
            let before = admin.own(&draft.kept, &tenant, ResourceKind::Account, &wanted.name)?;
            is_still(&before, &wanted.etag)?;
            let changed = masked(&before, &wanted)?;
            admin.check_named(&draft.kept, &tenant, &changed)?;
            draft.change(&before, kept_form(&changed).to_string(), false);
            Ok(())
        })
        .await?;
        self.account(identity, &name)
    }

    pub async fn delete_account(
        self: &Arc<Self>,
        identity: &Identity,
        name: &str,
        etag: &str,
    ) -> Result<()> {
        let act = Act::new(
            identity,
            "DeleteAccount",
            ResourceKind::Account.target(name),
        );
        let (identity, name, etag) = (identity.clone(), name.to_owned(), etag.to_owned());
        self.act(act, move |admin, draft| {
            let tenant = &identity.tenant;
            let before = admin.own(&draft.kept, tenant, ResourceKind::Account, &name)?;
            is_still(&before, &etag)?;
            let named = |settings: &serde_json::Map<String, Value>| {
                settings.get("default_account").and_then(Value::as_str) == Some(name.as_str())
            };
            let mut agents = draft.kept.of_tenant(tenant, ResourceKind::Agent);
            if let Some(agent) = agents.find(|agent| named(&settings::read(&agent.settings))) {
                let what = ResourceKind::Account.target(&name);
                let by = ResourceKind::Agent.target(agent.key.name.as_str());
                return Err(Error::Act(ActRefused::InUse { what, by }));
            }
            drop(agents);
            draft.delete(&before);
            Ok(())
        })
        .await
    }

    pub fn account(&self, identity: &Identity, name: &str) -> Result<AccountView> {
        let mut accounts = self.accounts(identity).into_iter();
        let found = accounts.find(|account| account.name == name);
        found.ok_or_else(|| Error::not_found("account", name))
    }

    /// All of the tenant, by name.
    pub fn accounts(&self, identity: &Identity) -> Vec<AccountView> {
        let (kept, tenant) = (self.kept(), &identity.tenant);
        let declared = self.parts.declared.accounts.iter();
        let ours = declared.filter(|account| tenant_of(&account.agent) == tenant.as_str());
        let mut accounts: Vec<_> = ours
            .map(|account| view(account, Standing::DECLARED))
            .collect();
        for resource in kept.of_tenant(tenant, ResourceKind::Account) {
            let shown = view(&config(resource), Standing::of(resource));
            if accounts.iter().all(|account| account.name != shown.name) {
                accounts.push(shown);
            }
        }
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        accounts
    }

    /// What kind of system a source is; empty for none.
    pub fn system_of(&self, source: &str) -> String {
        let directory = self.parts.live.directory();
        let entry = directory.source(source);
        entry.map_or("", |entry| entry.system).to_owned()
    }

    /// What an account names exists in its own tenant. Nothing is said of any other.
    fn check_named(&self, kept: &Kept, tenant: &Id, wanted: &AccountChange) -> Result<()> {
        let exists = |kind: ResourceKind, name: &str| {
            self.is_declared(tenant, kind, name) || kept.find(tenant, kind, name).is_some()
        };
        if !exists(ResourceKind::Agent, &wanted.agent) {
            return Err(Error::invalid(
                "account.agent",
                format!("there is no agent {:?}", wanted.agent),
            ));
        }
        if !wanted.source.is_empty() && !exists(ResourceKind::Source, &wanted.source) {
            return Err(Error::invalid(
                "account.source",
                format!("there is no source {:?}", wanted.source),
            ));
        }
        Ok(())
    }

    /// An account that names this agent or source.
    pub(super) fn account_naming(
        &self,
        kept: &Kept,
        tenant: &Id,
        kind: ResourceKind,
        name: &str,
    ) -> Option<String> {
        let kept: Vec<_> = kept
            .of_tenant(tenant, ResourceKind::Account)
            .map(config)
            .collect();
        let mut all = self.parts.declared.accounts.iter().chain(&kept);
        let found = all.find(|account| match kind {
            ResourceKind::Agent => account.agent == name,
            ResourceKind::Source => account.source.as_deref() == Some(name),
            ResourceKind::Account | ResourceKind::Caller => false,
        });
        found.map(|account| account.name.clone())
    }
}

/// As the configuration would declare it.
pub(super) fn config(resource: &Resource) -> AccountConfig {
    let settings = settings::read(&resource.settings);
    let text = |key: &str| {
        settings
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    AccountConfig {
        name: resource.key.name.to_string(),
        agent: text("agent"),
        source: Some(text("source")).filter(|source| !source.is_empty()),
        upstream_prefix: text("upstream_prefix"),
    }
}

fn kept_form(wanted: &AccountChange) -> Value {
    json!({
        "agent": wanted.agent,
        "source": wanted.source,
        "upstream_prefix": wanted.upstream_prefix,
    })
}

fn masked(before: &Resource, wanted: &AccountChange) -> Result<AccountChange> {
    if wanted.mask.is_empty() {
        return Err(Error::invalid(
            "update_mask",
            "must name what is changed: agent, source, upstream_prefix",
        ));
    }
    let known = config(before);
    let mut changed = AccountChange {
        name: known.name,
        agent: known.agent,
        source: known.source.unwrap_or_default(),
        upstream_prefix: known.upstream_prefix,
        ..AccountChange::default()
    };
    for (index, path) in wanted.mask.iter().enumerate() {
        match path.as_str() {
            "agent" => changed.agent.clone_from(&wanted.agent),
            "source" => changed.source.clone_from(&wanted.source),
            "upstream_prefix" => changed.upstream_prefix.clone_from(&wanted.upstream_prefix),
            _ => {
                let why = format!("{path:?} cannot be changed: agent, source, upstream_prefix can");
                return Err(Error::invalid(format!("update_mask.paths[{index}]"), why));
            }
        }
    }
    Ok(changed)
}

fn view(account: &AccountConfig, standing: Standing) -> AccountView {
    AccountView {
        name: account.name.clone(),
        agent: account.agent.clone(),
        source: account.source.clone().unwrap_or_default(),
        upstream_prefix: account.upstream_prefix.clone(),
        standing,
    }
}
