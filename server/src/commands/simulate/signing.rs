//! The flags of `parloir simulate` that say how webhooks prove where they come from.

use clap::{Args, ValueEnum};
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::simulate::{Encoding, HmacSigning, Signing, Timestamp, TimestampForm};

/// How webhooks prove where they come from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Webhook verification")]
pub struct SigningArgs {
    /// The scheme, as the agent's `webhook` setting in Parloir's configuration
    #[arg(long = "webhook-scheme", value_enum, default_value_t = Scheme::None, value_name = "SCHEME")]
    pub scheme: Scheme,
    /// The secret or the token; needed by every scheme but none
    #[arg(
        long = "webhook-secret",
        env = "PARLOIR_SIMULATE_WEBHOOK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub secret: Option<SecretString>,
    /// `static_header`, `hmac`: the header that carries the secret or the signature
    #[arg(
        long = "webhook-header",
        default_value = "X-Webhook-Signature",
        value_name = "NAME"
    )]
    pub header: String,
    /// `hmac`: how the signature is written
    #[arg(long = "webhook-encoding", value_enum, default_value_t = EncodingWord::Hex, value_name = "ENCODING")]
    pub encoding: EncodingWord,
    /// `hmac`: what stands before the signature in its header, such as `sha256=`
    #[arg(long = "webhook-prefix", default_value = "", value_name = "TEXT")]
    pub prefix: String,
    /// `hmac`: the header of a timestamp that is signed before the body [default: none, the body alone is
    /// signed]
    #[arg(long = "webhook-timestamp-header", value_name = "NAME")]
    pub timestamp_header: Option<String>,
    /// `hmac`: what stands between timestamp and body in the signed text
    #[arg(long = "webhook-separator", default_value = "", value_name = "TEXT")]
    pub separator: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Scheme {
    /// Nothing
    None,
    /// A token as the last segment of the URL
    UrlToken,
    /// The secret itself in a header
    StaticHeader,
    /// HMAC-SHA256 of the body in a header
    Hmac,
    /// HMAC-SHA256 as Zendesk Support signs its webhooks
    ZendeskSupport,
    /// HMAC-SHA256 as Standard Webhooks describes it
    StandardWebhooks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EncodingWord {
    Hex,
    Base64,
}

impl SigningArgs {
    /// How the simulator signs; an error is the remedy.
    pub(super) fn read(&self) -> Result<Signing, String> {
        if self.scheme == Scheme::None {
            return Ok(Signing::None);
        }
        let secret = self.secret.clone().ok_or(
            "this --webhook-scheme needs a secret; give --webhook-secret or PARLOIR_SIMULATE_WEBHOOK_SECRET",
        )?;
        check_header("--webhook-header", &self.header)?;
        Ok(match self.scheme {
            Scheme::None => Signing::None,
            Scheme::UrlToken => Signing::UrlToken {
                query: None,
                token: secret,
            },
            Scheme::StaticHeader => {
                HeaderValue::try_from(secret.expose_secret())
                    .map_err(|_| "no header can carry this --webhook-secret; use visible ASCII")?;
                Signing::StaticHeader {
                    name: self.header.clone(),
                    value: secret,
                }
            }
            Scheme::Hmac => Signing::Hmac(self.hmac(secret)?),
            Scheme::ZendeskSupport => {
                Signing::Hmac(HmacSigning::zendesk_support(secret.expose_secret()))
            }
            Scheme::StandardWebhooks => Signing::StandardWebhooks { secret },
        })
    }

    fn hmac(&self, secret: SecretString) -> Result<HmacSigning, String> {
        HeaderValue::try_from(&self.prefix)
            .map_err(|_| "no header can carry this --webhook-prefix; use visible ASCII")?;
        if let Some(header) = &self.timestamp_header {
            check_header("--webhook-timestamp-header", header)?;
        }
        let timestamp = self.timestamp_header.clone();
        Ok(HmacSigning {
            secret,
            header: self.header.clone(),
            encoding: match self.encoding {
                EncodingWord::Hex => Encoding::Hex,
                EncodingWord::Base64 => Encoding::Base64,
            },
            prefix: self.prefix.clone(),
            timestamp: timestamp.map(|header| Timestamp {
                header,
                form: TimestampForm::UnixSeconds,
                separator: self.separator.clone(),
            }),
        })
    }
}

fn check_header(flag: &str, name: &str) -> Result<(), String> {
    let valid = HeaderName::try_from(name).map(|_| ());
    valid.map_err(|_| format!("{flag} is no header name; use letters, digits and hyphens"))
}
