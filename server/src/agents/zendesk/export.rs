//! A day's export of what a bot did: where the platform keeps its files, and fetching them.

mod day;
mod download;
mod file;
mod records;

use std::time::Duration;

use anyhow::{Context, bail};
use http::StatusCode;
use reqwest::Url;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    caller::{Answer, Caller},
    config::ZendeskConfig,
};
use crate::outgoing;

pub use day::Day;
pub use download::Downloaded;
pub use file::ExportFile;

const PATH: &str = "/data-export/v3/get-signed-urls";
/// Bytes of a list of files: some ten thousand of them.
const MAX_LIST: usize = 16 * 1024 * 1024;
/// The names under which the list was seen.
const LISTS: [&str; 2] = ["urls", "signed_urls"];
/// Between two tries of one file; the second pause is twice as long.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What one file may be at most, so that a store that never ends fills no disk and keeps nobody for ever.
#[derive(Debug, Clone, Copy)]
pub struct FileBounds {
    pub bytes: u64,
    pub time: Duration,
}

/// Fetches exports of one bot.
#[derive(Debug)]
pub struct Export {
    caller: Caller,
    base: Url,
    connect_timeout: Duration,
    allow_private_addresses: bool,
    retry_pause: Duration,
    bounds: FileBounds,
}

#[derive(Serialize)]
struct Wish<'a> {
    date: &'a str,
    /// Minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
}

impl Export {
    /// Fails when the organization is not named, or the base URL leads where it may not.
    pub fn new(config: &ZendeskConfig) -> anyhow::Result<Self> {
        if config.organization_id.is_none() {
            bail!("organization_id is missing, and the platform gives no export without it");
        }
        Ok(Self {
            caller: Caller::new(config)?,
            base: config.base_url.parse().context("base_url is not a URL")?,
            connect_timeout: config.connect_timeout,
            allow_private_addresses: config.allow_private_addresses,
            retry_pause: RETRY_PAUSE,
            bounds: FileBounds::default(),
        })
    }

    /// What one file may be at most.
    #[must_use]
    pub fn with_bounds(self, bounds: FileBounds) -> Self {
        Self { bounds, ..self }
    }

    /// How long to wait between two tries of one file.
    #[must_use]
    pub fn with_retry_pause(self, retry_pause: Duration) -> Self {
        Self {
            retry_pause,
            ..self
        }
    }

    /// The day's files; none where the platform has no export of that day. Their addresses hold for `ttl` minutes, or
    /// for as long as the platform likes.
    pub async fn files(&self, day: &Day, ttl: Option<u32>) -> anyhow::Result<Vec<ExportFile>> {
        let date = day.as_str();
        let answer = self.caller.post(PATH, &Wish { date, ttl }).await?;
        match answer.response.status() {
            StatusCode::NOT_FOUND => Ok(Vec::new()),
            status if status.is_success() => self.list(answer).await,
            _ => Err(answer.fault().await.into()),
        }
    }

    async fn list(&self, answer: Answer) -> anyhow::Result<Vec<ExportFile>> {
        let body = outgoing::whole_body(answer.response, MAX_LIST).await;
        let body = body.with_context(|| {
            format!("the list of files did not come whole, or is over {MAX_LIST} bytes")
        })?;
        self.named(&urls(&body)?)
    }

    /// The files at these addresses.
    pub(super) fn named(&self, urls: &[String]) -> anyhow::Result<Vec<ExportFile>> {
        file::named(urls.iter().map(|url| self.usable(url)))
    }

    /// The address, if it leads where a platform may send us. Its text is as good as a key and stays out of errors.
    pub(super) fn usable(&self, url: &str) -> anyhow::Result<Url> {
        let url: Url = url
            .parse()
            .ok()
            .context("the platform named a file by what is no URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            bail!("the platform named a file by a URL with credentials in it");
        }
        if outgoing::is_loopback(&url)
            && !outgoing::is_loopback(&self.base)
            && !self.allow_private_addresses
        {
            bail!("the platform named a file on this machine itself");
        }
        Ok(url)
    }
}

impl Default for FileBounds {
    /// Far above any export that was seen.
    fn default() -> Self {
        Self {
            bytes: 64 * 1024 * 1024 * 1024,
            time: Duration::from_hours(12),
        }
    }
}

/// Each address once, in order.
fn urls(body: &[u8]) -> anyhow::Result<Vec<String>> {
    let map: Map<String, Value> = serde_json::from_slice(body)
        .ok()
        .context("the platform's answer is no JSON object")?;
    let lists: Vec<_> = map
        .into_iter()
        .filter(|(name, _)| LISTS.iter().any(|list| name.eq_ignore_ascii_case(list)))
        .filter(|(_, list)| !list.is_null())
        .collect();
    if lists.is_empty() {
        bail!("the platform's answer holds neither urls nor signed_urls");
    }
    let mut urls = Vec::new();
    for (name, list) in lists {
        let list: Vec<String> = serde_json::from_value(list)
            .ok()
            .with_context(|| format!("{name} in the platform's answer is no list of texts"))?;
        for url in list {
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
    }
    Ok(urls)
}
