//! Table `subscription_held_back`.

use std::sync::LazyLock;

use sea_orm::{ConnectionTrait, Value};

use super::{key_values, pieces};
use crate::{
    domain::{
        ConversationKey, Position,
        subscription::{HeldBack, SubscriptionKey},
    },
    store::{
        fault::Fault,
        row::Row,
        table::{Table, all, execute, number},
    },
};

const TABLE: Table = Table {
    name: "subscription_held_back",
    key: &["tenant", "name", "account", "conversation_id"],
    columns: &[
        "tenant",
        "name",
        "account",
        "conversation_id",
        "from_position",
        "through_position",
    ],
};

static ALL: LazyLock<String> = LazyLock::new(|| TABLE.select("WHERE tenant = $1 AND name = $2"));

pub(super) async fn all_of(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
) -> Result<Vec<(ConversationKey, HeldBack)>, Fault> {
    all(db, &ALL, key_values(key), read).await
}

pub(super) async fn save(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
    held: &[(ConversationKey, HeldBack)],
) -> Result<(), Fault> {
    for piece in pieces(held) {
        let values = piece.iter().flat_map(|(conversation, held)| {
            let [tenant, name] = key_values(key);
            [
                tenant,
                name,
                conversation.account.as_str().into(),
                conversation.id.as_str().into(),
                held.from.map_or(Value::BigInt(None), |from| number(from.0)),
                number(held.through.0),
            ]
        });
        execute(db, &TABLE.upsert_rows(piece.len()), values).await?;
    }
    Ok(())
}

pub(super) async fn remove(
    db: &impl ConnectionTrait,
    key: &SubscriptionKey,
    conversations: &[ConversationKey],
) -> Result<(), Fault> {
    for piece in pieces(conversations) {
        let pairs: Vec<_> = (0..piece.len())
            .map(|pair| format!("(${}, ${})", 3 + 2 * pair, 4 + 2 * pair))
            .collect();
        let sql = format!(
            "DELETE FROM subscription_held_back WHERE tenant = $1 AND name = $2
                AND (account, conversation_id) IN (VALUES {})",
            pairs.join(", ")
        );
        let pairs = piece
            .iter()
            .flat_map(|key| [key.account.as_str().into(), key.id.as_str().into()]);
        execute(db, &sql, key_values(key).into_iter().chain(pairs)).await?;
    }
    Ok(())
}

fn read(row: &mut Row<'_>) -> Result<(ConversationKey, HeldBack), Fault> {
    let tenant = row.id()?;
    row.text()?;
    let conversation = ConversationKey {
        tenant,
        account: row.id()?,
        id: row.id()?,
    };
    let from: Option<u64> = row.maybe_number("subscription_held_back.from_position")?;
    let through = Position(row.number("subscription_held_back.through_position")?);
    let held = HeldBack {
        from: from.map(Position),
        through,
    };
    Ok((conversation, held))
}
