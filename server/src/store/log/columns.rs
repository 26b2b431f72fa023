//! A row of the log, as it travels or as the rules know it.

use std::sync::Arc;

use super::TABLE;
use crate::{
    domain::{
        ConversationKey, Event, EventBody, EventKind, Id, NewEvent, Position, StoredEvent,
        Timestamp,
    },
    keys::Place,
    store::{fault::Fault, row::Row},
    wire::{body, envelope::Envelope},
};

/// An event as it travels, and its `sequence`.
pub(super) fn stored(row: &mut Row<'_>) -> Result<(u64, StoredEvent), Fault> {
    let columns = Columns::read(row)?;
    Ok((columns.sequence, columns.stored()))
}

/// An event as the rules know it.
pub(super) fn fact(row: &mut Row<'_>) -> Result<Event, Fault> {
    Ok(Columns::read(row)?.fact())
}

/// An event as it travels and as the rules know it.
pub(super) fn both(row: &mut Row<'_>) -> Result<(StoredEvent, Arc<Event>), Fault> {
    let columns = Columns::read(row)?;
    let stored = columns.stored();
    Ok((stored, Arc::new(columns.fact())))
}

/// The columns of a row, as they are.
struct Columns {
    position: Position,
    event_id: String,
    tenant: String,
    account: Option<String>,
    agent: String,
    conversation_id: Option<String>,
    session: u32,
    sequence: u64,
    owner_epoch: u64,
    superseded: bool,
    kind: EventKind,
    recorded_at: Timestamp,
    traceparent: String,
    body: Vec<u8>,
}

impl Columns {
    fn stored(&self) -> StoredEvent {
        let envelope = Envelope {
            event_id: &self.event_id,
            tenant: &self.tenant,
            account: self.account.as_deref().unwrap_or_default(),
            agent: &self.agent,
            conversation_id: self.conversation_id.as_deref().unwrap_or_default(),
            session: self.session,
            sequence: self.sequence,
            owner_epoch: self.owner_epoch,
            superseded: self.superseded,
            recorded_at: self.recorded_at,
            traceparent: &self.traceparent,
        };
        StoredEvent {
            position: self.position,
            tenant: Id::trusted(self.tenant.as_str()),
            agent: Id::trusted(self.agent.as_str()),
            account: self.account.as_deref().map(Id::trusted),
            conversation_id: self.conversation_id.as_deref().map(Id::trusted),
            kind: self.kind,
            bytes: envelope.with_body(&self.body),
        }
    }

    fn fact(self) -> Event {
        let tenant = Id::trusted(self.tenant);
        let key = self.account.zip(self.conversation_id);
        let (position, kind) = (self.position, self.kind);
        let body = body::decode(&self.body).unwrap_or_else(|_| {
            if !matches!(kind, EventKind::Later(_)) {
                tracing::warn!(
                    position = position.0,
                    ?kind,
                    "an event has a body that this version cannot read"
                );
            }
            // Rather that nobody makes anything of it than that a version which reads less than another stands still.
            EventBody::Unread {
                kind,
                body: self.body,
            }
        });
        Event {
            position: self.position,
            recorded_at: self.recorded_at,
            fact: NewEvent {
                event_id: Id::trusted(self.event_id),
                agent: Id::trusted(self.agent),
                key: key.map(|(account, id)| ConversationKey {
                    tenant: tenant.clone(),
                    account: Id::trusted(account),
                    id: Id::trusted(id),
                }),
                tenant,
                session: self.session,
                sequence: self.sequence,
                owner_epoch: self.owner_epoch,
                superseded: self.superseded,
                traceparent: self.traceparent,
                body,
            },
        }
    }

    fn read(row: &mut Row<'_>) -> Result<Self, Fault> {
        row.number::<i64>("event.log_id")?;
        let position = Position(row.number("event.position")?);
        let columns = Self {
            position,
            event_id: row.text()?,
            tenant: row.text()?,
            account: row.maybe_text()?,
            agent: row.text()?,
            conversation_id: row.maybe_text()?,
            session: row.number("event.session")?,
            sequence: row.number("event.sequence")?,
            owner_epoch: row.number("event.owner_epoch")?,
            superseded: row.flag()?,
            kind: EventKind::from_number(row.number("event.kind")?),
            recorded_at: row.time()?,
            traceparent: row.text()?,
            body: body_of(row, position)?,
        };
        Ok(columns)
    }
}

/// Where a body stands.
pub(super) fn place(position: &str) -> Place<'_> {
    Place {
        table: TABLE.name,
        row: position,
        column: "body",
    }
}

/// Where its key is gone, what stood there is.
fn body_of(row: &mut Row<'_>, position: Position) -> Result<Vec<u8>, Fault> {
    let key_id = row.key_id()?;
    let at = position.0.to_string();
    let body = row.opened(key_id, place(&at), "event.body")?;
    Ok(body.unwrap_or_else(|| body::encode(&EventBody::erased())))
}
