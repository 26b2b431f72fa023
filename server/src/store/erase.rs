//! Erasing in place: positions stay without gaps, what stood there is gone. `secure_delete` overwrites what is freed.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Value};

use super::{conversation::key_values, fault::Fault, table::execute};
use crate::domain::{ConversationKey, Event, EventBody};

/// Sealed bodies are gone with their key; those from before there were keys are overwritten. No key has a negative id.
const BODIES: &str = "UPDATE event SET body = $4, body_key_id = -1
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND body_key_id = 0";
/// What the other side answered may repeat what was said, and its ids may hold a phone number.
const DETAILS: &str =
    "UPDATE delivery SET detail = '', detail_key_id = 0, sealed_detail = NULL, remote_id = ''
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3
        AND (detail <> '' OR detail_key_id <> 0 OR remote_id <> '')";
/// Who answered may be a person's name.
const NAMES: &str =
    "UPDATE request SET answered_by = '', answered_by_key_id = 0, sealed_answered_by = NULL
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3 AND closed_at IS NOT NULL";
const CONTACT: &str = "DELETE FROM contact
    WHERE tenant = $1 AND account = $2 AND conversation_id = $3";

/// Everything of a conversation that holds words.
pub(super) async fn words(db: &impl ConnectionTrait, key: &ConversationKey) -> Result<(), Fault> {
    let [tenant, account, id] = key_values(key);
    execute(db, BODIES, [tenant, account, id, nothing()]).await?;
    for sql in [DETAILS, NAMES, CONTACT] {
        execute(db, sql, key_values(key)).await?;
    }
    Ok(())
}

/// Bytes that there are none of.
pub(super) fn nothing() -> Value {
    Vec::<u8>::new().into()
}

/// Events of the conversation that others have appended in the same transaction and that are not written yet.
pub(super) fn appended(events: &mut [Arc<Event>], key: &ConversationKey) {
    let of_it = events
        .iter_mut()
        .filter(|event| event.fact.key.as_ref() == Some(key));
    for event in of_it {
        Arc::make_mut(event).fact.body = EventBody::erased();
    }
}
