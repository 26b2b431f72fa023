//! Agents and sources: both have settings, secrets and a name of their tenant's.

use std::{collections::BTreeMap, sync::Arc};

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    Admin,
    act::Act,
    held::{drop_lost_secrets, secrets, set_secrets},
    kept::{Draft, Kept},
    settings,
    view::{ObjectView, Standing, etag},
};
use crate::{
    config::managed::{Holds, Listed, without_place},
    domain::{
        Error, Id, Identity, Result, TENANT,
        administration::{ActRefused, Resource, ResourceKey, ResourceKind},
        identity::is_object_name,
        tenant_of,
    },
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Agent,
    Source,
}

/// What an administrator wants an object to be.
#[derive(Debug, Default)]
pub struct ObjectChange {
    pub name: String,
    pub settings: Map<String, Value>,
    /// By the path of their setting.
    pub secrets: BTreeMap<String, SecretString>,
    /// Of a new agent.
    pub paused: bool,
    /// Of an update: what is changed. `settings`, or one of them.
    pub mask: Vec<String>,
    /// The object as it must still be; empty: not compared.
    pub etag: String,
}

impl Kind {
    pub(super) fn resource(self) -> ResourceKind {
        match self {
            Self::Agent => ResourceKind::Agent,
            Self::Source => ResourceKind::Source,
        }
    }

    pub(super) fn listed(self) -> Listed {
        match self {
            Self::Agent => Listed::Agents,
            Self::Source => Listed::Sources,
        }
    }

    fn act(self, verb: Verb) -> &'static str {
        match (self, verb) {
            (Self::Agent, Verb::Create) => "CreateAgent",
            (Self::Agent, Verb::Update) => "UpdateAgent",
            (Self::Agent, Verb::Delete) => "DeleteAgent",
            (Self::Source, Verb::Create) => "CreateSource",
            (Self::Source, Verb::Update) => "UpdateSource",
            (Self::Source, Verb::Delete) => "DeleteSource",
        }
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Create,
    Update,
    Delete,
}

impl Admin {
    /// Makes an agent or a source.
    pub async fn create(
        self: &Arc<Self>,
        identity: &Identity,
        kind: Kind,
        wanted: ObjectChange,
    ) -> Result<ObjectView> {
        let act = of_object(identity, kind, Verb::Create, &wanted).with("paused", wanted.paused);
        let tenant = identity.tenant.clone();
        let name = wanted.name.clone();
        self.act(act, move |admin, draft| {
            let key = admin.free(draft, &tenant, kind.resource(), &wanted.name)?;
            let text = Value::Object(wanted.settings).to_string();
            draft.add(key.clone(), text, wanted.paused);
            set_secrets(draft, kind, &key, &wanted.secrets)
        })
        .await?;
        self.object(identity, kind, &name)
    }

    /// Changes one.
    pub async fn update(
        self: &Arc<Self>,
        identity: &Identity,
        kind: Kind,
        wanted: ObjectChange,
    ) -> Result<ObjectView> {
        let act = of_object(identity, kind, Verb::Update, &wanted);
        let tenant = identity.tenant.clone();
        let name = wanted.name.clone();
        self.act(act, move |admin, draft| {
            let before = admin.own(&draft.kept, &tenant, kind.resource(), &wanted.name)?;
            is_still(&before, &wanted.etag)?;
            let changed = masked(kind, &before, &wanted)?;
            draft.change(
                &before,
                Value::Object(changed.clone()).to_string(),
                before.off,
            );
            set_secrets(draft, kind, &before.key, &wanted.secrets)?;
            drop_lost_secrets(draft, &before.key, &changed);
            Ok(())
        })
        .await?;
        self.object(identity, kind, &name)
    }

    /// Deletes one that nothing names.
    pub async fn delete(
        self: &Arc<Self>,
        identity: &Identity,
        kind: Kind,
        name: &str,
        etag: &str,
    ) -> Result<()> {
        let resource = kind.resource();
        let act = Act::new(identity, kind.act(Verb::Delete), resource.target(name));
        let (tenant, name, etag) = (identity.tenant.clone(), name.to_owned(), etag.to_owned());
        self.act(act, move |admin, draft| {
            let before = admin.own(&draft.kept, &tenant, resource, &name)?;
            is_still(&before, &etag)?;
            if let Some(account) = admin.account_naming(&draft.kept, &tenant, resource, &name) {
                let (what, by) = (
                    resource.target(&name),
                    ResourceKind::Account.target(&account),
                );
                return Err(Error::Act(ActRefused::InUse { what, by }));
            }
            draft.delete(&before);
            Ok(())
        })
        .await
    }

    /// Pauses an agent, or lets it work.
    pub async fn pause(
        self: &Arc<Self>,
        identity: &Identity,
        name: &str,
        paused: bool,
    ) -> Result<ObjectView> {
        let action = if paused { "PauseAgent" } else { "ResumeAgent" };
        let act = Act::new(identity, action, ResourceKind::Agent.target(name));
        let (tenant, wanted) = (identity.tenant.clone(), name.to_owned());
        self.act(act, move |admin, draft| {
            let before = admin.own(&draft.kept, &tenant, ResourceKind::Agent, &wanted)?;
            if before.off != paused {
                draft.change(&before, before.settings.clone(), paused);
            }
            Ok(())
        })
        .await?;
        self.object(identity, Kind::Agent, name)
    }

    /// One agent or source.
    pub fn object(&self, identity: &Identity, kind: Kind, name: &str) -> Result<ObjectView> {
        let objects = self.objects(identity, kind);
        let found = objects.into_iter().find(|object| object.name == name);
        found.ok_or_else(|| Error::not_found(kind.resource().name(), name))
    }

    /// All of the tenant, by name.
    pub fn objects(&self, identity: &Identity, kind: Kind) -> Vec<ObjectView> {
        let (kept, tenant) = (self.kept(), &identity.tenant);
        let mut objects = self.declared_objects(tenant, kind);
        for resource in kept.of_tenant(tenant, kind.resource()) {
            if objects
                .iter()
                .all(|object| object.name != resource.key.name.as_str())
            {
                objects.push(view(&kept, resource));
            }
        }
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        objects
    }

    /// The key of an object that is to be made.
    pub(super) fn free(
        &self,
        draft: &Draft,
        tenant: &Id,
        kind: ResourceKind,
        name: &str,
    ) -> Result<ResourceKey> {
        if matches!(kind, ResourceKind::Agent | ResourceKind::Source) {
            check_name(tenant, kind, name)?;
        }
        let is_kept = draft.kept.find(tenant, kind, name).is_some();
        if is_kept || self.is_declared(tenant, kind, name) {
            let name = name.to_owned();
            return Err(Error::Act(ActRefused::NameTaken { kind, name }));
        }
        let limit = self.parts.declared.admin.max_objects;
        if draft.kept.of_tenant(tenant, kind).count() >= limit {
            return Err(Error::Act(ActRefused::TooManyObjects { kind, limit }));
        }
        Ok(ResourceKey {
            tenant: tenant.clone(),
            kind,
            name: Id::trusted(name),
        })
    }

    /// An object that administrators of the tenant may change.
    pub(super) fn own(
        &self,
        kept: &Kept,
        tenant: &Id,
        kind: ResourceKind,
        name: &str,
    ) -> Result<Resource> {
        if self.is_declared(tenant, kind, name) {
            let name = name.to_owned();
            return Err(Error::Act(ActRefused::DeclaredInConfiguration {
                kind,
                name,
            }));
        }
        let found = kept.find(tenant, kind, name).cloned();
        found.ok_or_else(|| Error::not_found(kind.name(), name))
    }
}

/// Whether it is the object that was read.
pub(super) fn is_still(resource: &Resource, expected: &str) -> Result<()> {
    if expected.is_empty() || etag(resource) == expected {
        return Ok(());
    }
    let what = resource.key.kind.target(resource.key.name.as_str());
    Err(Error::Act(ActRefused::EtagMismatch { what }))
}

fn check_name(tenant: &Id, kind: ResourceKind, name: &str) -> Result<()> {
    let field = format!("{}.name", kind.name());
    if tenant.as_str() != TENANT && tenant_of(name) != tenant.as_str() {
        let why = format!("must begin with {tenant}. because it belongs to the tenant {tenant}");
        return Err(Error::invalid(field, why));
    }
    if tenant_of(name) != tenant.as_str() {
        let why = "must not have a dot: what stands before one is a tenant";
        return Err(Error::invalid(field, why));
    }
    if !is_object_name(name) {
        let why = "must be 1 to 64 of a-z, 0-9, _ and -: it stands in webhook addresses";
        return Err(Error::invalid(field, why));
    }
    Ok(())
}

fn of_object(identity: &Identity, kind: Kind, verb: Verb, wanted: &ObjectChange) -> Act {
    let known = |path: &str| kind.listed().holds(without_place(path)).is_some();
    let in_mask = |path: &str| {
        let setting = path.strip_prefix("settings.");
        path == "settings" || setting.is_some_and(|path| kind.listed().holds(path).is_some())
    };
    let act = Act::new(
        identity,
        kind.act(verb),
        kind.resource().target(&wanted.name),
    )
    .paths("secrets", wanted.secrets.keys(), known)
    .settings(Value::Object(wanted.settings.clone()));
    match verb {
        Verb::Update => act.paths("update_mask", &wanted.mask, in_mask),
        Verb::Create | Verb::Delete => act,
    }
}

/// The settings after an update.
fn masked(kind: Kind, before: &Resource, wanted: &ObjectChange) -> Result<Map<String, Value>> {
    if wanted.mask.is_empty() && wanted.secrets.is_empty() {
        return Err(Error::invalid(
            "update_mask",
            "must name what is changed: settings, or settings. and the path of one",
        ));
    }
    let mut changed = settings::read(&before.settings);
    for (index, path) in wanted.mask.iter().enumerate() {
        let field = format!("update_mask.paths[{index}]");
        if path == "settings" {
            changed.clone_from(&wanted.settings);
            continue;
        }
        let setting = path.strip_prefix("settings.").ok_or_else(|| {
            let why =
                format!("{path:?} cannot be changed: settings, or settings. and the path of one");
            Error::invalid(&field, why)
        })?;
        match kind.listed().holds(setting) {
            Some(Holds::Other) => settings::take_over(&mut changed, &wanted.settings, setting),
            Some(Holds::Secret | Holds::Secrets) => {
                let why = format!("{path:?} is a secret: give it in `secrets`");
                return Err(Error::invalid(field, why));
            }
            None => {
                let why = format!("{path:?} {}", kind.listed().advice(setting));
                return Err(Error::invalid(field, why));
            }
        }
    }
    Ok(changed)
}

fn view(kept: &Kept, resource: &Resource) -> ObjectView {
    let settings = settings::read(&resource.settings);
    let table = match resource.key.kind {
        ResourceKind::Source => "system",
        _ => "platform",
    };
    let built_on = settings.get(table).and_then(Value::as_object);
    let built_on = built_on.and_then(|table| table.keys().next()).cloned();
    ObjectView {
        name: resource.key.name.to_string(),
        built_on: built_on.unwrap_or_default(),
        secrets: secrets(kept, resource),
        settings,
        paused: resource.off,
        standing: Standing::of(resource),
    }
}
