//! Table `platform_event`: which of the platforms' own events came before.

use std::sync::LazyLock;

use sea_orm::ConnectionTrait;

use super::{
    fault::Fault,
    table::{Table, execute},
};
use crate::domain::{Id, Timestamp};

const TABLE: Table = Table {
    name: "platform_event",
    key: &["agent", "fingerprint"],
    columns: &["agent", "fingerprint", "seen_at"],
};

static NOTE: LazyLock<String> = LazyLock::new(|| TABLE.insert_new());

/// False: it came before.
pub(super) async fn first_seen(
    db: &impl ConnectionTrait,
    agent: &Id,
    fingerprint: Vec<u8>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let values = [agent.as_str().into(), fingerprint.into(), now.0.into()];
    Ok(execute(db, &NOTE, values).await? == 1)
}
