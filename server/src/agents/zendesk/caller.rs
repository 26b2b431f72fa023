//! Calls to the platform outside of any conversation: with the organization's key, where there is one.

use std::time::Duration;

use anyhow::Context;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{config::ZendeskConfig, keys::Keys};
use crate::{
    domain::redact::Redactor,
    outgoing::{self, Limits},
    secret::SecretError,
};

const BOT_ID: HeaderName = HeaderName::from_static("botid");
const ORGANIZATION_ID: HeaderName = HeaderName::from_static("organizationid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long an answer, or the next piece of it, may take. Nobody in a conversation waits, and the platform may have to
/// look through a whole day first: a minute.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes of a refusal that are read.
const MAX_REFUSAL: usize = 64 * 1024;

/// Asks the platform for what concerns a bot as a whole.
#[derive(Debug)]
pub(super) struct Caller {
    http: outgoing::Client,
    base: String,
    bot_id: HeaderValue,
    organization_id: Option<HeaderValue>,
    keys: Keys,
    /// Before the key.
    prefix: String,
}

/// Why a call was not answered as wished. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    #[error("nothing was sent: {0}")]
    NotSent(String),
    #[error("the platform did not answer, so nobody can tell what it did: {0}")]
    Unclear(String),
    #[error(
        "the platform refused the credentials ({0}): check bot_id, organization_id, and organization_key or api_key"
    )]
    Credentials(StatusCode),
    #[error("the platform answered {status}{}{detail}", if detail.is_empty() { "" } else { ": " })]
    Refused { status: StatusCode, detail: String },
}

/// What came back, and what must not be repeated of it.
pub(super) struct Answer {
    pub(super) response: Response,
    redactor: Redactor,
}

impl Caller {
    pub(super) fn new(config: &ZendeskConfig) -> anyhow::Result<Self> {
        let base: Url = config.base_url.parse().context("base_url is not a URL")?;
        let limits = Limits {
            base,
            connect_timeout: config.connect_timeout,
            read_timeout: PATIENCE,
            allow_private_addresses: config.allow_private_addresses,
        };
        let organization_id = config.organization_id.as_deref().map(HeaderValue::from_str);
        let (keys, prefix) = match &config.organization_key {
            Some(key) => (
                Keys::new(key, config.previous_organization_key.as_ref()),
                "",
            ),
            None => (
                Keys::new(&config.api_key, config.previous_api_key.as_ref()),
                config.authorization_prefix.as_str(),
            ),
        };
        Ok(Self {
            http: outgoing::client(&limits).context("base_url")?,
            base: config.base_url.trim_end_matches('/').to_owned(),
            bot_id: config.bot_id.parse().context("bot_id is not a header")?,
            organization_id: organization_id
                .transpose()
                .context("organization_id is not a header")?,
            keys,
            prefix: prefix.to_owned(),
        })
    }

    /// Posts once, and once more with the other key, where there is one, if the first is refused: then nothing was done.
    /// What the platform answers, whatever its status.
    pub(super) async fn post(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Answer, CallFault> {
        let keys = self.keys.in_order().map_err(|error| not_sent(&error))?;
        let mut refused = None;
        for key in keys {
            let request = self
                .prepare(&key.text, path, body)
                .map_err(|error| CallFault::NotSent(format!("{error:#}")))?;
            let response = request.send().await.map_err(|error| fault(&error))?;
            let answer = Answer {
                response,
                redactor: Redactor::knowing([key.text.expose_secret()].into_iter()),
            };
            if !answer.refuses_key() {
                self.keys.worked(&key);
                return Ok(answer);
            }
            refused = Some(answer);
        }
        refused.ok_or_else(|| CallFault::NotSent("there is no key to show".to_owned()))
    }

    fn prepare(
        &self,
        key: &SecretString,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<reqwest::RequestBuilder> {
        let url: Url = format!("{}{path}", self.base).parse()?;
        let authorization = format!("{}{}", self.prefix, key.expose_secret());
        let mut authorization = HeaderValue::from_bytes(authorization.as_bytes())
            .context("the key holds what no header may")?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (BOT_ID, self.bot_id.clone()),
            (CONTENT_TYPE, JSON),
            (ACCEPT, JSON),
        ]);
        if let Some(id) = &self.organization_id {
            headers.insert(ORGANIZATION_ID, id.clone());
        }
        let body = serde_json::to_vec(body)?;
        Ok(self.http.post(url).headers(headers).body(body))
    }
}

impl Answer {
    fn refuses_key(&self) -> bool {
        let status = self.response.status();
        matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// What an answer means that is no success.
    pub(super) async fn fault(self) -> CallFault {
        let status = self.response.status();
        if self.refuses_key() {
            return CallFault::Credentials(status);
        }
        // Cut anywhere, a body could end within the key, where it would not be recognised: then none of it is shown.
        let body = outgoing::whole_body(self.response, MAX_REFUSAL).await;
        CallFault::Refused {
            status,
            detail: self.redactor.detail(&body.unwrap_or_default()),
        }
    }
}

/// The causes alone: the error's own text holds the URL, which may be as good as a key.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let causes: Vec<_> =
        std::iter::successors(std::error::Error::source(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
    causes.join(": ")
}

fn fault(error: &reqwest::Error) -> CallFault {
    let causes = causes(error);
    if error.is_connect() || error.is_builder() {
        CallFault::NotSent(causes)
    } else {
        CallFault::Unclear(causes)
    }
}

fn not_sent(error: &SecretError) -> CallFault {
    CallFault::NotSent(error.to_string())
}
