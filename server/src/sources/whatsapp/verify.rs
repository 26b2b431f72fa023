//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::config::WhatsappConfig;
use crate::{
    domain::inbound::{Webhook, WebhookReply},
    secret::Secret,
};

const SIGNATURE: &str = "x-hub-signature-256";

/// A webhook that was verified. Only [`Verification::verify`] makes one, and only one of these can be decoded.
pub(super) struct Verified<'w>(&'w Webhook);

impl<'w> Verified<'w> {
    pub(super) fn webhook(&self) -> &'w Webhook {
        self.0
    }
}

/// What a webhook must know. Several secrets let a rotation overlap: any of them counts.
#[derive(Debug)]
pub(super) struct Verification {
    app_secrets: Vec<Secret>,
    verify_tokens: Vec<Secret>,
}

impl Verification {
    pub(super) fn new(config: &WhatsappConfig) -> Self {
        Self {
            app_secrets: config.app_secrets.clone(),
            verify_tokens: config.verify_tokens.clone(),
        }
    }

    /// `None`: it does not verify.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Option<Verified<'w>> {
        let header = webhook.headers.get(SIGNATURE)?.to_str().ok()?;
        let signature = from_hex(header.trim().strip_prefix("sha256=")?)?;
        let is_signed = |secret: &SecretString| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes());
            mac.is_ok_and(|mac| {
                let mac = mac.chain_update(&webhook.body);
                mac.verify_slice(&signature).is_ok()
            })
        };
        readable(&self.app_secrets)
            .iter()
            .any(is_signed)
            .then_some(Verified(webhook))
    }

    /// Answers the platform's question whether this address is ours: with its challenge, if it knows our token.
    pub(super) fn challenge(&self, webhook: &Webhook) -> WebhookReply {
        let asked = |wanted: &str| {
            let mut url = Url::parse("http://localhost/").ok()?;
            url.set_query(Some(&webhook.query));
            let mut pairs = url.query_pairs();
            pairs
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let token = asked("hub.verify_token").unwrap_or_default();
        let is_ours = readable(&self.verify_tokens)
            .iter()
            .any(|ours| bool::from(ours.expose_secret().as_bytes().ct_eq(token.as_bytes())));
        match asked("hub.challenge") {
            Some(challenge) if is_ours && asked("hub.mode").as_deref() == Some("subscribe") => {
                WebhookReply::text(StatusCode::OK, challenge)
            }
            _ => WebhookReply::status(StatusCode::FORBIDDEN),
        }
    }
}

fn readable(secrets: &[Secret]) -> Vec<SecretString> {
    let read = |secret: &Secret| {
        let read = secret.read();
        read.inspect_err(|error| tracing::error!(%error, "a webhook secret cannot be read"))
            .ok()
    };
    secrets.iter().filter_map(read).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).ok();
    digits.chunks_exact(2).map(byte).collect()
}
