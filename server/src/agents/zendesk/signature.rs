//! HMAC-SHA256 signatures of webhooks, with the knobs in which the schemes in use differ.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

use crate::{
    config::verification::SignatureEncoding,
    domain::{Timestamp, inbound::Webhook},
};

const STANDARD_WEBHOOKS_ID: &str = "webhook-id";
/// What stands before a signature of the version that we know, and before a secret.
const STANDARD_WEBHOOKS_V1: &str = "v1,";
const STANDARD_WEBHOOKS_SECRET: &str = "whsec_";

/// Where a signature stands and what it covers.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) header: String,
    pub(super) format: Format,
    /// Absent: the body alone is signed.
    pub(super) timestamp_header: Option<String>,
    /// Between timestamp and body.
    pub(super) separator: String,
    /// How far the timestamp may be from our clock, either way.
    pub(super) tolerance: Duration,
}

/// How a signature is written.
#[derive(Debug)]
pub(super) enum Format {
    /// One signature in the header.
    Plain {
        encoding: SignatureEncoding,
        prefix: String,
    },
    /// Several, each with its version, and an id that is signed too; the secret is in base64.
    StandardWebhooks,
}

/// A signature and what it must cover, read from a webhook.
pub(super) struct Signed<'w> {
    /// Any of them may be the right one.
    signatures: Vec<Vec<u8>>,
    /// In order; nothing of it is copied.
    covered: Vec<&'w [u8]>,
    secret_in_base64: bool,
}

impl Signature {
    /// `None`: a header is missing or malformed, or the timestamp too far from `now`.
    pub(super) fn read<'w>(&'w self, webhook: &'w Webhook, now: Timestamp) -> Option<Signed<'w>> {
        let value = header(&webhook.headers, &self.header)?;
        let mut covered: Vec<&[u8]> = Vec::with_capacity(5);
        let signatures = match &self.format {
            Format::Plain { encoding, prefix } => {
                vec![decoded(
                    *encoding,
                    value.strip_prefix(prefix.as_str())?.trim(),
                )?]
            }
            Format::StandardWebhooks => {
                let id = header(&webhook.headers, STANDARD_WEBHOOKS_ID)?;
                covered.extend([id.as_bytes(), self.separator.as_bytes()]);
                value
                    .split(' ')
                    .filter_map(|one| {
                        STANDARD
                            .decode(one.strip_prefix(STANDARD_WEBHOOKS_V1)?)
                            .ok()
                    })
                    .collect()
            }
        };
        if let Some(name) = &self.timestamp_header {
            let text = header(&webhook.headers, name)?;
            let at = timestamp(text)?;
            if at.since(now).max(now.since(at)) > self.tolerance {
                return None;
            }
            covered.extend([text.as_bytes(), self.separator.as_bytes()]);
        }
        covered.push(&webhook.body);
        Some(Signed {
            signatures,
            covered,
            secret_in_base64: matches!(self.format, Format::StandardWebhooks),
        })
    }
}

impl Signed<'_> {
    /// In constant time.
    pub(super) fn is_made_with(&self, secret: &str) -> bool {
        let key = if self.secret_in_base64 {
            let bare = secret.strip_prefix(STANDARD_WEBHOOKS_SECRET);
            STANDARD.decode(bare.unwrap_or(secret)).ok()
        } else {
            Some(secret.as_bytes().to_vec())
        };
        let Some(mut mac) = key.and_then(|key| Hmac::<Sha256>::new_from_slice(&key).ok()) else {
            tracing::error!("a webhook secret is not in the form that its scheme wants");
            return false;
        };
        for part in &self.covered {
            mac.update(part);
        }
        self.signatures
            .iter()
            .any(|signature| mac.clone().verify_slice(signature).is_ok())
    }
}

fn header<'w>(headers: &'w HeaderMap, name: &str) -> Option<&'w str> {
    headers.get(name)?.to_str().ok()
}

fn decoded(encoding: SignatureEncoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        SignatureEncoding::Base64 => STANDARD.decode(text).ok(),
        SignatureEncoding::Hex => {
            let digits = text.as_bytes().chunks(2);
            digits
                .map(|pair| {
                    let [high, low] = pair.try_into().ok()?;
                    let digit = |c: u8| char::from(c).to_digit(16);
                    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
                })
                .collect()
        }
    }
}

/// Seconds since 1970, or RFC 3339 in UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
    let since = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_rfc3339(text)
            .ok()?
            .duration_since(UNIX_EPOCH)
            .ok()?,
    };
    Some(Timestamp(0) + since)
}
