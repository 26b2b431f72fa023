//! The secrets of an agent or a source: put in their places, taken away, and told of.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    kept::{Draft, Kept},
    objects::Kind,
    settings,
    view::SecretView,
};
use crate::{
    config::managed::{Holds, Listed, without_place},
    domain::{
        Error, Id, Result,
        administration::{Resource, ResourceKey, ResourceKind, StoredSecret},
    },
};

/// The longest secret, in bytes: keys and tokens are far shorter.
const MAX_SECRET_BYTES: usize = 4096;

/// Puts secrets in the places of those that were there.
pub(super) fn set_secrets(
    draft: &mut Draft,
    kind: Kind,
    owner: &ResourceKey,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<()> {
    let mut cleared = Vec::new();
    for (given, value) in secrets {
        check_secret(&format!("secrets[{given}]"), value)?;
        let path = without_place(given);
        let is_list = kind.listed().holds(path) == Some(Holds::Secrets);
        let path = if is_list { path } else { given.as_str() };
        if !cleared.contains(&path) {
            cleared.push(path);
            remove_at(draft, owner, path);
        }
        let secret = new_secret(draft, owner, path, value.clone());
        draft.save_secret(secret);
    }
    Ok(())
}

pub(super) fn check_secret(field: &str, value: &SecretString) -> Result<()> {
    let length = value.expose_secret().len();
    if length == 0 || length > MAX_SECRET_BYTES {
        let why = format!("must be 1 to {MAX_SECRET_BYTES} bytes long");
        return Err(Error::invalid(field, why));
    }
    Ok(())
}

pub(super) fn new_secret(
    draft: &Draft,
    owner: &ResourceKey,
    path: &str,
    value: SecretString,
) -> StoredSecret {
    StoredSecret {
        id: Id::generate(),
        owner: owner.clone(),
        path: path.to_owned(),
        value,
        created_at: draft.now,
        expires_at: None,
    }
}

pub(super) fn remove_at(draft: &mut Draft, owner: &ResourceKey, path: &str) {
    let secrets = draft.kept.secrets(owner);
    let at = secrets.iter().filter(|secret| secret.path == path);
    for id in at.map(|secret| secret.id.clone()).collect::<Vec<_>>() {
        draft.remove_secret(&id);
    }
}

/// Secrets of settings that are gone go with them.
pub(super) fn drop_lost_secrets(
    draft: &mut Draft,
    owner: &ResourceKey,
    settings: &Map<String, Value>,
) {
    let secrets = draft.kept.secrets(owner);
    let lost = secrets.iter().filter(|secret| {
        secret.created_at < draft.now && !settings::has_table_of(settings, &secret.path)
    });
    for id in lost.map(|secret| secret.id.clone()).collect::<Vec<_>>() {
        draft.remove_secret(&id);
    }
}

pub(super) fn secrets(kept: &Kept, resource: &Resource) -> Vec<SecretView> {
    let listed = match resource.key.kind {
        ResourceKind::Source => Listed::Sources,
        _ => Listed::Agents,
    };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let each = kept.secrets(&resource.key).into_iter().map(|secret| {
        let is_list = listed.holds(&secret.path) == Some(Holds::Secrets);
        let place = places.entry(secret.path.clone()).or_default();
        let path = if is_list {
            format!("{}[{place}]", secret.path)
        } else {
            secret.path.clone()
        };
        *place += 1;
        SecretView {
            path,
            created_at: Some(secret.created_at),
            expires_at: secret.expires_at,
        }
    });
    each.collect()
}
