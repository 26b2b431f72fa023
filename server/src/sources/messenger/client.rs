//! The Graph API: one call on the page, and how it ended.

use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use http::{Method, StatusCode, header::AUTHORIZATION};
use reqwest::{RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    MessengerConfig,
    fault::{Fault, Meaning},
};
use crate::{
    config::SourceConfig,
    outgoing::{self, Limits},
    secret::Secret,
};

/// How a call ended.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// It was done. Null where the answer could not be read.
    Done(Value),
    Failed(Fault),
    /// No connection was made.
    NotSent,
    /// Something was sent, and what came back does not tell.
    Unclear,
}

/// One page's end of the API.
#[derive(Debug)]
pub(super) struct Client {
    /// For the log.
    source: String,
    http: outgoing::Client,
    /// The page's node; edges stand below it.
    page: Url,
    token: Secret,
    /// The token that the platform refused last: not shown to it again.
    refused: Mutex<Option<SecretString>>,
    max_response_bytes: usize,
}

impl Client {
    pub(super) fn new(source: &SourceConfig, config: &MessengerConfig) -> anyhow::Result<Self> {
        let base: Url = config.base_url.parse().context("base_url is not a URL")?;
        let page = format!(
            "{}/{}/{}",
            config.base_url.trim_end_matches('/'),
            config.version,
            config.page_id
        );
        let limits = Limits {
            base,
            connect_timeout: config.connect_timeout,
            read_timeout: config.connect_timeout + source.send_timeout,
            allow_private_addresses: config.allow_private_addresses,
        };
        Ok(Self {
            source: source.name.clone(),
            http: outgoing::client(&limits).context("base_url")?,
            page: page
                .parse()
                .context("base_url, version and page_id make no URL")?,
            token: config.page_token.clone(),
            refused: Mutex::default(),
            max_response_bytes: config.max_response_bytes,
        })
    }

    /// Writes to an edge of the page. Tries once.
    pub(super) async fn post(&self, edge: &str, body: &Value) -> Answer {
        self.call(edge, |url| self.http.request(Method::POST, url).json(body))
            .await
    }

    /// Reads an edge of the page about one visitor.
    pub(super) async fn get(&self, edge: &str, recipient: &str) -> Answer {
        self.call(edge, |mut url| {
            url.query_pairs_mut().append_pair("recipient", recipient);
            self.http.request(Method::GET, url)
        })
        .await
    }

    async fn call(&self, edge: &str, request: impl FnOnce(Url) -> RequestBuilder) -> Answer {
        // Read anew for each call, so that a replaced token counts at once.
        let token = match self.token.read() {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(source = self.source, %error, "the page's token cannot be read");
                return Answer::NotSent;
            }
        };
        if self.was_refused(&token) {
            return Answer::Failed(Fault::known_token());
        }
        let mut url = self.page.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(edge);
        }
        let bearer = format!("Bearer {}", token.expose_secret());
        match request(url)
            .header(AUTHORIZATION, sensitive(&bearer))
            .send()
            .await
        {
            Ok(response) => self.answer(edge, response, token).await,
            Err(error) => self.ended_without_answer(&error),
        }
    }

    async fn answer(&self, edge: &str, response: Response, token: SecretString) -> Answer {
        let status = response.status();
        let body = outgoing::whole_body(response, self.max_response_bytes).await;
        let body: Option<Value> = body.and_then(|body| serde_json::from_slice(&body).ok());
        let body = body.unwrap_or_default();
        if status.is_success() && body.get("error").is_none() {
            return Answer::Done(body);
        }
        let fault = Fault::read(status, &body);
        if fault.meaning == Meaning::Token {
            tracing::error!(
                source = self.source,
                "the page's token is refused: nothing is sent until there is another"
            );
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        } else {
            self.log(edge, status, fault);
        }
        match fault.meaning {
            Meaning::Unclear => Answer::Unclear,
            _ => Answer::Failed(fault),
        }
    }

    fn log(&self, edge: &str, status: StatusCode, fault: Fault) {
        let detail = fault.detail();
        tracing::warn!(source = self.source, edge, %status, detail, "the platform did not do what it was asked");
    }

    fn was_refused(&self, token: &SecretString) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused
            .as_ref()
            .is_some_and(|refused| refused.expose_secret() == token.expose_secret())
    }

    /// Without a connection nothing was sent; after that nobody can tell.
    fn ended_without_answer(&self, error: &reqwest::Error) -> Answer {
        if outgoing::unanswered(&self.source, error) {
            Answer::NotSent
        } else {
            Answer::Unclear
        }
    }
}

/// A header that is not printed. What no header may hold becomes an empty one, which the platform refuses.
fn sensitive(text: &str) -> http::HeaderValue {
    let mut value =
        http::HeaderValue::from_str(text).unwrap_or_else(|_| http::HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
