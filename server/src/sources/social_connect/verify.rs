//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{
    config::{SocialConnectConfig, Verification},
    mention::Origin,
};
use crate::{domain::inbound::Webhook, secret::Secret};

const SIGNATURE: &str = "x-signature";

/// How webhooks are verified. Several secrets let a rotation overlap: any of them counts.
#[derive(Debug)]
pub(super) struct Verifier {
    way: Verification,
    secrets: Vec<Secret>,
}

impl Verifier {
    pub(super) fn new(config: &SocialConnectConfig) -> Self {
        let secrets = match config.verification {
            Verification::Signature => {
                let current = config.client_secret.iter();
                current
                    .chain(&config.former_client_secrets)
                    .cloned()
                    .collect()
            }
            Verification::UrlToken => config.url_tokens.clone(),
        };
        Self {
            way: config.verification,
            secrets,
        }
    }

    /// Whose a verified webhook is.
    pub(super) fn origin(&self) -> Origin {
        match self.way {
            Verification::Signature => Origin::Vendor,
            Verification::UrlToken => Origin::Anybody,
        }
    }

    /// Only a POST can be signed, and only a POST has the message in it.
    pub(super) fn verifies(&self, webhook: &Webhook) -> bool {
        if webhook.method != Method::POST {
            return false;
        }
        match self.way {
            Verification::Signature => self.is_signed(webhook),
            Verification::UrlToken => self.any(|token| {
                let mut segments = webhook.path.split('/');
                segments.any(|segment| equal(segment.as_bytes(), token))
            }),
        }
    }

    fn is_signed(&self, webhook: &Webhook) -> bool {
        let mut values = webhook.headers.get_all(SIGNATURE).iter();
        // Two signatures are one too many: nobody could tell which one a proxy checked.
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Ok(signature) = STANDARD.decode(value.as_bytes()) else {
            return false;
        };
        self.any(|secret| {
            let mac = Hmac::<Sha256>::new_from_slice(secret);
            let mac = mac.map(|mac| mac.chain_update(&webhook.body));
            // Compared in constant time.
            mac.is_ok_and(|mac| mac.verify_slice(&signature).is_ok())
        })
    }

    fn any(&self, mut verifies: impl FnMut(&[u8]) -> bool) -> bool {
        let secrets: Vec<SecretString> = self.secrets.iter().filter_map(readable).collect();
        secrets
            .iter()
            .any(|secret| verifies(secret.expose_secret().as_bytes()))
    }
}

fn readable(secret: &Secret) -> Option<SecretString> {
    secret
        .read()
        .inspect_err(|error| tracing::error!(%error, "a webhook secret cannot be read"))
        .ok()
}

/// Takes as long wherever the difference is; only the length can be told.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
