//! The record of what administrators did.

use parloir_proto::v1::{self, audit_entry::Outcome};

use super::{Door, pages::Page, values};
use crate::{
    domain::{
        Result,
        administration::{AuditEntry, AuditQuery},
        hex::hex,
    },
    grpc::checks::Checks,
    wire::time::timestamp,
};

pub(super) async fn list(
    door: Door<'_>,
    message: v1::ListAuditEntriesRequest,
) -> Result<v1::ListAuditEntriesResponse> {
    let (size, token) = (message.page_size, message.page_token.clone());
    let query = v1::ListAuditEntriesRequest {
        page_size: 0,
        page_token: String::new(),
        ..message
    };
    let page = Page::asked(&door, "ListAuditEntries", &query, size, &token)?;
    let wanted = conditions(query, &page)?;
    let mut entries = door.admin.acts(&door.identity, wanted).await?;
    let has_more = entries.len() > page.size;
    entries.truncate(page.size);
    let last = entries.last().filter(|_| has_more);
    Ok(v1::ListAuditEntriesResponse {
        next_page_token: last.map_or_else(String::new, |last| page.next(&last.number.to_string())),
        entries: entries.into_iter().map(entry).collect(),
    })
}

pub(super) async fn verify(
    door: Door<'_>,
    _: v1::VerifyAuditLogRequest,
) -> Result<v1::VerifyAuditLogResponse> {
    let check = door.admin.verify_acts(&door.identity).await?;
    Ok(v1::VerifyAuditLogResponse {
        intact: check.first_broken.is_none(),
        entries: number(check.entries),
        first_broken: number(check.first_broken.unwrap_or(0)),
        newest_hash: hex(&check.newest_hash),
    })
}

fn conditions(query: v1::ListAuditEntriesRequest, page: &Page) -> Result<AuditQuery> {
    let mut checks = Checks::default();
    let from = checks.time("from_time", query.from_time.as_ref());
    let before = checks.time("before_time", query.before_time.as_ref());
    let outcome = match query.outcome {
        0 => Some(None),
        given => checks.value("outcome", given, read_outcome).map(Some),
    };
    checks.finish(|| {
        Some(AuditQuery {
            tenant: String::new(),
            from,
            before,
            target: query.target,
            caller: query.caller,
            action: query.action,
            refused: outcome?,
            below: page.after().and_then(|number| number.parse().ok()),
            limit: page.size + 1,
        })
    })
}

fn read_outcome(number: i32) -> Option<bool> {
    match Outcome::try_from(number).ok()? {
        Outcome::Unspecified => None,
        Outcome::Done => Some(false),
        Outcome::Refused => Some(true),
    }
}

fn entry(entry: AuditEntry) -> v1::AuditEntry {
    let detail = serde_json::from_str(&entry.detail).unwrap_or_default();
    let outcome = if entry.reason.is_empty() {
        Outcome::Done
    } else {
        Outcome::Refused
    };
    v1::AuditEntry {
        number: number(entry.number),
        time: Some(timestamp(entry.at)),
        caller: entry.caller,
        credential: entry.credential,
        action: entry.action,
        target: entry.target,
        detail: Some(values::settings(detail)),
        outcome: outcome.into(),
        reason: entry.reason,
        hash: hex(&entry.hash),
    }
}

/// What we count never reaches 2^63.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
