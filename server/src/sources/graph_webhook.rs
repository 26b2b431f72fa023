//! Webhooks as Meta sends them, for Messenger and `WhatsApp` alike: who sent one is decided on its raw bytes, in constant
//! time, before anything of it is parsed; and at set-up a challenge is answered.

use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    domain::inbound::{Webhook, WebhookReply},
    secret::Secret,
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
    app_secrets: Vec<Secret>,
    verify_tokens: Vec<Secret>,
}

impl Verification {
    pub(super) fn new(app_secrets: &[Secret], verify_tokens: &[Secret]) -> Self {
        Self {
            app_secrets: app_secrets.to_vec(),
            verify_tokens: verify_tokens.to_vec(),
        }
    }

    /// `None`: it does not verify. The platform calls its signature optional; here it is not.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Option<Verified<'w>> {
        let value = webhook.headers.get(SIGNATURE)?.to_str().ok()?;
        let signature = hex(value.strip_prefix(SIGNATURE_PREFIX)?)?;
        let is_made_with = |secret: &str| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            mac.is_ok_and(|mac| {
                mac.chain_update(&webhook.body)
                    .verify_slice(&signature)
                    .is_ok()
            })
        };
        any(&self.app_secrets, is_made_with).then_some(Verified(webhook))
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
            any(&self.verify_tokens, |secret| {
                token.as_bytes().ct_eq(secret.as_bytes()).into()
            })
        });
        match asked("hub.challenge") {
            Some(challenge) if knows && mode.as_deref() == Some("subscribe") => {
                WebhookReply::text(StatusCode::OK, challenge)
            }
            _ => refused,
        }
    }
}

fn any(secrets: &[Secret], mut fits: impl FnMut(&str) -> bool) -> bool {
    let readable: Vec<SecretString> = secrets
        .iter()
        .filter_map(|secret| {
            secret
                .read()
                .inspect_err(|error| tracing::error!(%error, "a webhook secret cannot be read"))
                .ok()
        })
        .collect();
    readable.iter().any(|secret| fits(secret.expose_secret()))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let [high, low] = pair.try_into().ok()?;
            u8::try_from(digit(high)? * 16 + digit(low)?).ok()
        })
        .collect()
}
