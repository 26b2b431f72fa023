//! Who calls: the token that `LivePerson` signs each call with (a JWT, RS256), checked before a byte of the body is
//! looked at.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::AUTHORIZATION};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use webpki::{RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

use super::LivePersonConfig;
use crate::{
    domain::{Clock, Timestamp},
    secret::Secret,
};

const ISSUER: &str = "Sentinel";
const SCOPE: &str = "thirdpartybots.customendpoint.bot";
/// What tokens carried before; `LivePerson` may stop at any time.
const OLD_SCOPE: &str = "ihub.tpb.customendpoint";

/// Which tokens are believed.
#[derive(Debug)]
pub(super) struct Tokens {
    source: String,
    account_id: String,
    keys: Vec<Secret>,
    leeway: Duration,
    clock: Arc<dyn Clock>,
    /// How many came with the old scope.
    old_scopes: AtomicU64,
}

impl Tokens {
    /// Fails when a key that can be read is none.
    pub(super) fn new(
        source: &str,
        config: &LivePersonConfig,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        for (number, key) in config.public_keys.iter().enumerate() {
            let pem = key.read();
            let pem = pem.with_context(|| format!("public_keys[{number}]"))?;
            ensure!(
                public_key(&pem).is_some(),
                "public_keys[{number}] is no public key in PEM: it begins with -----BEGIN PUBLIC KEY-----"
            );
        }
        Ok(Self {
            source: source.to_owned(),
            account_id: config.account_id.clone(),
            keys: config.public_keys.clone(),
            leeway: config.clock_leeway,
            clock,
            old_scopes: AtomicU64::new(0),
        })
    }

    /// Whether the call carries a token of `LivePerson`'s for our account and for this interface.
    pub(super) fn verify(&self, headers: &HeaderMap) -> bool {
        self.claims(headers)
            .is_some_and(|claims| self.are_ours(&claims))
    }

    /// Tokens that came with the old scope so far.
    #[cfg(test)]
    pub(super) fn old_scopes(&self) -> u64 {
        self.old_scopes.load(Ordering::Relaxed)
    }

    /// What a token claims that one of the keys signed. Its header is not read: the algorithm is ours to choose.
    fn claims(&self, headers: &HeaderMap) -> Option<Value> {
        let (signed, signature) = bearer(headers)?.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.keys
            .iter()
            .filter_map(readable)
            .any(|key| is_signed(&key, signed.as_bytes(), &signature))
            .then_some(())?;
        let (_, claims) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    fn are_ours(&self, claims: &Value) -> bool {
        let now = self.clock.now();
        let is_alive = time(&claims["exp"]).is_some_and(|end| now - self.leeway < end)
            && (claims["nbf"].is_null()
                || time(&claims["nbf"]).is_some_and(|begin| begin <= now + self.leeway));
        is_alive
            && claims["iss"] == ISSUER
            && words(&claims["aud"]).any(|account| account == self.account_id)
            && self.may_call(&claims["scope"])
    }

    fn may_call(&self, scope: &Value) -> bool {
        if words(scope).any(|word| word == SCOPE) {
            return true;
        }
        let is_old = words(scope).any(|word| word == OLD_SCOPE);
        if is_old {
            let count = self.old_scopes.fetch_add(1, Ordering::Relaxed) + 1;
            // Told ever more rarely: each call carries it.
            if count.is_power_of_two() {
                tracing::warn!(
                    source = self.source,
                    count,
                    "LivePerson calls with the old scope {OLD_SCOPE}, which it may stop taking: renew the \
                     integration there"
                );
            }
        }
        is_old
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn readable(key: &Secret) -> Option<SecretString> {
    key.read()
        .inspect_err(|error| tracing::error!(%error, "a public key cannot be read"))
        .ok()
}

fn is_signed(pem: &SecretString, signed: &[u8], signature: &[u8]) -> bool {
    let Some(key) = public_key(pem) else {
        return false;
    };
    RawPublicKeyEntity::try_from(&key).is_ok_and(|key| {
        key.verify_signature(RSA_PKCS1_2048_8192_SHA256, signed, signature)
            .is_ok()
    })
}

fn public_key(pem: &SecretString) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.expose_secret().as_bytes()).ok()?;
    RawPublicKeyEntity::try_from(&key).ok()?;
    Some(key)
}

/// Seconds since 1970.
fn time(claim: &Value) -> Option<Timestamp> {
    claim.as_i64()?.checked_mul(1_000_000).map(Timestamp)
}

/// A claim of one or more words: a text with blanks, or a list.
fn words(claim: &Value) -> impl Iterator<Item = &str> {
    let list = claim.as_array().into_iter().flatten();
    let text = claim.as_str().into_iter().flat_map(str::split_whitespace);
    list.filter_map(Value::as_str).chain(text)
}
