//! Table `conversation`.

use std::{fmt::Write, sync::LazyLock};

use sea_orm::{ConnectionTrait, Value};

use super::{
    data_key,
    fault::Fault,
    row::Row,
    sealing::Keys,
    table::{Table, all_opened, execute, first, first_opened, number},
};
use crate::{
    domain::{
        Conversation, ConversationKey, Id, Known, Owner, Session, SessionState, Timestamp,
        query::ConversationQuery,
    },
    keys::{DataKey, Place},
    wire::{
        enums::{
            conversation_kind, evidence, owner, read_conversation_kind, read_evidence, read_owner,
            read_session_state, session_state,
        },
        profile::{profile, read_profile},
    },
};

const TABLE: Table = Table {
    name: "conversation",
    key: &["tenant", "account", "conversation_id"],
    columns: &[
        "tenant",
        "account",
        "conversation_id",
        "agent",
        "upstream_id",
        "upstream_epoch",
        "session",
        "session_state",
        "session_expires_at",
        "owner",
        "owner_epoch",
        "sequence",
        "ended_order",
        "profile_key_id",
        "profile",
        "kept",
        "created_at",
        "updated_at",
        "kind",
        "source",
        "owner_evidence",
        "owner_observed_at",
        "owner_expires_at",
        "human_joined",
        "owner_since",
    ],
};

/// Which key the profile and the kept parameters are sealed under.
const KEY: &str = "profile_key_id";

static FIND: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE tenant = $1 AND account = $2 AND conversation_id = $3"));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static EXPIRED: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE session_state = $1 AND session_expires_at <= $2 AND NOT EXISTS (
            SELECT 1 FROM delivery
            WHERE delivery.tenant = conversation.tenant AND delivery.account = conversation.account
                AND delivery.conversation_id = conversation.conversation_id
                AND delivery.finished_at IS NULL AND delivery.direction = 0
        ) ORDER BY session_expires_at LIMIT $3",
    )
});

const COUNT_UNKNOWN: &str = "SELECT COUNT(*) FROM conversation WHERE owner = $1 AND source = $2";
static UNKNOWN_OWNERS: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE owner = $1 AND source = $2 AND owner_since <= $3
            ORDER BY owner_since LIMIT $4",
    )
});

pub(super) async fn find(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
) -> Result<Option<Conversation>, Fault> {
    first_opened(db, keys, KEY, &FIND, key_values(key), read).await
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    conversation: &Conversation,
    now: Timestamp,
) -> Result<(), Fault> {
    let owner = data_key::Owner::Conversation(conversation.key.clone());
    let data_key = keys.sealing(db, &owner, now).await?;
    execute(db, &SAVE, values(conversation, &data_key)).await?;
    Ok(())
}

/// Sessions that ran out before `now`, of conversations whose lane is idle.
pub(super) async fn expired(
    db: &impl ConnectionTrait,
    keys: &Keys,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Conversation>, Fault> {
    let active = session_state(SessionState::Active) as i32;
    let values = [number(active), now.0.into(), number(limit)];
    all_opened(db, keys, KEY, &EXPIRED, values, read).await
}

/// Conversations of a source whose owner has been unknown since `before` or longer.
pub(super) async fn unknown_owners(
    db: &impl ConnectionTrait,
    keys: &Keys,
    source: &Id,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<Conversation>, Fault> {
    let unknown = owner(Owner::Unknown) as i32;
    let values = [
        number(unknown),
        source.as_str().into(),
        before.0.into(),
        number(limit),
    ];
    all_opened(db, keys, KEY, &UNKNOWN_OWNERS, values, read).await
}

pub(super) async fn count_unknown_owners(
    db: &impl ConnectionTrait,
    source: &Id,
) -> Result<usize, Fault> {
    let unknown = owner(Owner::Unknown) as i32;
    let values = [number(unknown), source.as_str().into()];
    let count = first(db, COUNT_UNKNOWN, values, |row| {
        row.number("COUNT(conversation)")
    });
    Ok(count.await?.unwrap_or(0))
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    keys: &Keys,
    query: &ConversationQuery,
) -> Result<Vec<Conversation>, Fault> {
    let (sql, values) = listing(query);
    all_opened(db, keys, KEY, &sql, values, read).await
}

pub(super) fn key_values(key: &ConversationKey) -> [Value; 3] {
    [
        key.tenant.as_str().into(),
        key.account.as_str().into(),
        key.id.as_str().into(),
    ]
}

/// The listing's text depends on the query's form alone, never on what it holds.
fn listing(query: &ConversationQuery) -> (String, Vec<Value>) {
    let mut sql = TABLE.select("WHERE 1 = 1");
    let mut values: Vec<Value> = Vec::new();
    let mut filter = |test: &str, wanted: Vec<Value>| {
        let places: Vec<_> = (values.len() + 1..=values.len() + wanted.len())
            .map(|place| format!("${place}"))
            .collect();
        write!(sql, " AND {test} ({})", places.join(", ")).expect("a String takes everything");
        values.extend(wanted);
    };
    if let Some(tenant) = &query.tenant {
        filter("tenant =", vec![tenant.as_str().into()]);
    }
    if !query.accounts.is_empty() {
        let accounts = query.accounts.iter().map(|id| id.as_str().into());
        filter("account IN", accounts.collect());
    }
    if !query.owners.is_empty() {
        let owners = query.owners.iter().map(|one| number(owner(*one) as i32));
        filter("owner IN", owners.collect());
    }
    if !query.session_states.is_empty() {
        let states = query.session_states.iter();
        let states = states.map(|one| number(session_state(*one) as i32));
        filter("session_state IN", states.collect());
    }
    if let Some(from) = query.updated_from {
        filter("updated_at >=", vec![from.0.into()]);
    }
    if let Some(before) = query.updated_before {
        filter("updated_at <", vec![before.0.into()]);
    }
    let (beyond, direction) = if query.oldest_first {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    if let Some((time, account, id)) = &query.after {
        let place = vec![time.0.into(), account.as_str().into(), id.as_str().into()];
        filter(
            &format!("(updated_at, account, conversation_id) {beyond}"),
            place,
        );
    }
    values.push(number(query.limit));
    let order =
        ["updated_at", "account", "conversation_id"].map(|column| format!("{column} {direction}"));
    write!(
        sql,
        " ORDER BY {} LIMIT ${}",
        order.join(", "),
        values.len()
    )
    .expect("a String takes everything");
    (sql, values)
}

/// Where something of a conversation stands.
fn place<'a>(row: &'a str, column: &'static str) -> Place<'a> {
    Place {
        table: TABLE.name,
        row,
        column,
    }
}

/// The key's parts cannot hold a line break.
fn row_name(key: &ConversationKey) -> String {
    format!("{}\n{}\n{}", key.tenant, key.account, key.id)
}

fn values(conversation: &Conversation, data_key: &DataKey) -> Vec<Value> {
    let Conversation {
        key,
        session,
        known,
        ..
    } = conversation;
    let row = row_name(key);
    let told = profile(conversation.visitor.as_ref(), &conversation.parameters);
    let told = data_key.seal(place(&row, "profile"), &told);
    let kept = data_key.seal(place(&row, "kept"), &profile(None, &conversation.kept));
    let mut values = Vec::with_capacity(TABLE.columns.len());
    values.extend(key_values(key));
    values.extend([
        conversation.agent.as_str().into(),
        conversation.upstream_id.as_str().into(),
        number(conversation.upstream_epoch),
        number(session.number),
        number(session_state(session.state) as i32),
        session.expires_at.0.into(),
        number(owner(conversation.owner) as i32),
        number(conversation.owner_epoch),
        number(conversation.sequence),
        number(conversation.ended_order),
        data_key.id().into(),
        told.into(),
        kept.into(),
        conversation.created_at.0.into(),
        conversation.updated_at.0.into(),
        number(conversation_kind(conversation.kind) as i32),
        conversation.source.as_ref().map(Id::as_str).into(),
        number(evidence(known.evidence) as i32),
        known.observed_at.0.into(),
        known.expires_at.map(|time| time.0).into(),
        conversation.human_joined.into(),
        conversation.owner_since.0.into(),
    ]);
    values
}

fn read(row: &mut Row<'_>) -> Result<Conversation, Fault> {
    let (key, agent, upstream_id) = (row.key()?, row.id()?, row.text()?);
    let upstream_epoch = row.number("conversation.upstream_epoch")?;
    let session = Session {
        number: row.number("conversation.session")?,
        state: row.code("conversation.session_state", read_session_state)?,
        expires_at: row.time()?,
    };
    let owner = row.code("conversation.owner", read_owner)?;
    let owner_epoch = row.number("conversation.owner_epoch")?;
    let sequence = row.number("conversation.sequence")?;
    let ended_order = row.number("conversation.ended_order")?;
    let (key_id, name) = (row.key_id()?, row_name(&key));
    let told = row.opened(key_id, place(&name, "profile"), "conversation.profile")?;
    let kept = row.opened(key_id, place(&name, "kept"), "conversation.kept")?;
    let (visitor, parameters) = read_profile(&told.unwrap_or_default())?;
    let (_, kept) = read_profile(&kept.unwrap_or_default())?;
    let (created_at, updated_at) = (row.time()?, row.time()?);
    Ok(Conversation {
        key,
        created_at,
        updated_at,
        kind: row.code("conversation.kind", read_conversation_kind)?,
        source: row.maybe_id()?,
        known: Known {
            evidence: row.code("conversation.owner_evidence", read_evidence)?,
            observed_at: row.time()?,
            expires_at: row.maybe_time()?,
        },
        human_joined: row.flag()?,
        owner_since: row.time()?,
        agent,
        upstream_id,
        upstream_epoch,
        session,
        owner,
        owner_epoch,
        sequence,
        ended_order,
        visitor,
        parameters,
        kept,
    })
}
