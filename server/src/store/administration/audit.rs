//! Table `audit`: acts of administrators. Each row carries a keyed hash of itself and of the one before, per tenant, so
//! that a row that was changed or taken out behind the server's back shows.

use std::sync::LazyLock;

use hmac::{Hmac, KeyInit, Mac};
use sea_orm::ConnectionTrait;
use sha2::Sha256;

use crate::{
    domain::{
        Fingerprint, Id, Timestamp,
        administration::{AuditCheck, AuditEntry, AuditQuery, AuditRecord},
    },
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute, first, number},
    },
};

const TABLE: Table = Table {
    name: "audit",
    key: &["tenant", "number"],
    columns: &[
        "tenant",
        "number",
        "at",
        "caller",
        "credential",
        "action",
        "target",
        "detail",
        "reason",
        "previous",
        "hash",
    ],
};

/// Rows that are checked between two looks at the database.
const CHECKED_AT_ONCE: usize = 500;

static ADD: LazyLock<String> = LazyLock::new(|| TABLE.insert(1));
static NEWEST: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE tenant = $1 ORDER BY number DESC LIMIT 1"));
static PAGE: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND number < $2 AND at >= $3 AND at < $4
            AND ($5 = '' OR target = $5) AND ($6 = '' OR caller = $6) AND ($7 = '' OR action = $7)
            AND ($8 = 0 OR $8 = 1 AND reason = '' OR $8 = 2 AND reason <> '')
            ORDER BY number DESC LIMIT $9",
    )
});
static KEY_MADE: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE action = $1 AND reason = '' LIMIT 1"));
static FORWARD: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT $3"));

/// How many acts there are of all tenants: each tenant's are numbered from 1, without gaps.
const COUNT: &str = "SELECT CAST(COALESCE(SUM(newest), 0) AS BIGINT) FROM (
    SELECT MAX(number) AS newest FROM audit GROUP BY tenant) AS tenants";

pub(super) async fn count(db: &impl ConnectionTrait) -> Result<u64, Fault> {
    let count = first(db, COUNT, [], |row| row.number("audit.number"));
    Ok(count.await?.unwrap_or(0))
}

pub(super) async fn add(
    db: &impl ConnectionTrait,
    record: &AuditRecord,
    now: Timestamp,
    key: &[u8],
) -> Result<AuditEntry, Fault> {
    let newest = first(db, &NEWEST, [record.tenant.as_str().into()], read).await?;
    let mut entry = AuditEntry {
        tenant: record.tenant.clone(),
        number: newest.as_ref().map_or(0, |newest| newest.number) + 1,
        // The machine's clock may be set back; the record's never.
        at: newest.as_ref().map_or(now, |newest| newest.at.max(now)),
        caller: record.caller.to_string(),
        credential: record.credential.to_string(),
        action: record.action.clone(),
        target: record.target.clone(),
        detail: record.detail.clone(),
        reason: record.refused.unwrap_or_default().to_owned(),
        previous: newest.map(|newest| newest.hash).unwrap_or_default(),
        hash: Vec::new(),
    };
    entry.hash = hash(&entry, key);
    let values = [
        entry.tenant.as_str().into(),
        number(entry.number),
        entry.at.0.into(),
        entry.caller.as_str().into(),
        entry.credential.as_str().into(),
        entry.action.as_str().into(),
        entry.target.as_str().into(),
        entry.detail.as_bytes().to_vec().into(),
        entry.reason.as_str().into(),
        entry.previous.clone().into(),
        entry.hash.clone().into(),
    ];
    execute(db, &ADD, values).await?;
    Ok(entry)
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    query: &AuditQuery,
) -> Result<Vec<AuditEntry>, Fault> {
    let outcome = match query.refused {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    let values = [
        query.tenant.as_str().into(),
        number(query.below.unwrap_or(u64::MAX)),
        query.from.map_or(i64::MIN, |at| at.0).into(),
        query.before.map_or(i64::MAX, |at| at.0).into(),
        query.target.as_str().into(),
        query.caller.as_str().into(),
        query.action.as_str().into(),
        outcome.into(),
        number(query.limit),
    ];
    all(db, &PAGE, values, read).await
}

/// Keys go with their callers; that they were made stays.
pub(super) async fn had_keys(db: &impl ConnectionTrait) -> Result<bool, Fault> {
    let made = first(db, &KEY_MADE, ["CreateKey".into()], read).await?;
    Ok(made.is_some())
}

/// Follows the chain from its first row.
pub(super) async fn verify(
    db: &impl ConnectionTrait,
    tenant: &Id,
    key: &[u8],
) -> Result<AuditCheck, Fault> {
    let mut check = AuditCheck::default();
    let mut at = 0;
    loop {
        let values = [tenant.as_str().into(), number(at), number(CHECKED_AT_ONCE)];
        let rows = all(db, &FORWARD, values, read).await?;
        let Some(last) = rows.last() else {
            return Ok(check);
        };
        at = last.number;
        for row in rows {
            check.entries += 1;
            let is_whole = row.number == check.entries
                && row.previous == check.newest_hash
                && row.hash == hash(&row, key);
            // Where a row is missing, the first number that is not there; all after it is out of step and says no more.
            if !is_whole && check.first_broken.is_none() {
                check.first_broken = Some(check.entries);
            }
            check.newest_hash = row.hash;
        }
    }
}

fn hash(entry: &AuditEntry, key: &[u8]) -> Vec<u8> {
    let content = Fingerprint::of("audit")
        .text(entry.tenant.as_str())
        .number(entry.number)
        .number(entry.at.0.cast_unsigned())
        .text(&entry.caller)
        .text(&entry.credential)
        .text(&entry.action)
        .text(&entry.target)
        .text(&entry.detail)
        .text(&entry.reason)
        .bytes(&entry.previous);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn read(row: &mut Row<'_>) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        tenant: row.id()?,
        number: row.number("audit.number")?,
        at: row.time()?,
        caller: row.text()?,
        credential: row.text()?,
        action: row.text()?,
        target: row.text()?,
        // What is no text was tampered with: the hash will tell.
        detail: String::from_utf8_lossy(&row.bytes()?).into_owned(),
        reason: row.text()?,
        previous: row.bytes()?,
        hash: row.bytes()?,
    })
}
