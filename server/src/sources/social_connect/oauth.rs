//! OAuth: where a person grants access, the exchange of the code that comes back, and the renewal of a token.

use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;
use reqwest::Url;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{
    config::{Ownership, SocialConnectConfig},
    escape::pairs,
};
use crate::{
    domain::Clock,
    outgoing::{self, Limits},
    secret::Secret,
};

/// How long an exchange may take, from the connection to the last byte. 30 s, as the vendor's own clients allow.
const PATIENCE: Duration = Duration::from_secs(30);
/// A token's answer is a few hundred bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Errors that say nothing of our credentials.
const PASSING: &[&str] = &[
    "rate_limit_reached",
    "internal_server_error",
    "server_error",
    "temporarily_unavailable",
];

/// What was granted, as the token file holds it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub access_token: String,
    /// Empty: it cannot be renewed.
    #[serde(default)]
    pub refresh_token: String,
    /// Seconds since 1970; absent: it does not expire.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// Tokens are never printed.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OAuthError {
    /// It was not asked.
    #[error("the OAuth host cannot be reached")]
    NotReached,
    /// It was asked, and its answer is of no use.
    #[error("the OAuth host gave no answer that can be used")]
    Unclear,
    /// It was asked and refused.
    #[error("the OAuth host refused: {0}")]
    Refused(String),
    /// Something of ours is missing or cannot be read.
    #[error("{0}")]
    Ours(String),
}

/// Our application at the OAuth host.
#[derive(Debug)]
pub struct OAuth {
    http: outgoing::Client,
    host: String,
    client_id: String,
    client_secret: Secret,
    scopes: &'static str,
    clock: Arc<dyn Clock>,
}

impl OAuth {
    /// Fails when the host lies where it may not.
    pub fn new(config: &SocialConnectConfig, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let limits = Limits {
            base: config.oauth_host.parse()?,
            connect_timeout: config.connect_timeout,
            read_timeout: PATIENCE,
            allow_private_addresses: config.allow_private_addresses,
        };
        Ok(Self {
            http: outgoing::client(&limits)?,
            host: config.oauth_host.trim_end_matches('/').to_owned(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone().unwrap_or_default(),
            scopes: match config.ownership {
                Ownership::Handover => "accounts_read accounts_write accounts_handover",
                Ownership::Tag => "accounts_read accounts_write",
            },
            clock,
        })
    }

    /// Where a person grants what we need. `state` comes back with the code.
    pub fn authorize_url(&self, state: &str) -> String {
        let query = pairs(&[
            ("client_id", &self.client_id),
            ("response_type", "code"),
            ("scope", self.scopes),
            ("state", state),
        ]);
        format!("{}/oauth/authorize/?{query}", self.host)
    }

    /// The first tokens, for the code that came back.
    pub async fn exchange(&self, code: &str) -> Result<Grant, OAuthError> {
        self.ask("authorization_code", ("code", code)).await
    }

    /// The next tokens.
    pub(super) async fn refresh(&self, refresh_token: &str) -> Result<Grant, OAuthError> {
        let mut next = self
            .ask("refresh_token", ("refresh_token", refresh_token))
            .await?;
        if next.refresh_token.is_empty() {
            refresh_token.clone_into(&mut next.refresh_token);
        }
        Ok(next)
    }

    async fn ask(&self, grant: &str, (name, value): (&str, &str)) -> Result<Grant, OAuthError> {
        let secret = self.client_secret.read();
        let secret = secret.map_err(|error| OAuthError::Ours(error.to_string()))?;
        let query = pairs(&[
            ("client_id", &self.client_id),
            ("client_secret", secret.expose_secret()),
            ("grant_type", grant),
            (name, value),
        ]);
        // With GET, as the vendor's own client does: nobody has seen a POST work.
        let url = format!("{}/oauth/access_token/?{query}", self.host);
        let url =
            Url::parse(&url).map_err(|_| OAuthError::Ours("oauth_host is not a URL".to_owned()))?;
        let exchanged = tokio::time::timeout(PATIENCE, self.get(url)).await;
        exchanged.unwrap_or(Err(OAuthError::Unclear))
    }

    async fn get(&self, url: Url) -> Result<Grant, OAuthError> {
        let asked_at = self.clock.now().0 / 1_000_000;
        let answer = self.http.get(url).send().await;
        // The error holds the URL, and that the secret: nothing of it is kept.
        let answer = answer.map_err(|error| {
            if error.is_connect() {
                OAuthError::NotReached
            } else {
                OAuthError::Unclear
            }
        })?;
        let status = answer.status();
        let body = outgoing::whole_body(answer, MAX_ANSWER).await;
        let body = body.and_then(|body| serde_json::from_slice(&body).ok());
        granted(&body.ok_or(OAuthError::Unclear)?, status, asked_at)
    }
}

/// `asked_at` is the second from which the token's time counts: no later than it was made.
fn granted(answer: &Value, status: StatusCode, asked_at: i64) -> Result<Grant, OAuthError> {
    let error = answer["error"].as_str();
    if passes(status) || error.is_some_and(|error| PASSING.contains(&error)) {
        return Err(OAuthError::Unclear);
    }
    if let Some(error) = error {
        let name: String = error
            .chars()
            .filter(char::is_ascii_graphic)
            .take(100)
            .collect();
        return Err(OAuthError::Refused(name));
    }
    let token = answer["access_token"]
        .as_str()
        .filter(|token| status.is_success() && !token.is_empty());
    let lives = answer["expires_in"]
        .as_i64()
        .or_else(|| answer["expires_in"].as_str()?.parse().ok());
    Ok(Grant {
        access_token: token.ok_or(OAuthError::Unclear)?.to_owned(),
        refresh_token: answer["refresh_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        expires_at: lives.map(|lives| asked_at.saturating_add(lives)),
    })
}

/// It says nothing of our credentials, whatever its body says.
fn passes(status: StatusCode) -> bool {
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || passing.contains(&status)
}
