//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use crate::{domain::inbound::Webhook, secret::Secret};

const SIGNATURE: &str = "x-helpscout-signature";

/// A webhook that was verified. Only [`Verification::verify`] makes one, and only one of these can be decoded.
pub(super) struct Verified<'w>(&'w Webhook);

impl<'w> Verified<'w> {
    pub(super) fn webhook(&self) -> &'w Webhook {
        self.0
    }
}

/// What signs webhooks. Several secrets let a rotation overlap: any of them counts.
#[derive(Debug)]
pub(super) struct Verification(Vec<Secret>);

impl Verification {
    pub(super) fn new(secrets: &[Secret]) -> Self {
        Self(secrets.to_vec())
    }

    /// `None`: it does not verify. SHA-1 is the platform's choice; in an HMAC it still holds.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Option<Verified<'w>> {
        let header = webhook.headers.get(SIGNATURE)?.to_str().ok()?;
        let signature = STANDARD.decode(header.trim()).ok()?;
        let is_signed = |secret: SecretString| {
            let mac = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes());
            mac.is_ok_and(|mac| {
                let mac = mac.chain_update(&webhook.body);
                mac.verify_slice(&signature).is_ok()
            })
        };
        let mut secrets = self.0.iter().filter_map(readable);
        secrets.any(is_signed).then_some(Verified(webhook))
    }
}

fn readable(secret: &Secret) -> Option<SecretString> {
    secret
        .read()
        .inspect_err(|error| tracing::error!(%error, "a webhook secret cannot be read"))
        .ok()
}
