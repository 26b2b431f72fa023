//! Webhooks as Meta sends them, for Messenger and `WhatsApp` alike: who sent one is decided on its raw bytes, in constant
//! time, before anything of it is parsed; and at set-up a challenge is answered.

use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use reqwest::Url;
use sha2::Sha256;

use crate::{
    domain::{
        Unverified,
        inbound::{Webhook, WebhookReply},
    },
    secret::Secret,
    verification::{Secrets, equal, from_hex, one_header},
};

const SIGNATURE: &str = "x-hub-signature-256";
/// The older `sha1=` is not taken.
const SIGNATURE_PREFIX: &str = "sha256=";

/// A webhook that was verified. Only [`Verification::verify`] makes one, and only one of these can be decoded.
pub(super) struct Verified<'w>(&'w Webhook);

impl<'w> Verified<'w> {
    pub(super) fn body(&self) -> &'w [u8] {
        &self.0.body
    }
}

/// What a webhook must know. Several secrets let a rotation overlap: any of them counts.
#[derive(Debug)]
pub(super) struct Verification {
    app_secrets: Secrets,
    verify_tokens: Secrets,
}

impl Verification {
    pub(super) fn new(app_secrets: &[Secret], verify_tokens: &[Secret]) -> Self {
        Self {
            app_secrets: Secrets::new(app_secrets),
            verify_tokens: Secrets::new(verify_tokens),
        }
    }

    /// Fails with the part that is missing or does not fit. The platform calls its signature optional; here it is not.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Result<Verified<'w>, Unverified> {
        let value = one_header(&webhook.headers, SIGNATURE)?;
        let signature = value.strip_prefix(SIGNATURE_PREFIX).and_then(from_hex);
        let signature =
            signature.ok_or_else(|| Unverified::malformed(SIGNATURE, "sha256= and hexadecimal"))?;
        let is_made_with = |secret: &str| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            mac.is_ok_and(|mac| {
                mac.chain_update(&webhook.body)
                    .verify_slice(&signature)
                    .is_ok()
            })
        };
        self.app_secrets
            .any(is_made_with, || Unverified::mismatch(SIGNATURE))?;
        Ok(Verified(webhook))
    }

    /// What the platform gets when it asks, at set-up, whether we are who we should be: its own challenge, if it knows
    /// a verify token.
    pub(super) fn challenged(&self, webhook: &Webhook) -> WebhookReply {
        let refused = WebhookReply::status(StatusCode::FORBIDDEN);
        let Ok(mut url) = Url::parse("http://localhost/") else {
            return refused;
        };
        url.set_query(Some(&webhook.query));
        let asked = |name: &str| {
            let pair = url.query_pairs().find(|(key, _)| key == name);
            pair.map(|(_, value)| value.into_owned())
        };
        let (mode, token) = (asked("hub.mode"), asked("hub.verify_token"));
        let knows = token.is_some_and(|token| {
            let fits = |secret: &str| equal(token.as_bytes(), secret.as_bytes());
            let no_token = || Unverified::Mismatch {
                part: "hub.verify_token".to_owned(),
            };
            self.verify_tokens.any(fits, no_token).is_ok()
        });
        match asked("hub.challenge") {
            Some(challenge) if knows && mode.as_deref() == Some("subscribe") => {
                WebhookReply::text(StatusCode::OK, challenge)
            }
            _ => refused,
        }
    }
}
