//! How a webhook proves where it comes from: nothing, a token, a header, or a keyed hash.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

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
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// RFC 4231, test case 2.
    const KNOWN: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn the_hash_of_a_body_is_the_one_that_the_rfc_gives() {
        let signing = Signing::Hmac(HmacSigning::body("Jefe", "x-signature"));
        let headers = signing.headers(b"what do ya want for nothing?", SystemTime::now());
        assert_eq!(headers["x-signature"], KNOWN);
    }

    #[test]
    fn a_timestamp_is_signed_before_the_body_and_travels_in_its_own_header() {
        let mut hmac = HmacSigning::body("Jefe", "x-signature");
        hmac.prefix = "sha256=".to_owned();
        hmac.timestamp = Some(Timestamp {
            header: "x-timestamp".to_owned(),
            form: TimestampForm::UnixSeconds,
            separator: ".".to_owned(),
        });
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(17);
        let headers = Signing::Hmac(hmac).headers(b"body", now);
        assert_eq!(headers["x-timestamp"], "17");
        let plain = Signing::Hmac(HmacSigning::body("Jefe", "x-signature"));
        let expected = plain.headers(b"17.body", now);
        let expected = expected["x-signature"].to_str().unwrap();
        assert_eq!(headers["x-signature"], format!("sha256={expected}"));
    }

    #[test]
    fn a_token_stands_in_the_path_or_in_the_query() {
        let token = |query: Option<&str>| Signing::UrlToken {
            query: query.map(str::to_owned),
            token: "t0k".into(),
        };
        assert_eq!(token(None).url("http://h/w/"), "http://h/w/t0k");
        assert_eq!(token(Some("k")).url("http://h/w"), "http://h/w?k=t0k");
        assert_eq!(
            token(Some("k")).url("http://h/w?a=b"),
            "http://h/w?a=b&k=t0k"
        );
    }
}
