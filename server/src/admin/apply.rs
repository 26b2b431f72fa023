//! From what is kept to what counts: what an act touches is checked beside everything else, and swapped in.

use std::collections::BTreeSet;

use super::{Admin, holding::Holding, kept::Draft};
use crate::{
    config::Problems,
    domain::{
        Error, Id, Result, Violation,
        administration::{ResourceKey, ResourceKind, StoredSecret},
    },
    live::Managed,
};

/// What a tenant has from the commit on; absent where the act has nothing to do with it.
pub(super) type Applied = Option<(Id, Managed)>;

impl Admin {
    /// Whether what a draft changes holds, and what would count then. What is broken anyway is no matter of this act.
    pub(super) fn check(&self, draft: &Draft, tenant: &Id) -> Result<Applied> {
        self.check_first_credentials(draft)?;
        if !draft.touches_objects() {
            return Ok(None);
        }
        let managed = self.judged(draft, tenant)?;
        Ok(Some((tenant.clone(), managed)))
    }

    fn judged(&self, draft: &Draft, tenant: &Id) -> Result<Managed> {
        let changed = draft.changed();
        let after = self.holding(&draft.kept, tenant, draft.now, &changed);
        // Whatever is only taken away may always go.
        if changed.is_empty() {
            return Ok(after.managed);
        }
        let mut broken = after.broken.iter();
        if let Some((key, problems)) = broken.find(|(key, _)| changed.contains(*key)) {
            return Err(violations(problems, |at| field(key.kind, at)));
        }
        let before = self.holding(&self.kept(), tenant, draft.now, &BTreeSet::new());
        let mut broken = after.broken.iter();
        match broken.find(|(key, _)| !before.broken.contains_key(*key)) {
            Some((key, problems)) => Err(violations(problems, |at| field_of_another(key, at))),
            None => Ok(after.managed),
        }
    }

    pub(super) fn apply(&self, applied: Applied) {
        if let Some((tenant, managed)) = applied {
            self.counting().insert(tenant, managed);
            self.apply_counting();
        }
        self.let_in();
    }

    /// At the start, and when something changed elsewhere. What is left out is told, so that the rest works.
    pub(super) fn apply_what_holds(&self) {
        let (kept, now) = (self.kept(), self.parts.clock.now());
        let holds = kept.tenants().into_iter().map(|tenant| {
            let holding = self.holding(&kept, &tenant, now, &BTreeSet::new());
            tell(&holding, |_| true);
            (tenant, holding.managed)
        });
        // In place of all: a tenant whose last object was deleted elsewhere has none any more.
        let holds = holds.collect();
        *self.counting() = holds;
        self.apply_counting();
    }

    /// Secrets that are over stop to count, whether or not the database can take them out.
    pub(super) async fn leave_out(&self, expired: &[StoredSecret]) {
        let _acting = self.acting.lock().await;
        let (kept, now) = (self.kept(), self.parts.clock.now());
        let owners: BTreeSet<_> = expired.iter().map(|secret| &secret.owner).collect();
        let tenants: BTreeSet<_> = owners.iter().map(|owner| &owner.tenant).collect();
        for tenant in tenants {
            let holding = self.holding(&kept, tenant, now, &BTreeSet::new());
            tell(&holding, |key| owners.contains(key));
            self.counting().insert(tenant.clone(), holding.managed);
        }
        self.apply_counting();
    }

    fn apply_counting(&self) {
        let mut all = Managed::default();
        for managed in self.counting().values() {
            all.agents.extend(managed.agents.iter().cloned());
            all.sources.extend(managed.sources.iter().cloned());
            all.accounts.extend(managed.accounts.iter().cloned());
            all.paused.extend(managed.paused.iter().cloned());
        }
        if let Err(problems) = self.parts.live.replace(&all) {
            // Each tenant's was checked under the same lock, so this is ours.
            tracing::error!(%problems, "what an administrator changed does not count before a restart");
        }
    }
}

fn tell(holding: &Holding, is_to_be_told: impl Fn(&ResourceKey) -> bool) {
    for (key, problems) in holding.broken.iter().filter(|(key, _)| is_to_be_told(key)) {
        let target = key.kind.target(key.name.as_str());
        tracing::error!(tenant = %key.tenant, target, %problems, "what an administrator made is left out");
    }
}

fn violations(problems: &Problems, field: impl Fn(&str) -> String) -> Error {
    let each = problems.0.iter().map(|problem| Violation {
        field: field(&problem.key),
        description: problem.text.clone(),
    });
    Error::Invalid(each.collect())
}

/// The field of the object that is being changed.
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

/// That of an object which the change would break.
fn field_of_another(key: &ResourceKey, at: &str) -> String {
    let (kind, name) = (key.kind.name(), &key.name);
    format!("{kind}s[{name}].{at}")
}
