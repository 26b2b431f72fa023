//! Recording an event of a conversation.

use crate::domain::{Conversation, EventBody, Id, NewEvent, ports::Transaction};

/// Where an event was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub event_id: Id,
    /// Among the unit's events, from 0.
    pub index: usize,
    pub sequence: u64,
}

/// Records `body` as the conversation's next event. The caller saves the conversation in the same transaction.
pub fn record(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    traceparent: &str,
    body: EventBody,
) -> Recorded {
    let epoch = conversation.owner_epoch;
    record_under(tx, conversation, traceparent, epoch, false, body)
}

/// As [`record`], under the owner epoch that the fact belongs to rather than today's.
pub fn record_under(
    tx: &mut dyn Transaction,
    conversation: &mut Conversation,
    traceparent: &str,
    owner_epoch: u64,
    superseded: bool,
    body: EventBody,
) -> Recorded {
    let sequence = conversation.next_sequence();
    conversation.updated_at = tx.now();
    let event_id = Id::generate();
    let index = tx.append(NewEvent {
        event_id: event_id.clone(),
        tenant: conversation.key.tenant.clone(),
        agent: conversation.agent.clone(),
        key: Some(conversation.key.clone()),
        session: conversation.session.number,
        sequence,
        owner_epoch,
        superseded,
        traceparent: traceparent.to_owned(),
        body,
    });
    Recorded {
        event_id,
        index,
        sequence,
    }
}

/// Records an event of an agent that belongs to no conversation.
pub fn record_apart(
    tx: &mut dyn Transaction,
    tenant: &Id,
    agent: &Id,
    traceparent: &str,
    body: EventBody,
) -> Recorded {
    let event_id = Id::generate();
    let index = tx.append(NewEvent {
        event_id: event_id.clone(),
        tenant: tenant.clone(),
        agent: agent.clone(),
        key: None,
        session: 0,
        sequence: 0,
        owner_epoch: 0,
        superseded: false,
        traceparent: traceparent.to_owned(),
        body,
    });
    Recorded {
        event_id,
        index,
        sequence: 0,
    }
}
