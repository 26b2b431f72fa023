//! The log, tables `log_head` and `event`: its statements are the hot ones. Rows are only added, and removed by age.

mod columns;
mod pick;
mod read;
mod write;

pub(super) use self::{
    pick::{at, from_in_conversation, recorded_at},
    read::{
        Head, events, first_sequence, head, page, position_before, position_of, position_of_event,
        tail, with_id, with_sequence,
    },
    write::{advance, insert, key_destroyed},
};

use super::table::Table;

/// There is one log so far; every statement names it, so that there can be more.
const LOG: i64 = 0;

/// Which key a body is sealed under.
const KEY: &str = "body_key_id";

const TABLE: Table = Table {
    name: "event",
    key: &["log_id", "position"],
    columns: &[
        "log_id",
        "position",
        "event_id",
        "tenant",
        "account",
        "agent",
        "conversation_id",
        "session",
        "sequence",
        "owner_epoch",
        "superseded",
        "kind",
        "recorded_at",
        "traceparent",
        "body_key_id",
        "body",
    ],
};
