//! REST out: one call within the budget, with its token, and what its ending means.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use http::{
    HeaderValue, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::{Response, Url};
use secrecy::SecretString;
use serde_json::Value;

use super::{
    answer::{self, Refused, Verdict},
    budget::{Budget, Call, Share},
    config::SocialConnectConfig,
    escape::{escape, is_segment, pairs},
    token::{NoToken, Tokens, bearer},
};
use crate::{
    config::SourceConfig,
    domain::{
        Clock,
        outbound::{Refusal, Sent},
        source::NotRead,
    },
    outgoing::{self, Limits},
    sources::Means,
};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Bytes of a refusal's words that are passed on.
const MAX_DETAIL: usize = 512;

/// How long a read that failed is not repeated. Each costs a call: 10 s make an outage of minutes cost no more than a
/// tenth of the hour's.
const READ_AGAIN: Duration = Duration::from_secs(10);

/// Why a call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection was made.
    NotSent,
    /// The budget is used up, or the vendor's limit reached: certainly not processed.
    NotNow(Duration),
    Busy,
    Unclear,
    Refused(Refused),
}

/// Our end of the API.
#[derive(Debug)]
pub(super) struct Client {
    /// The source's name, for the log.
    source: String,
    http: outgoing::Client,
    base: Url,
    account: String,
    tokens: Tokens,
    budget: Budget,
    max_response_bytes: usize,
    clock: Arc<dyn Clock>,
    /// The lack of a permission was told loudly once.
    told: AtomicBool,
}

impl Client {
    pub(super) fn new(
        source: &SourceConfig,
        config: &SocialConnectConfig,
        means: Means,
    ) -> anyhow::Result<Self> {
        let base: Url = config.base_url.parse().context("base_url is not a URL")?;
        let limits = Limits {
            base: base.clone(),
            connect_timeout: config.connect_timeout,
            read_timeout: config.connect_timeout + source.send_timeout,
            allow_private_addresses: config.allow_private_addresses,
        };
        Ok(Self {
            source: source.name.clone(),
            http: outgoing::client(&limits).context("base_url")?,
            base,
            account: config.account_id.clone(),
            tokens: Tokens::new(source, config, &means).context("oauth_host")?,
            budget: Budget::new(config),
            max_response_bytes: config.max_response_bytes,
            clock: means.clock,
            told: AtomicBool::new(false),
        })
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// See [`Source::reseal`](crate::domain::ports::Source::reseal).
    pub(super) fn reseal(&self) -> Option<String> {
        self.tokens.reseal()
    }

    /// The name of the source, for the log.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Reads `path` (segments below the account's).
    pub(super) async fn get(
        &self,
        share: Share,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        self.call(share, Method::GET, self.url(path, query)?, None)
            .await
    }

    /// The address of a list's first page.
    pub(super) fn first_page(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        self.url(path, query)
    }

    /// The address of the page that an answer names: on our host, or not at all, and without the token that it may hold.
    pub(super) fn page_after(&self, next_url: &str) -> Result<Url, Failure> {
        let mut url = Url::parse(next_url).map_err(|_| ours("next_url is not a URL"))?;
        if url.origin() != self.base.origin() {
            return Err(ours("next_url leads to another host"));
        }
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let kept = query.iter().filter(|(name, _)| name != "access_token");
        let kept: Vec<_> = kept
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        url.set_query(Some(&pairs(&kept)));
        Ok(url)
    }

    pub(super) async fn page(&self, share: Share, page: Url) -> Result<Value, Failure> {
        self.call(share, Method::GET, page, None).await
    }

    /// Changes something; a form of no fields is no body.
    pub(super) async fn post(
        &self,
        share: Share,
        path: &[&str],
        form: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let form = (!form.is_empty()).then(|| pairs(form));
        self.call(share, Method::POST, self.url(path, &[])?, form)
            .await
    }

    pub(super) async fn delete(&self, share: Share, path: &[&str]) -> Result<Value, Failure> {
        self.call(share, Method::DELETE, self.url(path, &[])?, None)
            .await
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        if !path.iter().all(|segment| is_segment(segment)) {
            return Err(ours("the contact's address cannot be part of a path"));
        }
        let segments: Vec<_> = path.iter().map(|segment| escape(segment)).collect();
        let base = self.base.as_str().trim_end_matches('/');
        let mut url = format!("{base}/{}/{}", escape(&self.account), segments.join("/"));
        if !query.is_empty() {
            url = format!("{url}?{}", pairs(query));
        }
        Url::parse(&url).map_err(|_| ours("the address of a call cannot be written"))
    }

    async fn call(
        &self,
        share: Share,
        method: Method,
        url: Url,
        form: Option<String>,
    ) -> Result<Value, Failure> {
        let token = self.token().await?;
        let authorization = bearer(&token)
            .ok_or_else(|| credentials("the token holds what no header may".to_owned()))?;
        let call = self.budget.take(share, self.clock.now()).map_err(|after| {
            let used = self.budget.used(self.clock.now());
            tracing::debug!(
                source = self.source,
                used,
                ?share,
                "no call is left for this"
            );
            Failure::NotNow(after)
        })?;
        let request = self
            .http
            .request(method, url)
            .header(AUTHORIZATION, authorization);
        let request = request.header(ACCEPT, JSON);
        let request = match form {
            Some(form) => request.header(CONTENT_TYPE, FORM).body(form),
            None => request,
        };
        match request.send().await {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                let refused = self.outcome(response, call).await;
                // Nothing was done, and with another token it may be.
                let repeated = self.tokens.replace(&token).await;
                repeated.map_or(refused, |after| Err(Failure::NotNow(after)))
            }
            Ok(response) => {
                self.tokens.trust(&token);
                self.outcome(response, call).await
            }
            Err(error) => {
                let failure = self.ended_without_answer(&error);
                if failure == Failure::NotSent {
                    call.give_back();
                }
                Err(failure)
            }
        }
    }

    async fn token(&self) -> Result<SecretString, Failure> {
        self.tokens.current().await.map_err(|error| match error {
            NoToken::Later => Failure::NotSent,
            NoToken::Refused(why) => {
                tracing::error!(
                    source = self.source,
                    why,
                    "there is no token for Social Connect"
                );
                credentials(why)
            }
        })
    }

    async fn outcome(&self, response: Response, call: Call<'_>) -> Result<Value, Failure> {
        let (status, headers) = (response.status(), response.headers().clone());
        self.budget.heed(&headers, self.clock.now());
        drop(call);
        let body = outgoing::whole_body(response, self.max_response_bytes).await;
        answer::read(status, body.as_deref()).map_err(|verdict| match verdict {
            Verdict::RateLimited => {
                let after = self.budget.close(&headers, self.clock.now());
                tracing::warn!(source = self.source, ?after, "Social Connect takes no more calls for now");
                Failure::NotNow(after)
            }
            Verdict::Busy => Failure::Busy,
            Verdict::Unclear => {
                tracing::warn!(source = self.source, %status, "the answer does not tell whether the call was done");
                Failure::Unclear
            }
            Verdict::Refused(refused) => {
                self.tell(&refused);
                Failure::Refused(refused)
            }
        })
    }

    /// A permission that is missing is missing for every call: the first says what to do.
    fn tell(&self, refused: &Refused) {
        let error = &refused.error;
        if refused.refusal == Refusal::Credentials && !self.told.swap(true, Ordering::Relaxed) {
            tracing::error!(
                source = self.source,
                error,
                "Social Connect refuses a call for want of a permission: check the token's scopes, and that the vendor \
                 has put the application on its list"
            );
        } else {
            tracing::warn!(source = self.source, error, "Social Connect refuses a call");
        }
    }

    /// Without a connection nothing was sent; after that nobody can tell.
    fn ended_without_answer(&self, error: &reqwest::Error) -> Failure {
        if outgoing::unanswered(&self.source, error) {
            Failure::NotSent
        } else {
            Failure::Unclear
        }
    }
}

/// Something that no call can mend.
pub(super) fn ours(why: &str) -> Failure {
    Failure::Refused(Refused {
        refusal: Refusal::Request,
        error: why.to_owned(),
    })
}

fn credentials(error: String) -> Failure {
    Failure::Refused(Refused {
        refusal: Refusal::Credentials,
        error,
    })
}

impl From<Failure> for Sent {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent => Self::NotSent,
            Failure::NotNow(after) => Self::NotNow { after: Some(after) },
            Failure::Busy => Self::Busy { retry_after: None },
            Failure::Unclear => Self::Unclear,
            Failure::Refused(Refused { refusal, mut error }) => {
                error.truncate(error.floor_char_boundary(MAX_DETAIL));
                let detail = error;
                Self::Refused { refusal, detail }
            }
        }
    }
}

impl From<Failure> for NotRead {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotNow(after) => Self::Later { after: Some(after) },
            Failure::NotSent | Failure::Busy | Failure::Unclear => Self::Later {
                after: Some(READ_AGAIN),
            },
            Failure::Refused(refused) => Self::Refused {
                detail: refused.error,
            },
        }
    }
}
