//! Which lanes have something to do.

use sea_orm::{ConnectionTrait, Value};

use super::codes::{direction, direction_number};
use crate::{
    domain::{DeliveryState, LaneKey, Timestamp},
    store::{
        conversation::key_values,
        fault::Fault,
        row::Row,
        table::{all, number},
    },
    wire::enums::delivery_state,
};

const BUSY_LANES: &str = "SELECT DISTINCT tenant, account, conversation_id, direction FROM delivery
    WHERE finished_at IS NULL";
/// Reads what is not final, which has indexes of its own, and nothing else.
pub(in crate::store) const IDLE_LANES: &str =
    "SELECT tenant, account, conversation_id, direction FROM delivery
    WHERE finished_at IS NULL AND (tenant, account, conversation_id, direction) > ($3, $4, $5, $6)
    GROUP BY tenant, account, conversation_id, direction
    HAVING MAX(CASE WHEN state = $1 AND queued_at <= $2 AND not_before <= $2 THEN 1 ELSE 0 END) = 1
        AND MAX(CASE WHEN state = $7 THEN 1 ELSE 0 END) = 0
    ORDER BY tenant, account, conversation_id, direction LIMIT $8";

pub(in crate::store) async fn busy_lanes(db: &impl ConnectionTrait) -> Result<Vec<LaneKey>, Fault> {
    all(db, BUSY_LANES, [], lane).await
}

pub(in crate::store) async fn idle_lanes(
    db: &impl ConnectionTrait,
    since: Timestamp,
    after: Option<&LaneKey>,
    limit: usize,
) -> Result<Vec<LaneKey>, Fault> {
    let state = |state| number(delivery_state(state) as i32);
    // Nothing is before an empty tenant.
    let (key, after) = after.map_or_else(
        || (["", "", ""].map(Value::from), number(-1)),
        |lane| {
            (
                key_values(&lane.conversation),
                number(direction_number(lane.direction)),
            )
        },
    );
    let [tenant, account, id] = key;
    let values = [
        state(DeliveryState::Queued),
        since.0.into(),
        tenant,
        account,
        id,
        after,
        state(DeliveryState::Attempting),
        number(limit),
    ];
    all(db, IDLE_LANES, values, lane).await
}

fn lane(row: &mut Row<'_>) -> Result<LaneKey, Fault> {
    Ok(LaneKey {
        conversation: row.key()?,
        direction: row.code("delivery.direction", direction)?,
    })
}
