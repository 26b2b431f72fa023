//! Table `contact`: the visitors whom sources have brought.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

use super::{
    conversation::key_values,
    data_key,
    fault::Fault,
    row::Row,
    sealing::Keys,
    table::{Table, all_opened, execute, first_opened, number},
};
use crate::{
    domain::{ConversationKey, Id, KnownContact, Timestamp, query::ContactQuery},
    keys::{DataKey, Place},
};

const TABLE: Table = Table {
    name: "contact",
    key: &["id"],
    columns: &[
        "id",
        "source",
        "tenant",
        "account",
        "conversation_id",
        "address_key_id",
        "address",
        "seen_at",
        "spoke_at",
        "numbered",
    ],
};

/// Which key the address is sealed under.
const KEY: &str = "address_key_id";

static FIND: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE id = $1"));
static OF: LazyLock<String> =
    LazyLock::new(|| TABLE.select("WHERE tenant = $1 AND account = $2 AND conversation_id = $3"));
static SAVE: LazyLock<String> = LazyLock::new(|| TABLE.upsert());
static LIST: LazyLock<String> = LazyLock::new(|| {
    TABLE.select(
        "WHERE tenant = $1 AND account = $2 AND ($3 = '' OR conversation_id = $3)
            AND (seen_at < $4 OR seen_at = $4 AND id < $5)
            ORDER BY seen_at DESC, id DESC LIMIT $6",
    )
});

pub(super) async fn find(
    db: &impl ConnectionTrait,
    keys: &Keys,
    id: &Id,
) -> Result<Option<KnownContact>, Fault> {
    first_opened(db, keys, KEY, &FIND, [id.as_str().into()], read).await
}

pub(super) async fn of(
    db: &impl ConnectionTrait,
    keys: &Keys,
    key: &ConversationKey,
) -> Result<Option<KnownContact>, Fault> {
    first_opened(db, keys, KEY, &OF, key_values(key), read).await
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    keys: &mut Keys,
    contact: &KnownContact,
    now: Timestamp,
) -> Result<(), Fault> {
    let owner = data_key::Owner::Conversation(contact.key.clone());
    let data_key = keys.sealing(db, &owner, now).await?;
    execute(db, &SAVE, values(contact, &data_key)).await?;
    Ok(())
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    keys: &Keys,
    query: &ContactQuery,
) -> Result<Vec<KnownContact>, Fault> {
    let (seen_at, id) = match &query.after {
        Some((seen_at, id)) => (seen_at.0, id.as_str()),
        None => (i64::MAX, ""),
    };
    let conversation = query.conversation_id.as_ref().map_or("", Id::as_str);
    let values = [
        query.tenant.as_str().into(),
        query.account.as_str().into(),
        conversation.into(),
        seen_at.into(),
        id.into(),
        number(query.limit),
    ];
    all_opened(db, keys, KEY, &LIST, values, read).await
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row,
        column: "address",
    }
}

fn values(contact: &KnownContact, data_key: &DataKey) -> Vec<Value> {
    let mut values = Vec::with_capacity(TABLE.columns.len());
    values.extend([contact.id.as_str().into(), contact.source.as_str().into()]);
    values.extend(key_values(&contact.key));
    values.extend([
        data_key.id().into(),
        data_key
            .seal(place(contact.id.as_str()), contact.address.as_bytes())
            .into(),
        contact.seen_at.0.into(),
        contact.spoke_at.0.into(),
        number(contact.numbered),
    ]);
    values
}

fn read(row: &mut Row<'_>) -> Result<KnownContact, Fault> {
    let (id, source, key) = (row.id()?, row.id()?, row.key()?);
    let key_id = row.key_id()?;
    let address = row.opened(key_id, place(id.as_str()), "contact.address")?;
    let address = String::from_utf8(address.unwrap_or_default())
        .map_err(|_| Fault::Nonsense("contact.address"))?;
    Ok(KnownContact {
        id,
        source,
        key,
        address,
        seen_at: row.time()?,
        spoke_at: row.time()?,
        numbered: row.number("contact.numbered")?,
    })
}
