//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::{
    domain::{Unverified, inbound::Webhook},
    secret::Secret,
    verification::{Secrets, from_base64, one_header},
};

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
pub(super) struct Verification(Secrets);

impl Verification {
    pub(super) fn new(secrets: &[Secret]) -> Self {
        Self(Secrets::new(secrets))
    }

    /// Fails with the part that is missing or does not fit. SHA-1 is the platform's choice; in an HMAC it still holds.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Result<Verified<'w>, Unverified> {
        let header = one_header(&webhook.headers, SIGNATURE)?;
        let signature = from_base64(header.trim());
        let signature = signature.ok_or_else(|| Unverified::malformed(SIGNATURE, "base64"))?;
        let is_made_with = |secret: &str| {
            let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes());
            mac.is_ok_and(|mac| {
                let mac = mac.chain_update(&webhook.body);
                mac.verify_slice(&signature).is_ok()
            })
        };
        self.0
            .any(is_made_with, || Unverified::mismatch(SIGNATURE))?;
        Ok(Verified(webhook))
    }
}
