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
use http::HeaderMap;
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use secrecy::ExposeSecret;
use serde_json::Value;
use webpki::{RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

use super::LivePersonConfig;
use crate::{
    domain::{Clock, Timestamp, Unverified},
    verification::{Secrets, one_header},
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
    keys: Secrets,
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
                public_key(pem.expose_secret()).is_some(),
                "public_keys[{number}] is no public key in PEM: it begins with -----BEGIN PUBLIC KEY-----"
            );
        }
        Ok(Self {
            source: source.to_owned(),
            account_id: config.account_id.clone(),
            keys: Secrets::new(&config.public_keys),
            leeway: config.clock_leeway,
            clock,
            old_scopes: AtomicU64::new(0),
        })
    }

    /// Fails unless the call carries a token of `LivePerson`'s for our account and for this interface; with the part
    /// that is missing or does not fit.
    pub(super) fn verify(&self, headers: &HeaderMap) -> Result<(), Unverified> {
        let claims = self.claims(headers)?;
        self.check_time(&claims)?;
        if claims["iss"] != ISSUER {
            return Err(Unverified::Claim("iss"));
        }
        if !words(&claims["aud"]).any(|account| account == self.account_id) {
            return Err(Unverified::Claim("aud"));
        }
        if !self.may_call(&claims["scope"]) {
            return Err(Unverified::Claim("scope"));
        }
        Ok(())
    }

    /// Tokens that came with the old scope so far.
    #[cfg(test)]
    pub(super) fn old_scopes(&self) -> u64 {
        self.old_scopes.load(Ordering::Relaxed)
    }

    /// What a token claims that one of the keys signed. Its header is not read: the algorithm is ours to choose.
    fn claims(&self, headers: &HeaderMap) -> Result<Value, Unverified> {
        let malformed = || Unverified::malformed("authorization", "Bearer and a signed token");
        let value = one_header(headers, "authorization")?;
        let (signed, signature) = bearer(value)
            .and_then(|token| token.rsplit_once('.'))
            .ok_or_else(malformed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature);
        let signature = signature.map_err(|_| malformed())?;
        self.keys.any(
            |key| is_signed(key, signed.as_bytes(), &signature),
            || Unverified::mismatch("authorization"),
        )?;
        let (_, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| malformed())?;
        serde_json::from_slice(&claims).map_err(|_| malformed())
    }

    fn check_time(&self, claims: &Value) -> Result<(), Unverified> {
        let now = self.clock.now();
        let end = time(&claims["exp"]).ok_or(Unverified::Claim("exp"))?;
        let begin = match &claims["nbf"] {
            Value::Null => now,
            begin => time(begin).ok_or(Unverified::Claim("nbf"))?,
        };
        let stale = |micros: i64| Unverified::Stale {
            header: "authorization".to_owned(),
            skew_seconds: micros / 1_000_000,
        };
        if now - self.leeway >= end {
            return Err(stale(end.0.saturating_sub(now.0)));
        }
        if begin > now + self.leeway {
            return Err(stale(begin.0.saturating_sub(now.0)));
        }
        Ok(())
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

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_signed(pem: &str, signed: &[u8], signature: &[u8]) -> bool {
    let Some(key) = public_key(pem) else {
        return false;
    };
    RawPublicKeyEntity::try_from(&key).is_ok_and(|key| {
        key.verify_signature(RSA_PKCS1_2048_8192_SHA256, signed, signature)
            .is_ok()
    })
}

fn public_key(pem: &str) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).ok()?;
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
