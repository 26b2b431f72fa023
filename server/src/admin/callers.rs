//! Callers: who may do what. Nobody can lock a tenant's administrators out, not even themselves.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Admin,
    act::Act,
    kept::Kept,
    objects::is_still,
    own_limits, settings,
    view::{CallerView, KeyView, Standing},
};
use crate::{
    access::{CallerRecord, OwnLimits},
    domain::{
        Error, Id, Identity, Result, Scope, Scopes, TENANT, Timestamp,
        administration::{ActRefused, CallerKey, Resource, ResourceKind},
    },
};

/// Names that one caller's certificates may be made out to.
const MAX_CERTIFICATES: usize = 16;
/// Bytes of such a name.
const MAX_NAME_BYTES: usize = 256;
/// What a mask may name.
const PATHS: [&str; 3] = ["scopes", "certificates", "disabled"];

/// What an administrator wants a caller to be.
#[derive(Debug, Default)]
pub struct CallerChange {
    pub name: String,
    pub scopes: Scopes,
    pub certificates: Vec<String>,
    pub disabled: bool,
    pub limits: OwnLimits,
    /// Of an update: what is changed.
    pub mask: Vec<String>,
    pub etag: String,
}

impl Admin {
    pub async fn create_caller(
        self: &Arc<Self>,
        identity: &Identity,
        wanted: CallerChange,
    ) -> Result<CallerView> {
        let target = ResourceKind::Caller.target(&wanted.name);
        let act = Act::new(identity, "CreateCaller", target)
            .with("disabled", wanted.disabled)
            .settings(kept_form(&wanted));
        let (tenant, name) = (identity.tenant.clone(), wanted.name.clone());
        self.act(act, move |admin, draft| {
            check_name(&wanted.name)?;
            let key = admin.free(draft, &tenant, ResourceKind::Caller, &wanted.name)?;
            admin.check_caller(&draft.kept, &tenant, &wanted)?;
            let is_first = admin.parts.declared.callers.is_empty()
                && draft.kept.of_kind(ResourceKind::Caller).next().is_none();
            if is_first && (wanted.disabled || !wanted.scopes.allows(Scope::Admin)) {
                return Err(Error::Act(ActRefused::FirstCallerNotAdmin));
            }
            draft.add(key, kept_form(&wanted).to_string(), wanted.disabled);
            Ok(())
        })
        .await?;
        self.caller(identity, &name)
    }

    pub async fn update_caller(
        self: &Arc<Self>,
        identity: &Identity,
        wanted: CallerChange,
    ) -> Result<CallerView> {
        let target = ResourceKind::Caller.target(&wanted.name);
        let act = Act::new(identity, "UpdateCaller", target)
            .paths("update_mask", &wanted.mask, is_path)
            .settings(masked_form(&wanted));
        let (tenant, name) = (identity.tenant.clone(), wanted.name.clone());
        self.act(act, move |admin, draft| {
            let before = admin.own(&draft.kept, &tenant, ResourceKind::Caller, &wanted.name)?;
            is_still(&before, &wanted.etag)?;
            let could = admin.has_admin(&draft.kept, &tenant, draft.now);
            let changed = masked(&before, wanted)?;
            admin.check_caller(&draft.kept, &tenant, &changed)?;
            draft.change(&before, kept_form(&changed).to_string(), changed.disabled);
            admin.still_has_admin(could, &draft.kept, &tenant, draft.now)
        })
        .await?;
        self.caller(identity, &name)
    }

    pub async fn delete_caller(
        self: &Arc<Self>,
        identity: &Identity,
        name: &str,
        etag: &str,
    ) -> Result<()> {
        let act = Act::new(identity, "DeleteCaller", ResourceKind::Caller.target(name));
        let (tenant, name, etag) = (identity.tenant.clone(), name.to_owned(), etag.to_owned());
        self.act(act, move |admin, draft| {
            let before = admin.own(&draft.kept, &tenant, ResourceKind::Caller, &name)?;
            is_still(&before, &etag)?;
            let could = admin.has_admin(&draft.kept, &tenant, draft.now);
            draft.delete(&before);
            admin.still_has_admin(could, &draft.kept, &tenant, draft.now)
        })
        .await
    }

    pub fn caller(&self, identity: &Identity, name: &str) -> Result<CallerView> {
        let mut callers = self.callers(identity).into_iter();
        let found = callers.find(|caller| caller.name == name);
        found.ok_or_else(|| Error::not_found("caller", name))
    }

    /// All of the tenant, by name.
    pub fn callers(&self, identity: &Identity) -> Vec<CallerView> {
        let (kept, tenant) = (self.kept(), &identity.tenant);
        let declared = self.parts.declared.callers.iter();
        let ours = declared.filter(|caller| caller.tenant == tenant.as_str());
        let declared = ours.map(|caller| CallerView {
            name: caller.name.clone(),
            scopes: caller
                .scopes
                .iter()
                .filter_map(|name| Scope::from_name(name))
                .collect(),
            certificates: caller.certificates.clone(),
            disabled: false,
            limits: OwnLimits::of(caller),
            // What administrators made of this name before counts no longer, and is shown to be revoked.
            keys: kept
                .keys(tenant, &caller.name)
                .into_iter()
                .map(KeyView::of)
                .collect(),
            standing: Standing::DECLARED,
        });
        let mut callers: Vec<_> = declared.collect();
        for resource in kept.of_tenant(tenant, ResourceKind::Caller) {
            if callers
                .iter()
                .all(|caller| caller.name != resource.key.name.as_str())
            {
                callers.push(view(&kept, resource));
            }
        }
        callers.sort_by(|one, other| one.name.cmp(&other.name));
        callers
    }

    fn check_caller(&self, kept: &Kept, tenant: &Id, wanted: &CallerChange) -> Result<()> {
        if wanted.scopes.is_empty() {
            return Err(Error::invalid("caller.scopes", "must be one at least"));
        }
        if wanted.certificates.len() > MAX_CERTIFICATES {
            let why = format!("must be at most {MAX_CERTIFICATES}");
            return Err(Error::invalid("caller.certificates", why));
        }
        own_limits::check(wanted.limits)?;
        for (index, name) in wanted.certificates.iter().enumerate() {
            let field = format!("caller.certificates[{index}]");
            // One authority's names are shared by all tenants: whoever claims one first would be taken for its owner.
            if tenant.as_str() != TENANT {
                let why = "cannot be given by administrators of this tenant: the server's configuration does";
                return Err(Error::invalid(field, why));
            }
            if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control)
            {
                let why = format!("must be 1 to {MAX_NAME_BYTES} bytes without control characters");
                return Err(Error::invalid(field, why));
            }
            if self.is_claimed(kept, tenant, wanted, name) {
                return Err(Error::invalid(field, "is that of another caller"));
            }
        }
        Ok(())
    }

    fn is_claimed(&self, kept: &Kept, tenant: &Id, wanted: &CallerChange, name: &str) -> bool {
        let declared = self
            .parts
            .declared
            .callers
            .iter()
            .any(|caller| caller.certificates.iter().any(|known| known == name));
        declared
            || kept.of_kind(ResourceKind::Caller).any(|resource| {
                let is_same =
                    resource.key.tenant == *tenant && resource.key.name.as_str() == wanted.name;
                !is_same && certificates(resource).iter().any(|known| known == name)
            })
    }

    /// Whether somebody can administrate the tenant.
    pub(super) fn has_admin(&self, kept: &Kept, tenant: &Id, now: Timestamp) -> bool {
        let is_admin = |name: &String| Scope::from_name(name) == Some(Scope::Admin);
        let declared =
            self.parts.declared.callers.iter().any(|caller| {
                caller.tenant == tenant.as_str() && caller.scopes.iter().any(is_admin)
            });
        let counts = |key: &&CallerKey| is_valid(key, now);
        declared
            || kept
                .of_tenant(tenant, ResourceKind::Caller)
                .filter(|one| !self.is_declared(tenant, one.key.kind, one.key.name.as_str()))
                .any(|resource| {
                    let keys = kept.keys(tenant, resource.key.name.as_str());
                    let has_credentials =
                        keys.iter().any(counts) || !certificates(resource).is_empty();
                    !resource.off && record(resource).scopes.allows(Scope::Admin) && has_credentials
                })
    }

    /// Refuses an act after which nobody can any more.
    pub(super) fn still_has_admin(
        &self,
        before: bool,
        kept: &Kept,
        tenant: &Id,
        now: Timestamp,
    ) -> Result<()> {
        if before && !self.has_admin(kept, tenant, now) {
            return Err(Error::Act(ActRefused::LastAdmin));
        }
        Ok(())
    }
}

pub(super) fn is_valid(key: &CallerKey, now: Timestamp) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now)
}

/// As the guard knows it.
pub(super) fn record(resource: &Resource) -> CallerRecord {
    let settings = settings::read(&resource.settings);
    CallerRecord {
        tenant: resource.key.tenant.clone(),
        name: resource.key.name.clone(),
        scopes: texts(&settings, "scopes")
            .iter()
            .filter_map(|name| Scope::from_name(name))
            .collect(),
        certificates: texts(&settings, "certificates"),
        disabled: resource.off,
        limits: own_limits::read(&settings),
    }
}

fn certificates(resource: &Resource) -> Vec<String> {
    texts(&settings::read(&resource.settings), "certificates")
}

fn texts(settings: &serde_json::Map<String, Value>, key: &str) -> Vec<String> {
    let list = settings.get(key).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn check_name(name: &str) -> Result<()> {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_fine) {
        return Err(Error::invalid(
            "caller.name",
            "must be 1 to 64 of a-z, 0-9, _ and -",
        ));
    }
    Ok(())
}

fn kept_form(wanted: &CallerChange) -> Value {
    let scopes: Vec<_> = wanted.scopes.iter().map(Scope::name).collect();
    let mut form = json!({ "scopes": scopes, "certificates": wanted.certificates });
    let limits = own_limits::kept_form(wanted.limits);
    if !limits.is_empty() {
        form["limits"] = limits.into();
    }
    form
}

/// What an update changes, for the record: the rest of what is wanted was not given.
fn masked_form(wanted: &CallerChange) -> Value {
    let mut form = kept_form(wanted);
    form["disabled"] = wanted.disabled.into();
    if let Value::Object(fields) = &mut form {
        let is_named = |field: &str| {
            let mut paths = wanted.mask.iter();
            paths.any(|path| path.split('.').next() == Some(field))
        };
        fields.retain(|field, _| is_named(field));
    }
    form
}

fn is_path(path: &str) -> bool {
    PATHS.contains(&path) || own_limits::is_path(path)
}

fn masked(before: &Resource, wanted: CallerChange) -> Result<CallerChange> {
    if wanted.mask.is_empty() {
        return Err(Error::invalid(
            "update_mask",
            "must name what is changed: scopes, certificates, disabled, limits",
        ));
    }
    let known = record(before);
    let mut changed = CallerChange {
        name: wanted.name,
        scopes: known.scopes,
        certificates: known.certificates,
        disabled: known.disabled,
        limits: known.limits,
        ..CallerChange::default()
    };
    for (index, path) in wanted.mask.iter().enumerate() {
        match path.as_str() {
            "scopes" => changed.scopes = wanted.scopes,
            "certificates" => changed.certificates.clone_from(&wanted.certificates),
            "disabled" => changed.disabled = wanted.disabled,
            path if own_limits::masked(&mut changed.limits, wanted.limits, path) => {}
            _ => {
                let why = format!(
                    "{path:?} cannot be changed: scopes, certificates, disabled, limits can"
                );
                return Err(Error::invalid(format!("update_mask.paths[{index}]"), why));
            }
        }
    }
    Ok(changed)
}

fn view(kept: &Kept, resource: &Resource) -> CallerView {
    let known = record(resource);
    let keys = kept.keys(&known.tenant, known.name.as_str());
    CallerView {
        name: known.name.to_string(),
        scopes: known.scopes,
        certificates: known.certificates,
        disabled: known.disabled,
        limits: known.limits,
        keys: keys.into_iter().map(KeyView::of).collect(),
        standing: Standing::of(resource),
    }
}
