//! The access token: fetched with the app's credentials, kept until it ends, and fetched anew where it is refused.

use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::config::HelpScoutConfig;
use crate::{
    domain::{
        Clock, Timestamp,
        outbound::{Refusal, Sent},
    },
    outgoing,
    secret::Secret,
    sources::ending,
};

/// A token is not used any more this long before its end, so that none ends on its way.
const MARGIN: Duration = Duration::from_mins(1);
/// How long a token counts whose answer does not say.
const UNSAID: Duration = Duration::from_hours(1);

/// The one token of a source.
pub(super) struct Tokens {
    source: String,
    url: Url,
    app_id: String,
    app_secret: Secret,
    max_response_bytes: usize,
    clock: Arc<dyn Clock>,
    /// Locked while one is fetched, so that many requests at once fetch one.
    held: Mutex<Option<Held>>,
}

struct Held {
    token: SecretString,
    until: Timestamp,
}

impl Tokens {
    pub(super) fn new(
        source: &str,
        url: Url,
        config: &HelpScoutConfig,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            source: source.to_owned(),
            url,
            app_id: config.app_id.clone(),
            app_secret: config.app_secret.clone(),
            max_response_bytes: config.max_response_bytes,
            clock,
            held: Mutex::new(None),
        }
    }

    /// A token that counts, and is not `refused`. An error says how a request ended that was never sent for the lack
    /// of one.
    pub(super) async fn get(
        &self,
        http: &outgoing::Client,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, Sent> {
        let mut held = self.held.lock().await;
        let is_refused = |token: &SecretString| {
            refused.is_some_and(|refused| refused.expose_secret() == token.expose_secret())
        };
        if let Some(held) = held.as_ref()
            && self.clock.now() < held.until
            && !is_refused(&held.token)
        {
            return Ok(held.token.clone());
        }
        *held = None;
        let fetched = self.fetch(http).await?;
        let token = fetched.token.clone();
        *held = Some(fetched);
        Ok(token)
    }

    #[cfg(test)]
    pub(super) fn put(&self, token: &str) {
        let held = Held {
            token: token.into(),
            until: self.clock.now() + UNSAID,
        };
        *self.held.try_lock().expect("nobody fetches one") = Some(held);
    }

    async fn fetch(&self, http: &outgoing::Client) -> Result<Held, Sent> {
        let secret = self.app_secret.read().map_err(|error| {
            tracing::error!(source = self.source, %error, "the app's secret cannot be read");
            Sent::NotSent
        })?;
        let asked = json!({
            "grant_type": "client_credentials",
            "client_id": self.app_id,
            "client_secret": secret.expose_secret(),
        });
        let answer = http.post(self.url.clone()).json(&asked).send().await;
        // Whatever became of this request, the one that needs the token has not been sent.
        let response = answer.map_err(|error| {
            ending::without_answer(&self.source, &error);
            Sent::NotSent
        })?;
        if !response.status().is_success() {
            return Err(self.refused(&response));
        }
        let body = outgoing::whole_body(response, self.max_response_bytes).await;
        let body: Option<Value> = body.and_then(|body| serde_json::from_slice(&body).ok());
        let body = body.unwrap_or_default();
        let Some(token) = body["access_token"].as_str() else {
            tracing::warn!(source = self.source, "an access token's answer holds none");
            return Err(Sent::NotSent);
        };
        let lasts = body["expires_in"].as_u64().map(Duration::from_secs);
        let lasts = lasts.map_or(UNSAID, |lasts| lasts.saturating_sub(MARGIN));
        Ok(Held {
            token: token.into(),
            until: self.clock.now() + lasts,
        })
    }

    fn refused(&self, response: &Response) -> Sent {
        let status = response.status();
        tracing::warn!(source = self.source, %status, "no access token was given");
        match status {
            StatusCode::TOO_MANY_REQUESTS => Sent::Busy {
                retry_after: super::api::retry_after(response.headers()),
            },
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let why = "no access token is given for this app_id and app_secret";
                ending::refused(Refusal::Credentials, why, &[])
            }
            _ => Sent::NotSent,
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("app_id", &self.app_id)
            .field("app_secret", &self.app_secret)
            .finish_non_exhaustive()
    }
}
