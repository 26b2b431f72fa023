//! How webhooks are verified: a scheme per agent, told apart by the name of its table.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    problem::Problems,
    section::{Kind, Part, Section, Setting, section},
};
use crate::secret::Secret;

/// How a webhook shows that it comes from the platform. Several secrets at a time let a rotation overlap: any of them
/// counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VerificationConfig {
    /// Not at all: whoever knows the address is believed.
    #[default]
    None,
    /// By a token in the address.
    UrlToken(UrlTokenConfig),
    /// By a header that carries a secret.
    StaticHeader(StaticHeaderConfig),
    /// By a signature.
    Hmac(HmacConfig),
    /// By a signature, as Zendesk Support signs its webhooks.
    ZendeskSupport(ZendeskSupportConfig),
    /// By a signature, as Standard Webhooks describes it.
    StandardWebhooks(StandardWebhooksConfig),
}

section! {
    /// A token in the address: `/webhooks/{agent}/{token}` or `/webhooks/{agent}?token={token}`.
    UrlTokenConfig {
        /// The tokens that are accepted, of 22 characters at least (128 bits). Addresses stand in many logs: prefer
        /// another scheme where the platform offers one.
        tokens: Vec<Secret>;
    }
}

section! {
    /// A header that carries a secret.
    StaticHeaderConfig {
        /// The header's name.
        header: String;
        /// The secrets that are accepted.
        secrets: Vec<Secret>;
    }
}

section! {
    /// A header with an HMAC-SHA256 over the raw body, or over a timestamp and the raw body.
    HmacConfig {
        /// The name of the header with the signature.
        header: String;
        /// The secrets that are accepted.
        secrets: Vec<Secret>;
        /// How the signature is written: `hex` or `base64`.
        encoding: SignatureEncoding = SignatureEncoding::Hex;
        /// What stands before the signature in the header, such as `sha256=`.
        prefix: String = String::new();
        /// The name of the header with the time of signing, in seconds since 1970 or as RFC 3339. Without it the body
        /// alone is signed, and an old webhook can be played again.
        timestamp_header: Option<String> = None;
        /// What stands between timestamp and body where both are signed.
        separator: String = String::new();
        /// How far the timestamp may be from our clock, either way.
        #[serde(with = "humantime_serde")]
        tolerance: Duration = TOLERANCE, "1s" to "1day";
    }
}

section! {
    /// A preset of `hmac`: `X-Zendesk-Webhook-Signature`, base64 over timestamp and body.
    ZendeskSupportConfig {
        /// The secrets that are accepted.
        secrets: Vec<Secret>;
        /// How far the timestamp may be from our clock, either way.
        #[serde(with = "humantime_serde")]
        tolerance: Duration = TOLERANCE, "1s" to "1day";
    }
}

section! {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    StandardWebhooksConfig {
        /// The secrets that are accepted, in base64 with or without `whsec_`.
        secrets: Vec<Secret>;
        /// How far the timestamp may be from our clock, either way.
        #[serde(with = "humantime_serde")]
        tolerance: Duration = TOLERANCE, "1s" to "1day";
    }
}

/// What Standard Webhooks advises.
const TOLERANCE: Duration = Duration::from_mins(5);

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureEncoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64 with the standard alphabet.
    Base64,
}

impl VerificationConfig {
    /// The reference of all schemes, under `at`.
    pub fn reference(at: &str) -> Vec<Part> {
        vec![
            Part::of::<UrlTokenConfig>(format!("{at}.url_token")),
            Part::of::<StaticHeaderConfig>(format!("{at}.static_header")),
            Part::of::<HmacConfig>(format!("{at}.hmac")),
            Part::of::<ZendeskSupportConfig>(format!("{at}.zendesk_support")),
            Part::of::<StandardWebhooksConfig>(format!("{at}.standard_webhooks")),
        ]
    }

    /// Whether the body is part of what shows who sent a webhook.
    pub fn signs_bodies(&self) -> bool {
        match self {
            Self::None | Self::UrlToken(_) | Self::StaticHeader(_) => false,
            Self::Hmac(_) | Self::ZendeskSupport(_) | Self::StandardWebhooks(_) => true,
        }
    }

    /// Reports what is missing or wrong. `at` is the key of the scheme's table.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        let headers = match self {
            Self::None => vec![],
            Self::UrlToken(scheme) => {
                scheme.check(&format!("{at}.url_token"), problems);
                vec![]
            }
            Self::StaticHeader(scheme) => {
                scheme.check(&format!("{at}.static_header"), problems);
                vec![("static_header.header", scheme.header.as_str())]
            }
            Self::Hmac(scheme) => {
                scheme.check(&format!("{at}.hmac"), problems);
                let timestamp = scheme
                    .timestamp_header
                    .as_deref()
                    .map(|name| ("hmac.timestamp_header", name));
                timestamp
                    .into_iter()
                    .chain([("hmac.header", scheme.header.as_str())])
                    .collect()
            }
            Self::ZendeskSupport(scheme) => {
                scheme.check(&format!("{at}.zendesk_support"), problems);
                vec![]
            }
            Self::StandardWebhooks(scheme) => {
                scheme.check(&format!("{at}.standard_webhooks"), problems);
                vec![]
            }
        };
        for (key, name) in headers {
            if !name.is_empty() && name.parse::<http::HeaderName>().is_err() {
                problems.add(
                    format!("{at}.{key}"),
                    "is not a header's name: letters, digits and hyphens, no colon",
                );
            }
        }
    }

    /// The secrets of the scheme with the key under which each list stands, and the least length that each may have.
    pub fn secrets(&self) -> (&'static str, &[Secret], usize) {
        match self {
            Self::None => ("", &[], 0),
            Self::UrlToken(scheme) => ("url_token.tokens", &scheme.tokens, 22),
            Self::StaticHeader(scheme) => ("static_header.secrets", &scheme.secrets, 1),
            Self::Hmac(scheme) => ("hmac.secrets", &scheme.secrets, 1),
            Self::ZendeskSupport(scheme) => ("zendesk_support.secrets", &scheme.secrets, 1),
            Self::StandardWebhooks(scheme) => ("standard_webhooks.secrets", &scheme.secrets, 1),
        }
    }
}

impl Setting for SignatureEncoding {
    const KIND: Kind = Kind::Choice(&["hex", "base64"]);
}

impl Setting for VerificationConfig {
    const KIND: Kind = Kind::Table;
}
