//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha2::Sha256;

use super::{
    config::{SocialConnectConfig, Verification},
    mention::Origin,
};
use crate::{
    domain::{Unverified, inbound::Webhook},
    secret::Secret,
    verification::{Secrets, equal, from_base64, one_header},
};

const SIGNATURE: &str = "x-signature";

/// How webhooks are verified. Several secrets let a rotation overlap: any of them counts.
#[derive(Debug)]
pub(super) struct Verifier {
    way: Verification,
    secrets: Secrets,
}

impl Verifier {
    pub(super) fn new(config: &SocialConnectConfig) -> Self {
        let secrets: Vec<&Secret> = match config.verification {
            Verification::Signature => {
                let current = config.client_secret.iter();
                current.chain(&config.former_client_secrets).collect()
            }
            Verification::UrlToken => config.url_tokens.iter().collect(),
        };
        Self {
            way: config.verification,
            secrets: Secrets::new(secrets),
        }
    }

    /// Whose a verified webhook is.
    pub(super) fn origin(&self) -> Origin {
        match self.way {
            Verification::Signature => Origin::Vendor,
            Verification::UrlToken => Origin::Anybody,
        }
    }

    /// Only a POST can be signed, and only a POST has the message in it. Fails with the part that is missing or does not
    /// fit.
    pub(super) fn verify(&self, webhook: &Webhook) -> Result<(), Unverified> {
        if webhook.method != Method::POST {
            return Err(Unverified::Method);
        }
        match self.way {
            Verification::Signature => self.check_signature(webhook),
            Verification::UrlToken => self.secrets.any(
                |token| {
                    let mut segments = webhook.path.split('/');
                    segments.any(|segment| equal(segment.as_bytes(), token.as_bytes()))
                },
                || Unverified::Mismatch {
                    part: "no part of the path".to_owned(),
                },
            ),
        }
    }

    fn check_signature(&self, webhook: &Webhook) -> Result<(), Unverified> {
        let value = one_header(&webhook.headers, SIGNATURE)?;
        let signature = from_base64(value);
        let signature = signature.ok_or_else(|| Unverified::malformed(SIGNATURE, "base64"))?;
        let is_made_with = |secret: &str| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            let mac = mac.map(|mac| mac.chain_update(&webhook.body));
            // Compared in constant time.
            mac.is_ok_and(|mac| mac.verify_slice(&signature).is_ok())
        };
        self.secrets
            .any(is_made_with, || Unverified::mismatch(SIGNATURE))
    }
}
