//! Secrets that follow one another: the new one counts at once, and the former one for a while longer.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{
    Admin,
    act::{Act, is_plain},
    held::{check_secret, new_secret, remove_at, secrets},
    kept::Draft,
    objects::Kind,
    view::SecretView,
};
use crate::{
    config::managed::Holds,
    domain::{
        Error, Id, Identity, Result, Scopes, Timestamp,
        administration::{ResourceKey, StoredSecret},
    },
};

/// What stands before a setting's name where the former secret goes.
const FORMER: &str = "previous_";

/// A secret that follows another.
#[derive(Debug)]
pub struct Rotation {
    pub kind: Kind,
    pub name: String,
    /// The setting; of a list without a place.
    pub path: String,
    pub value: SecretString,
    /// How long the former one stays valid.
    pub overlap: Duration,
}

impl Admin {
    /// Puts a new secret in the place of one.
    pub async fn rotate(
        self: &Arc<Self>,
        identity: &Identity,
        rotation: Rotation,
    ) -> Result<Vec<SecretView>> {
        let target = rotation.kind.resource().target(&rotation.name);
        let listed = rotation.kind.listed();
        let holds = listed.holds(&rotation.path);
        // What is no setting may be the secret itself, in the wrong field.
        let list = listed.list_of(&rotation.path);
        let known = list.or(holds.map(|_| rotation.path.as_str()));
        let path = known.filter(|path| is_plain(path)).unwrap_or_default();
        let act = Act::new(identity, "RotateSecret", target)
            .with("path", path)
            .with("overlap_seconds", rotation.overlap.as_secs());
        let tenant = identity.tenant.clone();
        self.act(act, move |admin, draft| {
            let kind = rotation.kind.resource();
            let before = admin.own(&draft.kept, &tenant, kind, &rotation.name)?;
            check_secret("value", &rotation.value)?;
            match holds {
                Some(Holds::Secrets) => keep_former_in_list(draft, &before.key, &rotation),
                Some(Holds::Secret) => keep_former_beside(draft, &before.key, &rotation)?,
                Some(Holds::Other) => return Err(Error::invalid("path", "holds no secret")),
                None => {
                    let why = listed.advice(&rotation.path);
                    return Err(Error::invalid("path", why));
                }
            }
            let secret = new_secret(draft, &before.key, &rotation.path, rotation.value);
            draft.save_secret(secret);
            draft.change(&before, before.settings.clone(), before.off);
            Ok(secrets(&draft.kept, &before))
        })
        .await
    }

    /// Removes secrets whose overlap is over, until `stop`.
    pub async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        let mut looks = tokio::time::interval(self.parts.declared.admin.sweep_interval);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(looks.tick()).await.is_some() {
            self.remove_expired().await;
        }
    }

    pub(super) async fn remove_expired(self: &Arc<Self>) {
        let expired = self.kept().expired_secrets(self.parts.clock.now());
        if expired.is_empty() {
            return;
        }
        self.leave_out(&expired).await;
        for secret in expired {
            let server = Identity {
                tenant: secret.owner.tenant.clone(),
                caller: Id::trusted("parloir"),
                credential: Id::trusted("parloir"),
                scopes: Scopes::none(),
            };
            let target = secret.owner.kind.target(secret.owner.name.as_str());
            let act = Act::new(&server, "ExpireSecret", target).with("path", secret.path.as_str());
            let removed = self.act(act, move |_, draft| {
                draft.remove_secret(&secret.id);
                Ok(())
            });
            if let Err(error) = removed.await {
                tracing::error!(%error, "a secret whose time is over could not be removed");
            }
        }
    }
}

/// All that are there stay until the overlap is over, unless they end before.
fn keep_former_in_list(draft: &mut Draft, owner: &ResourceKey, rotation: &Rotation) {
    if rotation.overlap.is_zero() {
        return remove_at(draft, owner, &rotation.path);
    }
    let until = draft.now + rotation.overlap;
    for secret in at(draft, owner, &rotation.path) {
        draft.save_secret(StoredSecret {
            expires_at: Some(ends(secret.expires_at, until)),
            ..secret
        });
    }
}

/// The one that is there moves to where the former one goes, if there is such a place.
fn keep_former_beside(draft: &mut Draft, owner: &ResourceKey, rotation: &Rotation) -> Result<()> {
    let beside = match rotation.path.rsplit_once('.') {
        Some((table, name)) => format!("{table}.{FORMER}{name}"),
        None => format!("{FORMER}{}", rotation.path),
    };
    let has_room = rotation.kind.listed().holds(&beside) == Some(Holds::Secret);
    if !has_room && !rotation.overlap.is_zero() {
        let why = "must be 0: this setting has no room for a former secret";
        return Err(Error::invalid("overlap", why));
    }
    let former = at(draft, owner, &rotation.path);
    remove_at(draft, owner, &beside);
    remove_at(draft, owner, &rotation.path);
    if !rotation.overlap.is_zero() {
        let until = draft.now + rotation.overlap;
        for secret in former {
            draft.save_secret(StoredSecret {
                id: Id::generate(),
                path: beside.clone(),
                expires_at: Some(ends(secret.expires_at, until)),
                ..secret
            });
        }
    }
    Ok(())
}

fn at(draft: &Draft, owner: &ResourceKey, path: &str) -> Vec<StoredSecret> {
    let secrets = draft.kept.secrets(owner).into_iter();
    secrets
        .filter(|secret| secret.path == path)
        .cloned()
        .collect()
}

fn ends(known: Option<Timestamp>, until: Timestamp) -> Timestamp {
    known.map_or(until, |known| known.min(until))
}
