//! From the contract to the domain: one arm a kind. What this version does not know is an error, never a guess.

use parloir_proto::v1::{self, delivery_changed, event::Body};

use crate::{
    domain::{
        EventBody, Evidence, Id, Known, Question, Reason, Subject,
        event::{Intent, OpenQuestion},
    },
    wire::{
        Nonsense, answer,
        enums::{
            read_delivery_state, read_end_cause, read_evidence, read_owner,
            read_owner_change_cause, read_request_delivery, read_request_outcome,
        },
        human::read_human_message,
        message::{read_agent_message, read_visitor_message},
        parameter::{read_action_parameters, read_parameters},
        profile::read_visitor,
        time::{read_duration, read_timestamp},
    },
};

pub fn body(body: Body) -> Result<EventBody, Nonsense> {
    Ok(match body {
        Body::ConversationStarted(started) => EventBody::ConversationStarted {
            resumed: started.resumed,
            visitor: started.visitor.map(read_visitor),
            parameters: read_parameters(started.parameters),
            command_id: started.command_id,
        },
        Body::ConversationEnded(ended) => EventBody::ConversationEnded {
            cause: read_end_cause(ended.cause).ok_or(Nonsense("conversation_ended.cause"))?,
            command_id: ended.command_id,
        },
        Body::VisitorMessage(message) => EventBody::VisitorMessage(read_visitor_message(message)?),
        Body::DeliveryChanged(changed) => delivery_changed(changed)?,
        Body::AgentMessage(message) => EventBody::AgentMessage(read_agent_message(message)?),
        Body::ActionRequested(asked) => action(asked)?,
        Body::EscalationRequested(asked) => escalation(asked)?,
        Body::AvailabilityRequested(asked) => availability(asked)?,
        Body::RequestClosed(closed) => request_closed(closed)?,
        Body::OwnerChanged(changed) => owner_changed(changed)?,
        Body::HumanMessage(message) => EventBody::HumanMessage(read_human_message(message)?),
        Body::TicketReplied(reply) => EventBody::TicketReplied {
            text: reply.text,
            intents: reply.intents.into_iter().map(intent).collect(),
            attachments: reply.attachments,
            raw: reply.raw,
        },
        Body::ParametersUpdated(updated) => EventBody::ParametersUpdated {
            parameters: read_parameters(updated.parameters),
            command_id: updated.command_id,
            kept: updated.kept,
        },
        Body::PlatformAlert(alert) => EventBody::PlatformAlert {
            name: alert.name,
            raw: alert.raw,
        },
        Body::UnknownPlatformEvent(event) => EventBody::UnknownPlatformEvent {
            event_type: event.event_type,
            raw: event.raw,
        },
        Body::Erased(erased) => EventBody::Erased {
            receipt_id: erased.receipt_id,
            through_sequence: erased.through_sequence,
        },
    })
}

fn delivery_changed(changed: v1::DeliveryChanged) -> Result<EventBody, Nonsense> {
    let reason = match changed.reason.as_str() {
        "" => None,
        word => Some(Reason::parse(word).ok_or(Nonsense("delivery_changed.reason"))?),
    };
    let subject = changed
        .subject
        .ok_or(Nonsense("delivery_changed.subject"))?;
    Ok(EventBody::DeliveryChanged {
        subject: match subject {
            delivery_changed::Subject::MessageId(id) => Subject::Message(id),
            delivery_changed::Subject::CommandId(id) => Subject::Command(id),
            delivery_changed::Subject::RequestId(id) => Subject::Request(id),
            delivery_changed::Subject::EventId(id) => Subject::Event(id),
        },
        session: changed.session,
        state: read_delivery_state(changed.state).ok_or(Nonsense("delivery_changed.state"))?,
        reason,
        attempt: changed.attempt,
        detail: changed.detail,
    })
}

fn action(asked: v1::ActionRequested) -> Result<EventBody, Nonsense> {
    Ok(EventBody::Requested {
        request: open_question(&asked.request_id, asked.respond_by, asked.time_limit)?,
        answered_online: None,
        question: Question::Action {
            name: asked.name,
            parameters: read_action_parameters(asked.parameters),
            raw: asked.raw,
        },
    })
}

fn escalation(asked: v1::EscalationRequested) -> Result<EventBody, Nonsense> {
    Ok(EventBody::Requested {
        request: open_question(&asked.request_id, asked.respond_by, asked.time_limit)?,
        answered_online: None,
        question: Question::Escalation {
            target: asked.target,
            raw: asked.raw,
        },
    })
}

fn availability(asked: v1::AvailabilityRequested) -> Result<EventBody, Nonsense> {
    Ok(EventBody::Requested {
        request: open_question(&asked.request_id, asked.respond_by, asked.time_limit)?,
        answered_online: asked.answered_online,
        question: Question::Availability {
            team: asked.team,
            raw: asked.raw,
        },
    })
}

/// Absent where nobody waits.
fn open_question(
    request_id: &str,
    respond_by: Option<prost_types::Timestamp>,
    time_limit: Option<prost_types::Duration>,
) -> Result<Option<OpenQuestion>, Nonsense> {
    if request_id.is_empty() {
        return Ok(None);
    }
    Ok(Some(OpenQuestion {
        request_id: Id::trusted(request_id),
        respond_by: respond_by
            .as_ref()
            .and_then(read_timestamp)
            .ok_or(Nonsense("respond_by"))?,
        time_limit: time_limit
            .as_ref()
            .and_then(read_duration)
            .ok_or(Nonsense("time_limit"))?,
    }))
}

fn request_closed(closed: v1::RequestClosed) -> Result<EventBody, Nonsense> {
    Ok(EventBody::RequestClosed {
        request_id: Id::trusted(closed.request_id),
        outcome: read_request_outcome(closed.outcome).ok_or(Nonsense("request_closed.outcome"))?,
        answered_by: closed.answered_by,
        delivery: read_request_delivery(closed.delivery)
            .ok_or(Nonsense("request_closed.delivery"))?,
        answer: closed.answer.map(answer::read_closed),
    })
}

fn owner_changed(changed: v1::OwnerChanged) -> Result<EventBody, Nonsense> {
    Ok(EventBody::OwnerChanged {
        from: read_owner(changed.from).ok_or(Nonsense("owner_changed.from"))?,
        to: read_owner(changed.to).ok_or(Nonsense("owner_changed.to"))?,
        owner_epoch: changed.owner_epoch,
        cause: read_owner_change_cause(changed.cause).ok_or(Nonsense("owner_changed.cause"))?,
        note: changed.note,
        request_id: changed.request_id,
        command_id: changed.command_id,
        known: Known {
            // Written before evidence was kept: then nothing but callers and escalations changed an owner.
            evidence: read_evidence(changed.evidence).unwrap_or(Evidence::OwnAction),
            observed_at: changed
                .observe_time
                .as_ref()
                .and_then(read_timestamp)
                .unwrap_or_default(),
            expires_at: changed.expire_time.as_ref().and_then(read_timestamp),
        },
    })
}

fn intent(intent: v1::Intent) -> Intent {
    Intent {
        intent_id: intent.intent_id,
        name: intent.name,
        confidence: intent.confidence,
    }
}
