//! REST out: one request for a conversation, and what its ending means.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::Context;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};

use super::{
    config::{MetadataField, ZendeskConfig},
    keys::Keys,
    request::{self, Body},
};
use crate::{
    config::AgentConfig,
    domain::{
        Clock, Timestamp,
        outbound::{Outbound, Refusal, Sent},
        ports::Probed,
        redact::Redactor,
    },
    outgoing::{self, Limits},
    secret::SecretError,
};

const BOT_ID: HeaderName = HeaderName::from_static("botid");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long a refusal's words are waited for. The status has decided already; the words only help people.
const DETAIL_WAIT: Duration = Duration::from_secs(1);

/// One agent's end of the API.
#[derive(Debug)]
pub(super) struct Client {
    /// For the log.
    agent: String,
    http: outgoing::Client,
    /// Without a slash at its end.
    base: String,
    bot_id: HeaderValue,
    keys: Keys,
    authorization_prefix: String,
    metadata_field: MetadataField,
    max_response_bytes: usize,
    clock: Arc<dyn Clock>,
}

impl Client {
    /// The agent's `send_timeout` bounds the wait for an answer, should the caller not.
    pub(super) fn new(
        agent: &AgentConfig,
        config: &ZendeskConfig,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let base: Url = config.base_url.parse().context("base_url is not a URL")?;
        let limits = Limits {
            base,
            connect_timeout: config.connect_timeout,
            read_timeout: config.connect_timeout + agent.send_timeout,
            allow_private_addresses: config.allow_private_addresses,
        };
        Ok(Self {
            agent: agent.name.clone(),
            http: outgoing::client(&limits).context("base_url")?,
            base: config.base_url.trim_end_matches('/').to_owned(),
            bot_id: config.bot_id.parse().context("bot_id is not a header")?,
            keys: Keys::new(&config.api_key, config.previous_api_key.as_ref()),
            authorization_prefix: config.authorization_prefix.clone(),
            metadata_field: config.metadata_field,
            max_response_bytes: config.max_response_bytes,
            clock,
        })
    }

    pub(super) fn has_other_key(&self) -> bool {
        self.keys.only(true).is_some()
    }

    /// Tries once with one key alone, and tells the status beside what it means. Which key worked last stays as it is.
    pub(super) async fn ask(&self, with_other_key: bool, outbound: &Outbound) -> Probed {
        match self.keys.only(with_other_key) {
            Some(Ok(key)) => self.ask_with(&key, outbound).await,
            Some(Err(error)) => {
                self.unreadable(&error);
                Sent::NotSent.into()
            }
            None => Sent::NotSent.into(),
        }
    }

    /// Tries once. A key that is refused was certainly not looked behind: then once more with the other one, where there
    /// is one.
    pub(super) async fn send(&self, outbound: &Outbound) -> Sent {
        // Read anew for each request: making a new key ends the old one at once.
        let keys = match self.keys.in_order() {
            Ok(keys) => keys,
            Err(error) => {
                self.unreadable(&error);
                return Sent::NotSent;
            }
        };
        let mut sent = Sent::NotSent;
        for key in keys {
            sent = self.ask_with(&key.text, outbound).await.sent;
            match &sent {
                Sent::Refused {
                    refusal: Refusal::Credentials,
                    ..
                } => {}
                // Nobody looked at the key.
                Sent::NotSent | Sent::Unclear => return sent,
                _ => {
                    if self.keys.worked(&key) {
                        tracing::info!(agent = self.agent, "the agent's other API key is in force");
                    }
                    return sent;
                }
            }
        }
        sent
    }

    fn unreadable(&self, error: &SecretError) {
        tracing::error!(agent = self.agent, %error, "the agent's API key cannot be read");
    }

    async fn ask_with(&self, key: &SecretString, outbound: &Outbound) -> Probed {
        let prepared = self.headers(key.expose_secret()).and_then(|headers| {
            let url: Url = format!("{}{}", self.base, request::path(&outbound.content)).parse()?;
            let body = Body::new(outbound, self.metadata_field);
            Ok((url, headers, serde_json::to_vec(&body)?))
        });
        let (url, headers, body) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!(agent = self.agent, %error, "the request to the agent cannot be written");
                return Sent::NotSent.into();
            }
        };
        let request = self.http.post(url).headers(headers).body(body);
        match request.send().await {
            Ok(response) => {
                let redactor = Redactor::new(key.expose_secret(), outbound);
                let status = Some(response.status().as_u16());
                let sent = self.outcome(response, &redactor).await;
                Probed { sent, status }
            }
            Err(error) => self.ended_without_answer(&error).into(),
        }
    }

    fn headers(&self, key: &str) -> anyhow::Result<HeaderMap> {
        let authorization = format!("{}{key}", self.authorization_prefix);
        let mut authorization = HeaderValue::from_bytes(authorization.as_bytes())
            .context("the API key holds what no header may")?;
        authorization.set_sensitive(true);
        Ok(HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (BOT_ID, self.bot_id.clone()),
            (CONTENT_TYPE, JSON),
            (ACCEPT, JSON),
        ]))
    }

    /// What an answer means. With a 2xx everything is said: its body is not even read.
    async fn outcome(&self, response: Response, redactor: &Redactor) -> Sent {
        let refusal = match response.status() {
            status if status.is_success() => return Sent::Acknowledged,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Sent::Busy {
                    retry_after: retry_after(response.headers(), self.clock.now()),
                };
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Credentials,
            StatusCode::NOT_FOUND => Refusal::AgentUnknown,
            StatusCode::REQUEST_TIMEOUT => return Sent::Unclear,
            status if status.is_client_error() => Refusal::Request,
            status => {
                tracing::warn!(agent = self.agent, %status, "the agent's answer does not tell whether it took the request");
                return Sent::Unclear;
            }
        };
        let body = outgoing::whole_body(response, self.max_response_bytes);
        // Cut anywhere, a body could end within a secret, where it would not be recognised: then none of it is shown.
        let body = tokio::time::timeout(DETAIL_WAIT, body)
            .await
            .ok()
            .flatten()
            .unwrap_or_default();
        Sent::Refused {
            refusal,
            detail: redactor.detail(&body),
        }
    }

    /// Without a connection nothing was sent; after that nobody can tell.
    fn ended_without_answer(&self, error: &reqwest::Error) -> Sent {
        if outgoing::unanswered(&self.agent, error) {
            Sent::NotSent
        } else {
            Sent::Unclear
        }
    }
}

/// `Retry-After` in seconds or as a date. What is neither counts as not given.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    Some((Timestamp(0) + since).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        // 1994-11-06 08:49:00 UTC.
        retry_after(&headers, Timestamp(784_111_740_000_000))
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(parsed("7"), Some(Duration::from_secs(7)));
        let date = parsed("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date, Some(Duration::from_secs(37)));
        let past = parsed("Sun, 06 Nov 1994 08:00:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(parsed("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp(0)), None);
    }
}
