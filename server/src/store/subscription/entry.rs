//! Table `subscription_entry`.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

use super::{key_values, pieces};
use crate::{
    domain::{
        ConversationKey, Id, Position,
        subscription::{Asked, Entry, State, SubscriptionKey},
    },
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute, number, places},
    },
};

const TABLE: Table = Table {
    name: "subscription_entry",
    key: &["tenant", "name", "position"],
    columns: &[
        "tenant",
        "name",
        "position",
        "slot",
        "account",
        "conversation_id",
        "token",
        "attempt",
        "state",
        "member",
        "at",
        "request_id",
        "respond_by",
        "moves_at",
    ],
};

const IN_FLIGHT: i32 = 1;
const WAITING: i32 = 2;
const PARKED: i32 = 3;
const DONE: i32 = 4;

static ALL: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE tenant = $1 AND name = $2 ORDER BY position"));
/// Of those that are in flight or wait.
const ANSWERED: &str = "UPDATE subscription_entry SET state = 4, member = NULL, at = NULL
    WHERE tenant = $1 AND request_id = $2 AND state IN (1, 2)";

pub(super) async fn all_of(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
) -> Result<Vec<Entry>, Fault> {
    all(db, &ALL, key_values(key), read).await
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
    entries: &[Entry],
) -> Result<(), Fault> {
    for piece in pieces(entries) {
        let values = piece.iter().flat_map(|entry| values(key, entry));
        execute(db, &TABLE.upsert_rows(piece.len()), values).await?;
    }
    Ok(())
}

pub(super) async fn remove(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
    positions: &[Position],
) -> Result<(), Fault> {
    for piece in pieces(positions) {
        let sql = format!(
            "DELETE FROM subscription_entry WHERE tenant = $1 AND name = $2 AND position IN ({})",
            places(3, piece.len())
        );
        let positions = piece.iter().map(|position| number(position.0));
        execute(db, &sql, key_values(key).into_iter().chain(positions)).await?;
    }
    Ok(())
}

/// Answers how many that were.
pub(super) async fn answered(
    db: &impl ConnectionTrait,
    tenant: &Id,
    request_id: &Id,
) -> Result<u64, Fault> {
    let values = [tenant.as_str().into(), request_id.as_str().into()];
    Ok(execute(db, ANSWERED, values).await?)
}

fn values(key: &SubscriptionKey, entry: &Entry) -> [Value; 14] {
    let [tenant, name] = key_values(key);
    let conversation = entry.conversation.as_ref();
    let (state, member, at) = match &entry.state {
        State::InFlight { member, until } => (IN_FLIGHT, Some(member.as_str()), *until),
        State::Waiting { due } => (WAITING, None, Some(*due)),
        State::Parked { at } => (PARKED, None, Some(*at)),
        State::Done => (DONE, None, None),
    };
    let asked = entry.asked.as_ref();
    [
        tenant,
        name,
        number(entry.position.0),
        number(entry.slot),
        conversation.map(|key| key.account.as_str()).into(),
        conversation.map(|key| key.id.as_str()).into(),
        number(entry.token),
        number(entry.attempt),
        number(state),
        member.into(),
        at.map(|at| at.0).into(),
        asked.map(|asked| asked.request_id.as_str()).into(),
        asked.map(|asked| asked.respond_by.0).into(),
        asked.map(|asked| asked.moves_at.0).into(),
    ]
}

fn read(row: &mut Row<'_>) -> Result<Entry, Fault> {
    let tenant = row.id()?;
    row.text()?;
    let position = Position(row.number("subscription_entry.position")?);
    let slot = row.number("subscription_entry.slot")?;
    let conversation = row.maybe_id()?.zip(row.maybe_id()?);
    let token = row.number("subscription_entry.token")?;
    let attempt = row.number("subscription_entry.attempt")?;
    let state: i32 = row.number("subscription_entry.state")?;
    let (member, at) = (row.maybe_id()?, row.maybe_time()?);
    let asked = (row.maybe_id()?, row.maybe_time()?, row.maybe_time()?);
    let state = match (state, member, at) {
        (IN_FLIGHT, Some(member), until) => State::InFlight { member, until },
        (WAITING, _, Some(due)) => State::Waiting { due },
        (PARKED, _, Some(at)) => State::Parked { at },
        (DONE, _, _) => State::Done,
        _ => return Err(Fault::Nonsense("subscription_entry.state")),
    };
    Ok(Entry {
        position,
        slot,
        conversation: conversation.map(|(account, id)| ConversationKey {
            tenant,
            account,
            id,
        }),
        token,
        attempt,
        state,
        asked: match asked {
            (Some(request_id), Some(respond_by), Some(moves_at)) => Some(Asked {
                request_id,
                respond_by,
                moves_at,
            }),
            _ => None,
        },
    })
}
