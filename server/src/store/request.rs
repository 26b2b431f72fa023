//! Table `request`: what agents ask and wait for.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

use super::{
    conversation::key_values,
    data_key,
    fault::Fault,
    row::Row,
    sealing::{Keys, PLAIN},
    table::{Table, all_opened, execute, first, first_opened, number},
};
use crate::{
    domain::{AnsweredRequest, ConversationKey, Id, Request, Timestamp},
    keys::Place,
    wire::enums::{read_request_kind, read_request_outcome, request_kind, request_outcome},
};

const TABLE: Table = Table {
    name: "request",
    key: &["id"],
    columns: &[
        "id",
        "agent",
        "tenant",
        "account",
        "conversation_id",
        "kind",
        "fingerprint",
        "respond_by",
        "asked_at",
        "sequence",
        "closed_at",
        "outcome",
        "answered_by",
        "answer_fingerprint",
        "closing_event_id",
        "answered_by_key_id",
        "sealed_answered_by",
    ],
};

/// Which key the name of who answered is sealed under.
const KEY: &str = "answered_by_key_id";

static ADD: LazyLock<String> = LazyLock::new(|| TABLE.insert(1));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static FIND: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE id = $1"));
static REPEATED: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE fingerprint = $1 AND (closed_at IS NULL OR asked_at >= $2)
            ORDER BY asked_at DESC, id DESC LIMIT 1",
    )
});
static OPEN: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND closed_at IS NULL
            ORDER BY asked_at, id",
    )
});
static ALL_OPEN: LazyLock<String> = LazyLock::new(|| {
    TABLE.select("WHERE closed_at IS NULL AND respond_by <= $2 ORDER BY respond_by, id LIMIT $1")
});
const COUNT_OPEN: &str = "SELECT COUNT(*) FROM request WHERE agent = $1 AND closed_at IS NULL";

pub(super) async fn add(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    request: &Request,
    now: Timestamp,
) -> Result<(), Fault> {
    let answered_by = sealed_answered_by(db, keys, request, now).await?;
    execute(db, &ADD, values(request, answered_by)).await?;
    Ok(())
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    request: &Request,
    now: Timestamp,
) -> Result<(), Fault> {
    let answered_by = sealed_answered_by(db, keys, request, now).await?;
    execute(db, &SAVE, values(request, answered_by)).await?;
    Ok(())
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    keys: &Keys,
    id: &Id,
) -> Result<Option<Request>, Fault> {
    first_opened(db, keys, KEY, &FIND, [id.as_str().into()], read).await
}

/// An empty fingerprint is never repeated.
pub(super) async fn repeated(
    db: &impl ConnectionTrait,
    keys: &Keys,
    fingerprint: &[u8],
    since: Timestamp,
) -> Result<Option<Request>, Fault> {
    if fingerprint.is_empty() {
        return Ok(None);
    }
    let values = [fingerprint.to_vec().into(), since.0.into()];
    first_opened(db, keys, KEY, &REPEATED, values, read).await
}

pub(super) async fn open(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
) -> Result<Vec<Request>, Fault> {
    all_opened(db, keys, KEY, &OPEN, key_values(key), read).await
}

pub(super) async fn all_open(
    db: &impl ConnectionTrait,
    keys: &Keys,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<Request>, Fault> {
    let values = [number(limit), before.0.into()];
    all_opened(db, keys, KEY, &ALL_OPEN, values, read).await
}

pub(super) async fn count_open(db: &impl ConnectionTrait, agent: &Id) -> Result<usize, Fault> {
    let count = first(db, COUNT_OPEN, [agent.as_str().into()], |row| {
        row.number("COUNT(request)")
    });
    Ok(count.await?.unwrap_or(0))
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row,
        column: "answered_by",
    }
}

/// The key's id and the sealed name: it may be a person's.
async fn sealed_answered_by(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    request: &Request,
    now: Timestamp,
) -> Result<(i64, Option<Vec<u8>>), Fault> {
    let name = request.closed.as_ref().map(|closed| &closed.answered_by);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok((PLAIN, None));
    };
    let owner = match &request.key {
        Some(key) => data_key::Owner::Conversation(key.clone()),
        None => data_key::Owner::Tenant(request.tenant.clone()),
    };
    let data_key = keys.sealing(db, &owner, now).await?;
    let sealed = data_key.seal(place(request.id.as_str()), name.as_bytes());
    Ok((data_key.id(), Some(sealed)))
}

fn values(request: &Request, (key_id, answered_by): (i64, Option<Vec<u8>>)) -> Vec<Value> {
    let key = request.key.as_ref();
    let closed = request.closed.as_ref();
    vec![
        request.id.as_str().into(),
        request.agent.as_str().into(),
        request.tenant.as_str().into(),
        key.map(|key| key.account.as_str()).into(),
        key.map(|key| key.id.as_str()).into(),
        number(request_kind(request.kind) as i32),
        request.fingerprint.clone().into(),
        request.respond_by.0.into(),
        request.asked_at.0.into(),
        number(request.sequence),
        closed.map(|closed| closed.closed_at.0).into(),
        closed
            .map(|closed| i64::from(request_outcome(closed.outcome) as i32))
            .into(),
        closed.map(|_| String::new()).into(),
        closed
            .map(|closed| closed.answer_fingerprint.clone())
            .into(),
        closed.map(|closed| closed.event_id.clone()).into(),
        key_id.into(),
        answered_by.into(),
    ]
}

fn read(row: &mut Row<'_>) -> Result<Request, Fault> {
    let (id, agent, tenant) = (row.id()?, row.id()?, row.id()?);
    let conversation = row.maybe_id()?.zip(row.maybe_id()?);
    Ok(Request {
        id: id.clone(),
        key: conversation.map(|(account, id)| ConversationKey {
            tenant: tenant.clone(),
            account,
            id,
        }),
        agent,
        tenant,
        kind: row.code("request.kind", read_request_kind)?,
        fingerprint: row.bytes()?,
        respond_by: row.time()?,
        asked_at: row.time()?,
        sequence: row.number("request.sequence")?,
        closed: closed(row, &id)?,
    })
}

fn closed(row: &mut Row<'_>, id: &Id) -> Result<Option<AnsweredRequest>, Fault> {
    let closed_at = row.maybe_time()?;
    let outcome = row.maybe_code("request.outcome", read_request_outcome)?;
    let (answered_by, fingerprint) = (row.maybe_text()?, row.maybe_bytes()?);
    let event_id = row.maybe_text()?;
    let answered_by = row.opened_text(
        answered_by.unwrap_or_default(),
        place(id.as_str()),
        "request.answered_by",
    )?;
    let Some(closed_at) = closed_at else {
        return Ok(None);
    };
    Ok(Some(AnsweredRequest {
        outcome: outcome.ok_or(Fault::Nonsense("request.outcome"))?,
        answered_by,
        answer_fingerprint: fingerprint.unwrap_or_default(),
        closed_at,
        event_id: event_id.unwrap_or_default(),
    }))
}
