//! HMAC-SHA256 signatures of webhooks, with the knobs in which the schemes in use differ.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    config::verification::SignatureEncoding,
    domain::{Timestamp, Unverified, inbound::Webhook},
    verification::{from_base64, from_hex, one_header},
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
    /// Fails when a header is missing or malformed, or the timestamp too far from `now`.
    pub(super) fn read<'w>(
        &'w self,
        webhook: &'w Webhook,
        now: Timestamp,
    ) -> Result<Signed<'w>, Unverified> {
        let value = one_header(&webhook.headers, &self.header)?;
        let mut covered: Vec<&[u8]> = Vec::with_capacity(5);
        let signatures = match &self.format {
            Format::Plain { encoding, prefix } => vec![self.plain(*encoding, prefix, value)?],
            Format::StandardWebhooks => {
                let id = one_header(&webhook.headers, STANDARD_WEBHOOKS_ID)?;
                covered.extend([id.as_bytes(), self.separator.as_bytes()]);
                self.listed(value)?
            }
        };
        if let Some(name) = &self.timestamp_header {
            let text = one_header(&webhook.headers, name)?;
            self.check_time(name, text, now)?;
            covered.extend([text.as_bytes(), self.separator.as_bytes()]);
        }
        covered.push(&webhook.body);
        Ok(Signed {
            signatures,
            covered,
            secret_in_base64: matches!(self.format, Format::StandardWebhooks),
        })
    }

    fn plain(
        &self,
        encoding: SignatureEncoding,
        prefix: &str,
        value: &str,
    ) -> Result<Vec<u8>, Unverified> {
        let malformed = |expected| Unverified::malformed(&self.header, expected);
        let bare = value.strip_prefix(prefix);
        let bare = bare.ok_or_else(|| malformed("what begins with the configured prefix"))?;
        match encoding {
            SignatureEncoding::Hex => from_hex(bare.trim()).ok_or_else(|| malformed("hexadecimal")),
            SignatureEncoding::Base64 => {
                from_base64(bare.trim()).ok_or_else(|| malformed("base64"))
            }
        }
    }

    fn listed(&self, value: &str) -> Result<Vec<Vec<u8>>, Unverified> {
        let each = value.split(' ');
        let signatures: Vec<_> = each
            .filter_map(|one| from_base64(one.strip_prefix(STANDARD_WEBHOOKS_V1)?))
            .collect();
        if signatures.is_empty() {
            let expected = "a list of signatures with a v1, among them";
            return Err(Unverified::malformed(&self.header, expected));
        }
        Ok(signatures)
    }

    fn check_time(&self, name: &str, text: &str, now: Timestamp) -> Result<(), Unverified> {
        let malformed = || Unverified::malformed(name, "seconds since 1970 or RFC 3339 in UTC");
        let at = timestamp(text).ok_or_else(malformed)?;
        let (ahead, behind) = (at.since(now), now.since(at));
        if ahead.max(behind) <= self.tolerance {
            return Ok(());
        }
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Err(Unverified::Stale {
            header: name.to_owned(),
            skew_seconds: seconds(ahead) - seconds(behind),
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
