//! Who sent a webhook: decided on its raw bytes, in constant time, before anything of it is parsed.

use std::sync::Arc;

use reqwest::Url;

use super::signature::{Format, Signature};
use crate::{
    config::verification::{
        HmacConfig, StandardWebhooksConfig, UrlTokenConfig, VerificationConfig,
        ZendeskSupportConfig,
    },
    domain::{Clock, Unverified, inbound::Webhook},
    verification::{Secrets, equal, one_header},
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
    secrets: Secrets,
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
            VerificationConfig::None => (Scheme::None, &[][..]),
            VerificationConfig::UrlToken(UrlTokenConfig { tokens }) => {
                (Scheme::UrlToken, tokens.as_slice())
            }
            VerificationConfig::StaticHeader(scheme) => (
                Scheme::StaticHeader(scheme.header.clone()),
                scheme.secrets.as_slice(),
            ),
            VerificationConfig::Hmac(scheme) => (signed(hmac(scheme)), scheme.secrets.as_slice()),
            VerificationConfig::ZendeskSupport(scheme) => {
                (signed(zendesk_support(scheme)), scheme.secrets.as_slice())
            }
            VerificationConfig::StandardWebhooks(scheme) => {
                (signed(standard_webhooks(scheme)), scheme.secrets.as_slice())
            }
        };
        Self {
            scheme,
            secrets: Secrets::new(secrets),
            clock,
        }
    }

    /// Fails with the part that is missing or does not fit.
    pub(super) fn verify<'w>(&self, webhook: &'w Webhook) -> Result<Verified<'w>, Unverified> {
        match &self.scheme {
            Scheme::None => {}
            Scheme::UrlToken => {
                let no_token = || Unverified::Mismatch {
                    part: "no part of the path, and no ?token=,".to_owned(),
                };
                self.secrets
                    .any(|token| has_token(webhook, token), no_token)?;
            }
            Scheme::StaticHeader(name) => {
                // Not as text: a secret may hold bytes that are none.
                one_header(&webhook.headers, name)?;
                let value = webhook.headers.get(name).map(http::HeaderValue::as_bytes);
                let fits =
                    |secret: &str| value.is_some_and(|value| equal(value, secret.as_bytes()));
                self.secrets.any(fits, || Unverified::mismatch(name))?;
            }
            Scheme::Signature(signature) => {
                let signed = signature.read(webhook, self.clock.now())?;
                self.secrets.any(
                    |secret| signed.is_made_with(secret),
                    || Unverified::mismatch(&signature.header),
                )?;
            }
        }
        Ok(Verified(webhook))
    }
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
