//! Conversations, deliveries and cursors as callers see them.

use parloir_proto::v1;

use crate::{
    domain::{
        Conversation, Cursor, Delivery, Id, Position, Reason, Request, SessionState, Timestamp,
        parameter,
    },
    wire::{
        enums::{conversation_kind, delivery_state, evidence, owner, request_kind, session_state},
        parameter::parameters,
        profile::visitor,
        time::timestamp,
    },
};

pub(super) fn cursor(position: Position, epoch: u64) -> String {
    // One log so far.
    let log_id = 0;
    Cursor {
        epoch,
        log_id,
        position,
    }
    .encode()
}

pub(super) fn delivery(delivery: &Delivery) -> v1::Delivery {
    v1::Delivery {
        state: delivery_state(delivery.state).into(),
        reason: delivery.reason.map_or("", Reason::as_str).to_owned(),
        attempt: delivery.attempt,
        session: delivery.session,
    }
}

/// The whole conversation; `last` is the position of its newest event.
pub(super) fn conversation(
    conversation: &Conversation,
    open: &[Request],
    last: Position,
    epoch: u64,
) -> v1::Conversation {
    let mut known = conversation.parameters.clone();
    parameter::merge(&mut known, &conversation.kept);
    v1::Conversation {
        parameters: parameters(&known),
        open_requests: open.iter().map(open_request).collect(),
        ..listed(conversation, last, epoch)
    }
}

/// Leaves out the values that are personal: their keys tell that there are some.
pub(super) fn hide_personal(conversation: &mut v1::Conversation) {
    for parameter in &mut conversation.parameters {
        if parameter.personal {
            parameter.value.clear();
        }
    }
}

/// The conversation as a list shows it: without parameters and open requests.
pub(super) fn listed(conversation: &Conversation, last: Position, epoch: u64) -> v1::Conversation {
    let session = &conversation.session;
    let expires_at = (session.state == SessionState::Active).then(|| timestamp(session.expires_at));
    v1::Conversation {
        account: conversation.key.account.to_string(),
        conversation_id: conversation.key.id.to_string(),
        agent: conversation.agent.to_string(),
        visitor: conversation.visitor.as_ref().map(visitor),
        session: session.number,
        session_state: session_state(session.state).into(),
        session_expires_at: expires_at,
        owner: owner(conversation.owner).into(),
        owner_epoch: conversation.owner_epoch,
        parameters: Vec::new(),
        open_requests: Vec::new(),
        last_cursor: cursor(last, epoch),
        last_sequence: conversation.sequence,
        create_time: Some(timestamp(conversation.created_at)),
        update_time: Some(timestamp(conversation.updated_at)),
        kind: conversation_kind(conversation.kind).into(),
        source: conversation
            .source
            .as_ref()
            .map(Id::to_string)
            .unwrap_or_default(),
        owner_evidence: evidence(conversation.known.evidence).into(),
        // Not known of conversations from before it was kept.
        owner_observe_time: (conversation.known.observed_at != Timestamp::default())
            .then(|| timestamp(conversation.known.observed_at)),
        owner_expire_time: conversation.known.expires_at.map(timestamp),
    }
}

fn open_request(request: &Request) -> v1::OpenRequest {
    v1::OpenRequest {
        request_id: request.id.to_string(),
        kind: request_kind(request.kind).into(),
        respond_by: Some(timestamp(request.respond_by)),
    }
}
