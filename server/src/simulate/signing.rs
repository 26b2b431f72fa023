//! How a webhook proves where it comes from: nothing, a token, a header, or a keyed hash.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::conversation::new_id;
use super::hex;

/// The ways that Parloir can verify, seen from the sender.
#[derive(Clone, Debug)]
pub enum Signing {
    None,
    /// A token in the URL: as its last path segment, or as the value of a query parameter.
    UrlToken {
        query: Option<String>,
        token: SecretString,
    },
    /// The secret itself in a header.
    StaticHeader {
        name: String,
        value: SecretString,
    },
    /// HMAC-SHA256 in a header.
    Hmac(HmacSigning),
    /// As Standard Webhooks describes it, with a new `webhook-id` for each request. The secret is base64,
    /// with or without `whsec_`; one that is not is taken as it stands.
    StandardWebhooks {
        secret: SecretString,
    },
}

/// The knobs of [`Signing::Hmac`].
#[derive(Clone, Debug)]
pub struct HmacSigning {
    pub secret: SecretString,
    /// The header that carries the hash.
    pub header: String,
    pub encoding: Encoding,
    /// Text before the hash in its header, such as `sha256=`.
    pub prefix: String,
    /// Where a timestamp travels that is signed before the body. Absent: the body alone is signed.
    pub timestamp: Option<Timestamp>,
}

/// A signed timestamp: its header, its form, and what stands between it and the body in the signed text.
#[derive(Clone, Debug)]
pub struct Timestamp {
    pub header: String,
    pub form: TimestampForm,
    pub separator: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Hex,
    Base64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampForm {
    UnixSeconds,
    /// As in `2026-03-25T05:09:27Z`.
    Rfc3339,
}

impl HmacSigning {
    /// The hash of the body in hexadecimal, in `header`.
    pub fn body(secret: &str, header: &str) -> Self {
        Self {
            secret: secret.into(),
            header: header.to_owned(),
            encoding: Encoding::Hex,
            prefix: String::new(),
            timestamp: None,
        }
    }

    /// As Zendesk Support signs its webhooks: base64 over timestamp and body with nothing between.
    pub fn zendesk_support(secret: &str) -> Self {
        Self {
            secret: secret.into(),
            header: "X-Zendesk-Webhook-Signature".to_owned(),
            encoding: Encoding::Base64,
            prefix: String::new(),
            timestamp: Some(Timestamp {
                header: "X-Zendesk-Webhook-Signature-Timestamp".to_owned(),
                form: TimestampForm::Rfc3339,
                separator: String::new(),
            }),
        }
    }

    fn sign(&self, body: &[u8], now: SystemTime) -> Vec<(&str, String)> {
        let mut mac = keyed(self.secret.expose_secret().as_bytes());
        let mut headers = Vec::new();
        if let Some(timestamp) = &self.timestamp {
            let text = timestamp.form.write(now);
            mac.update(text.as_bytes());
            mac.update(timestamp.separator.as_bytes());
            headers.push((timestamp.header.as_str(), text));
        }
        mac.update(body);
        let hash = self.encoding.write(&mac.finalize().into_bytes());
        headers.push((&self.header, format!("{}{hash}", self.prefix)));
        headers
    }
}

impl Signing {
    /// `url` with the token in it, if that is where it goes.
    pub(super) fn url(&self, url: &str) -> String {
        match self {
            Self::UrlToken { query: None, token } => {
                format!("{}/{}", url.trim_end_matches('/'), token.expose_secret())
            }
            Self::UrlToken {
                query: Some(name),
                token,
            } => {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}{name}={}", token.expose_secret())
            }
            _ => url.to_owned(),
        }
    }

    /// The headers that prove `body`, sent at `now`. One that no header can carry is left out.
    pub(super) fn headers(&self, body: &[u8], now: SystemTime) -> HeaderMap {
        let pairs = match self {
            Self::None | Self::UrlToken { .. } => Vec::new(),
            Self::StaticHeader { name, value } => {
                vec![(name.as_str(), value.expose_secret().to_owned())]
            }
            Self::Hmac(hmac) => hmac.sign(body, now),
            Self::StandardWebhooks { secret } => standard_webhook(new_id(), secret, body, now),
        };
        let parse = |(name, value): (&str, String)| {
            let name = HeaderName::try_from(name).ok()?;
            let mut value = HeaderValue::try_from(value).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        };
        pairs.into_iter().filter_map(parse).collect()
    }
}

pub(super) fn standard_webhook(
    id: String,
    secret: &SecretString,
    body: &[u8],
    now: SystemTime,
) -> Vec<(&'static str, String)> {
    let secret = secret.expose_secret();
    let secret = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(secret);
    let mut mac = keyed(key.as_deref().unwrap_or(secret.as_bytes()));
    let timestamp = TimestampForm::UnixSeconds.write(now);
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let hash = STANDARD.encode(mac.finalize().into_bytes());
    vec![
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", format!("v1,{hash}")),
    ]
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl Encoding {
    fn write(self, hash: &[u8]) -> String {
        match self {
            Self::Hex => hex(hash),
            Self::Base64 => STANDARD.encode(hash),
        }
    }
}

impl TimestampForm {
    fn write(self, now: SystemTime) -> String {
        match self {
            Self::UnixSeconds => now
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
                .to_string(),
            Self::Rfc3339 => humantime::format_rfc3339_seconds(now).to_string(),
        }
    }
}
