//! REST out: one request to Help Scout, and what its ending means.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{config::HelpScoutConfig, conversation::embedded, token::Tokens};
use crate::{
    config::SourceConfig,
    domain::{
        Clock,
        outbound::{Refusal, Sent},
    },
    outgoing::{self, Limits},
    sources::ending,
};

/// How long a refusal's words are waited for. The status has decided already; the words only help people.
const DETAIL_WAIT: Duration = Duration::from_secs(1);

/// One account's API.
#[derive(Debug)]
pub(super) struct Api {
    /// For the log.
    source: String,
    http: outgoing::Client,
    base: String,
    pub(super) tokens: Tokens,
    max_response_bytes: usize,
}

impl Api {
    pub(super) fn new(
        source: &SourceConfig,
        config: &HelpScoutConfig,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let base = config.base_url.trim_end_matches('/').to_owned();
        let limits = Limits {
            base: base.parse().context("base_url is not a URL")?,
            connect_timeout: config.connect_timeout,
            read_timeout: config.connect_timeout + source.send_timeout,
            allow_private_addresses: config.allow_private_addresses,
        };
        let url: Url = format!("{base}/oauth2/token")
            .parse()
            .context("base_url is not a URL")?;
        Ok(Self {
            source: source.name.clone(),
            http: outgoing::client(&limits).context("base_url")?,
            base,
            tokens: Tokens::new(&source.name, url, config, clock),
            max_response_bytes: config.max_response_bytes,
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Sent> {
        let response = self.send(&Method::GET, path, None).await?;
        let body = outgoing::whole_body(response, self.max_response_bytes).await;
        let body = body.and_then(|body| serde_json::from_slice(&body).ok());
        body.ok_or_else(|| {
            tracing::warn!(
                source = self.source,
                "an answer did not come whole, or is too long"
            );
            Sent::Unclear
        })
    }

    /// Answers the id of what was made, where something was.
    pub(super) async fn write(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
    ) -> Result<Option<String>, Sent> {
        let response = self.send(method, path, Some(body)).await?;
        let made = response.headers().get("resource-id");
        let made = made.and_then(|made| made.to_str().ok());
        Ok(made.map(str::to_owned))
    }

    /// One request. A token that is refused was certainly not looked behind: then once more, with another.
    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Sent> {
        let token = self.tokens.get(&self.http, None).await?;
        let response = self.send_with(&token, method, path, body).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return self.ended(response, &token).await;
        }
        let token = self.tokens.get(&self.http, Some(&token)).await?;
        let response = self.send_with(&token, method, path, body).await?;
        self.ended(response, &token).await
    }

    async fn send_with(
        &self,
        token: &SecretString,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Sent> {
        let value = format!("Bearer {}", token.expose_secret());
        let mut authorization = HeaderValue::from_str(&value).map_err(|_| Sent::NotSent)?;
        authorization.set_sensitive(true);
        let url = format!("{}/{path}", self.base);
        let mut request = self.http.request(method.clone(), url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.header(AUTHORIZATION, authorization).send().await;
        answer.map_err(|error| ending::without_answer(&self.source, &error))
    }

    /// What an answer means.
    async fn ended(&self, response: Response, token: &SecretString) -> Result<Response, Sent> {
        let refusal = match response.status() {
            status if status.is_success() => return Ok(response),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Err(Sent::Busy {
                    retry_after: retry_after(response.headers()),
                });
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Credentials,
            StatusCode::NOT_FOUND | StatusCode::GONE => Refusal::Unreachable,
            StatusCode::REQUEST_TIMEOUT => return Err(Sent::Unclear),
            status if status.is_client_error() => Refusal::Request,
            status => {
                tracing::warn!(source = self.source, %status, "the answer does not tell whether it was done");
                return Err(Sent::Unclear);
            }
        };
        let status = response.status().as_u16();
        let body = outgoing::whole_body(response, self.max_response_bytes);
        let body = tokio::time::timeout(DETAIL_WAIT, body).await.ok().flatten();
        let body = body.and_then(|body| serde_json::from_slice(&body).ok());
        let said = format!("HTTP {status}: {}", said(&body.unwrap_or_default()));
        Err(ending::refused(refusal, &said, &[token.expose_secret()]))
    }
}

/// How long it wants to be left alone.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    ending::seconds(headers, "x-ratelimit-retry-after")
        .or_else(|| ending::seconds(headers, RETRY_AFTER.as_str()))
}

/// What a refusal says, without the values that it may repeat.
fn said(body: &Value) -> String {
    let errors = embedded(body, "errors").iter().map(|error| {
        let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", part("path"), part("message"))
    });
    let whole = body["message"].as_str().map(str::to_owned);
    whole
        .into_iter()
        .chain(errors)
        .collect::<Vec<_>>()
        .join("; ")
}
