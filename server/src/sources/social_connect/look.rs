//! What no webhook brought: the inbox, page by page.

use std::{
    collections::HashSet,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::Value;

use super::{
    budget::Share,
    client::{Client, Failure},
};
use crate::domain::Timestamp;

/// How much earlier to begin: what was added late stands before what was seen last.
const OVERLAP: Duration = Duration::from_mins(5);
/// Mentions of one page, the vendor's limit.
const PAGE: &str = "100";
/// Pages of one look: two thousand messages are far more than any webhook outage that a look should mend by itself,
/// and twenty calls far from the whole budget.
const MAX_PAGES: usize = 20;

/// Every mention that was added since `since`, and a little before, oldest first.
pub(super) async fn mentions(
    client: &Client,
    topic_ids: &str,
    since: Timestamp,
) -> Result<Vec<Value>, Failure> {
    let from = iso(since - OVERLAP);
    let mut query = vec![
        ("date_from", from.as_str()),
        ("sort", "dateadd:asc"),
        ("limit", PAGE),
    ];
    if !topic_ids.is_empty() {
        query.push(("topic_ids", topic_ids));
    }
    let mut page = client
        .get(Share::Messages, &["inbox", "mentions"], &query)
        .await?;
    let mut found = Vec::new();
    let mut followed = HashSet::new();
    loop {
        let Value::Array(mentions) = page["data"].take() else {
            return Ok(found);
        };
        let is_empty = mentions.is_empty();
        found.extend(mentions);
        let next = page["paging"]["next_url"]
            .as_str()
            .filter(|url| !url.is_empty());
        // The same page again would be a circle.
        let Some(next) = next.filter(|url| !is_empty && followed.insert((*url).to_owned())) else {
            return Ok(found);
        };
        if followed.len() >= MAX_PAGES {
            tracing::warn!(
                source = client.source(),
                pages = MAX_PAGES,
                "there are more messages than one look takes in"
            );
            return Ok(found);
        }
        page = client.next_page(Share::Messages, next).await?;
    }
}

fn iso(at: Timestamp) -> String {
    let since = Duration::from_micros(u64::try_from(at.0).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}
