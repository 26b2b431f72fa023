//! REST out: one request to the platform, and what its ending means.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use reqwest::{Response, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    config::WhatsappConfig,
    failure::{self, Failure},
    message::{self, Style},
    pause::{Pauses, Stop},
};
use crate::{
    config::SourceConfig,
    domain::{
        Clock, Timestamp,
        outbound::{Refusal, Sent},
        source::Item,
    },
    outgoing::{self, Limits},
    secret::Secret,
    sources::ending,
};

/// How long an answer's body is waited for once its headers are there. The status has mostly decided already, and
/// waiting until the whole request runs out of time would make something unclear that is not.
const BODY_WAIT: Duration = Duration::from_secs(2);

/// One number's end of the API.
#[derive(Debug)]
pub(super) struct Client {
    /// For the log.
    source: String,
    http: outgoing::Client,
    url: Url,
    access_token: Secret,
    style: Style,
    max_response_bytes: usize,
    pair_interval: Duration,
    pauses: Pauses,
    stop: Stop,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(super) fn new(
        source: &SourceConfig,
        config: &WhatsappConfig,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let base = config.base_url.trim_end_matches('/');
        let url = format!(
            "{base}/{}/{}/messages",
            config.version, config.phone_number_id
        );
        let limits = Limits {
            base: base.parse().context("base_url is not a URL")?,
            connect_timeout: config.connect_timeout,
            read_timeout: config.connect_timeout + source.send_timeout,
            allow_private_addresses: config.allow_private_addresses,
        };
        Ok(Self {
            source: source.name.clone(),
            http: outgoing::client(&limits).context("base_url")?,
            url: url.parse().context("base_url is not a URL")?,
            access_token: config.access_token.clone(),
            style: Style::new(config),
            max_response_bytes: config.max_response_bytes,
            pair_interval: config.pair_interval,
            pauses: Pauses::default(),
            stop: Stop::default(),
            clock,
        })
    }

    /// Tries once.
    pub(super) async fn deliver(&self, address: &str, item: &Item) -> Sent {
        let Some(to) = message::recipient(address) else {
            let why = "the visitor's address cannot be read";
            return ending::refused(Refusal::Request, why, &[]);
        };
        let body = match self.style.body(&to, item) {
            Ok(body) => body,
            Err(why) => return ending::refused(Refusal::Request, why, &[]),
        };
        // Read anew for each request, so that a new token counts at once.
        let token = match self.access_token.read() {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(source = self.source, %error, "the access token cannot be read");
                return Sent::NotSent;
            }
        };
        let token = token.expose_secret();
        if self.stop.holds(token) {
            let why = "the platform refused this access token or its account: nothing is sent until it changes";
            return ending::refused(Refusal::Credentials, why, &[]);
        }
        if let Some(left) = self.pauses.left(&to, self.clock.now()) {
            return Sent::NotNow { after: Some(left) };
        }
        self.send(&body, &to, token).await
    }

    /// Nothing more to `visitor`, who was written to too fast at `at`.
    pub(super) fn pause(&self, visitor: &str, at: Timestamp) {
        self.pauses
            .pause(visitor, at + self.pair_interval, self.clock.now());
    }

    async fn send(&self, body: &Value, to: &str, token: &str) -> Sent {
        let Ok(mut authorization) = HeaderValue::from_str(&format!("Bearer {token}")) else {
            tracing::error!(
                source = self.source,
                "the access token holds what no header may"
            );
            return Sent::NotSent;
        };
        authorization.set_sensitive(true);
        let request = self.http.post(self.url.clone()).json(body);
        let response = match request.header(AUTHORIZATION, authorization).send().await {
            Ok(response) => response,
            Err(error) => return ending::without_answer(&self.source, &error),
        };
        let status = response.status();
        let retry_after = ending::seconds(response.headers(), RETRY_AFTER.as_str());
        let body = self.body(response).await;
        if !status.is_success() {
            return self.failed(&body["error"], status, retry_after, to, token);
        }
        match body["messages"][0]["id"].as_str() {
            Some(id) => Sent::AcknowledgedAs {
                remote_id: id.to_owned(),
            },
            None => Sent::Acknowledged,
        }
    }

    /// Null where it does not come whole, or is no JSON.
    async fn body(&self, response: Response) -> Value {
        let body = outgoing::whole_body(response, self.max_response_bytes);
        let body = tokio::time::timeout(BODY_WAIT, body).await.ok().flatten();
        body.and_then(|body| serde_json::from_slice(&body).ok())
            .unwrap_or_default()
    }

    /// The code decides; the status only where there is none, or one that we do not know.
    fn failed(
        &self,
        error: &Value,
        status: StatusCode,
        retry_after: Option<Duration>,
        to: &str,
        token: &str,
    ) -> Sent {
        let Some(failure) = Failure::of(error) else {
            return by_status(status, retry_after);
        };
        let is_overloaded = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        match failure {
            Failure::Busy => return Sent::Busy { retry_after },
            Failure::Temporary => return Sent::Unclear,
            Failure::TooFast => {
                self.pause(to, self.clock.now());
                let after = Some(self.pair_interval);
                return Sent::NotNow { after };
            }
            Failure::Other if is_overloaded => return by_status(status, retry_after),
            Failure::Stopped if self.stop.stop(token) => tracing::error!(
                source = self.source,
                code = failure::code(error),
                "the platform refused the access token or its account: nothing more is sent until the token changes"
            ),
            _ => {}
        }
        let refusal = failure.refusal().unwrap_or(Refusal::Request);
        ending::refused(refusal, &failure::said(error), &[to, token])
    }
}

/// What an answer means that names no code.
fn by_status(status: StatusCode, retry_after: Option<Duration>) -> Sent {
    let refusal = match status {
        StatusCode::TOO_MANY_REQUESTS => return Sent::Busy { retry_after },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Credentials,
        StatusCode::REQUEST_TIMEOUT => return Sent::Unclear,
        status if status.is_client_error() => Refusal::Request,
        _ => return Sent::Unclear,
    };
    ending::refused(refusal, &format!("HTTP {}", status.as_u16()), &[])
}
