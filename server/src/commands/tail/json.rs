//! An event as one JSON object: the names of the contract, always all of them, enum values by their name.
//!
//! Every message is taken apart field by field, so that a field added to the contract does not compile until it is
//! written here.

mod body;
mod parts;

use parloir_proto::v1::{DeliveredEvent, Event};
use serde_json::{Value, json};

use super::terminal;
pub(in crate::commands) use parts::{duration, timestamp};

/// `cursor` and the fields of `Event` side by side; its `oneof body` as `kind` (the name of the part) and `body`. Times
/// are RFC 3339 in UTC, durations seconds, what is absent is null.
pub(super) fn object(delivered: &DeliveredEvent) -> Value {
    let DeliveredEvent {
        event,
        cursor,
        ack_id,
        attempt,
        time_left,
    } = delivered;
    let Some(event) = event else {
        return json!({ "cursor": cursor });
    };
    let Event {
        event_id,
        tenant,
        account,
        agent,
        conversation_id,
        session,
        sequence,
        owner_epoch,
        superseded,
        recorded_at,
        traceparent,
        body,
    } = event;
    json!({
        "cursor": cursor,
        "ack_id": ack_id,
        "attempt": attempt,
        "time_left": duration(time_left.as_ref()),
        "event_id": event_id,
        "tenant": tenant,
        "account": account,
        "agent": agent,
        "conversation_id": conversation_id,
        "session": session,
        "sequence": sequence,
        "owner_epoch": owner_epoch,
        "superseded": superseded,
        "recorded_at": timestamp(recorded_at.as_ref()),
        "traceparent": traceparent,
        "kind": terminal::kind(event),
        "body": body.as_ref().map(body::value),
    })
}
