//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use std::sync::Arc;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::signature::{Format, Signature};
use crate::{
    config::verification::{
        HmacConfig, StandardWebhooksConfig, UrlTokenConfig, VerificationConfig,
        ZendeskSupportConfig,
    },
    domain::{Clock, inbound::Webhook},
    secret::Secret,
};

/// A webhook that was verified. Only [`Verification::verify`] makes one, and only one of these can be decoded.
pub(super) struct Verified<'w>(&'w Webhook);

impl<'w> Verified<'w> {
    pub(super) fn webhook(&self) -> &'w Webhook {
        self.0
    }
}

/// How the webhooks of one agent are verified. Several secrets let a rotation overlap: any of them counts.
#[derive(Debug)]
pub(super) struct Verification {
    scheme: Scheme,
    secrets: Vec<Secret>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
enum Scheme {
    /// Whoever knows the address is believed.
    None,
    UrlToken,
    StaticHeader(String),
    Signature(Signature),
}

impl Verification {
    pub(super) fn new(config: &VerificationConfig, clock: Arc<dyn Clock>) -> Self {
        let (scheme, secrets) = match config {
            VerificationConfig::None => (Scheme::None, Vec::new()),
            VerificationConfig::UrlToken(UrlTokenConfig { tokens }) => {
                (Scheme::UrlToken, tokens.clone())
            }
            VerificationConfig::StaticHeader(scheme) => (
                Scheme::StaticHeader(scheme.header.clone()),
                scheme.secrets.clone(),
            ),
            VerificationConfig::Hmac(scheme) => (signed(hmac(scheme)), scheme.secrets.clone()),
            VerificationConfig::ZendeskSupport(scheme) => {
                (signed(zendesk_support(scheme)), scheme.secrets.clone())
            }
            VerificationConfig::StandardWebhooks(scheme) => {
                (signed(standard_webhooks(scheme)), scheme.secrets.clone())
            }
        };
        Self {
            scheme,
            secrets,
            clock,
        }
    }

    /// `None`: it does not verify.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Option<Verified<'w>> {
        let verified = match &self.scheme {
            Scheme::None => true,
            Scheme::UrlToken => self.any(|token| has_token(webhook, token)),
            Scheme::StaticHeader(name) => self.any(|secret| {
                let mut values = webhook.headers.get_all(name).into_iter();
                values.any(|value| equal(value.as_bytes(), secret.as_bytes()))
            }),
            Scheme::Signature(signature) => match signature.read(webhook, self.clock.now()) {
                Some(signed) => self.any(|secret| signed.is_made_with(secret)),
                None => false,
            },
        };
        verified.then_some(Verified(webhook))
    }

    fn any(&self, mut verifies: impl FnMut(&str) -> bool) -> bool {
        let secrets: Vec<SecretString> = self.secrets.iter().filter_map(readable).collect();
        secrets
            .iter()
            .any(|secret| verifies(secret.expose_secret()))
    }
}

fn readable(secret: &Secret) -> Option<SecretString> {
    secret
        .read()
        .inspect_err(|error| tracing::error!(%error, "a webhook secret cannot be read"))
        .ok()
}

/// In the path, `/webhooks/{agent}/{token}`, or in the query, `?token={token}`.
fn has_token(webhook: &Webhook, token: &str) -> bool {
    let in_path = webhook
        .path
        .split('/')
        .any(|segment| equal(segment.as_bytes(), token.as_bytes()));
    let Ok(mut url) = Url::parse("http://localhost/") else {
        return in_path;
    };
    url.set_query(Some(&webhook.query));
    in_path
        || url
            .query_pairs()
            .any(|(name, value)| name == "token" && equal(value.as_bytes(), token.as_bytes()))
}

/// Takes as long wherever the difference is; only the length can be told.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

fn signed(signature: Signature) -> Scheme {
    Scheme::Signature(signature)
}

fn hmac(config: &HmacConfig) -> Signature {
    Signature {
        header: config.header.clone(),
        format: Format::Plain {
            encoding: config.encoding,
            prefix: config.prefix.clone(),
        },
        timestamp_header: config.timestamp_header.clone(),
        separator: config.separator.clone(),
        tolerance: config.tolerance,
    }
}

fn zendesk_support(config: &ZendeskSupportConfig) -> Signature {
    Signature {
        header: "x-zendesk-webhook-signature".to_owned(),
        format: Format::Plain {
            encoding: crate::config::verification::SignatureEncoding::Base64,
            prefix: String::new(),
        },
        timestamp_header: Some("x-zendesk-webhook-signature-timestamp".to_owned()),
        separator: String::new(),
        tolerance: config.tolerance,
    }
}

fn standard_webhooks(config: &StandardWebhooksConfig) -> Signature {
    Signature {
        header: "webhook-signature".to_owned(),
        format: Format::StandardWebhooks,
        timestamp_header: Some("webhook-timestamp".to_owned()),
        separator: ".".to_owned(),
        tolerance: config.tolerance,
    }
}
