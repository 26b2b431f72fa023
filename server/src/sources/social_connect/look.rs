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
/// Pages of one look. The budget's share of messages ends most looks before; ten thousand messages are what may lie in
/// memory at a time.
const MAX_PAGES: usize = 100;
/// How long to wait when there are more: what was read is read again, and that is many calls.
const TOO_MANY: Duration = Duration::from_hours(1);

/// Every mention that was added since `since`, and a little before, oldest first. All of them or none: what a look tells
/// is taken to be the whole, and nobody would look for the rest.
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
    let mut url = client.first_page(&["inbox", "mentions"], &query)?;
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    // A page that was seen before would be a circle.
    while seen.insert(url.clone()) {
        if seen.len() > MAX_PAGES {
            let source = client.source();
            tracing::error!(
                source,
                pages = MAX_PAGES,
                "there are more messages than one look takes in: name fewer topics in topic_ids"
            );
            return Err(Failure::NotNow(TOO_MANY));
        }
        let mut page = client.page(Share::Messages, url.clone()).await?;
        if let Value::Array(mentions) = page["data"].take() {
            found.extend(mentions);
        }
        match page["paging"]["next_url"].as_str() {
            Some(next) if !next.is_empty() => url = client.page_after(next)?,
            _ => break,
        }
    }
    Ok(found)
}

fn iso(at: Timestamp) -> String {
    let since = Duration::from_micros(u64::try_from(at.0).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}
