//! From the domain to the contract: one arm a kind.

use parloir_proto::v1::{self, delivery_changed, event::Body};

use crate::{
    domain::{
        EventBody, Question, Reason, Subject,
        event::{Intent, OpenQuestion},
    },
    wire::{
        answer,
        enums::{
            delivery_state, end_cause, evidence, owner, owner_change_cause, request_delivery,
            request_outcome,
        },
        human::human_message,
        message::{agent_message, visitor_message},
        parameter::{action_parameters, parameters},
        profile::visitor,
        time::{duration, timestamp},
    },
};

/// Absent: it was never read, so its bytes are all there is.
#[expect(clippy::too_many_lines, reason = "a flat list, one arm a kind")]
pub fn body(body: &EventBody) -> Option<Body> {
    Some(match body {
        EventBody::ConversationStarted {
            resumed,
            visitor: visiting,
            parameters: given,
            command_id,
        } => Body::ConversationStarted(v1::ConversationStarted {
            resumed: *resumed,
            visitor: visiting.as_ref().map(visitor),
            parameters: parameters(given),
            command_id: command_id.clone(),
        }),
        EventBody::ConversationEnded { cause, command_id } => {
            Body::ConversationEnded(v1::ConversationEnded {
                cause: end_cause(*cause).into(),
                command_id: command_id.clone(),
            })
        }
        EventBody::VisitorMessage(message) => Body::VisitorMessage(visitor_message(message)),
        EventBody::DeliveryChanged {
            subject: whose,
            session,
            state,
            reason,
            attempt,
            detail,
        } => Body::DeliveryChanged(v1::DeliveryChanged {
            subject: Some(subject(whose)),
            session: *session,
            state: delivery_state(*state).into(),
            reason: reason.map(Reason::as_str).unwrap_or_default().to_owned(),
            attempt: *attempt,
            detail: detail.clone(),
        }),
        EventBody::AgentMessage(message) => Body::AgentMessage(agent_message(message)),
        EventBody::Requested {
            request,
            answered_online,
            question,
        } => requested(request.as_ref(), *answered_online, question),
        EventBody::RequestClosed {
            request_id,
            outcome,
            answered_by,
            delivery,
            answer,
        } => Body::RequestClosed(v1::RequestClosed {
            request_id: request_id.to_string(),
            outcome: request_outcome(*outcome).into(),
            answered_by: answered_by.clone(),
            delivery: request_delivery(*delivery).into(),
            answer: answer.as_ref().map(answer::closed),
        }),
        EventBody::OwnerChanged {
            from,
            to,
            owner_epoch,
            cause,
            note,
            request_id,
            command_id,
            known,
        } => Body::OwnerChanged(v1::OwnerChanged {
            from: owner(*from).into(),
            to: owner(*to).into(),
            owner_epoch: *owner_epoch,
            cause: owner_change_cause(*cause).into(),
            note: note.clone(),
            request_id: request_id.clone(),
            command_id: command_id.clone(),
            evidence: evidence(known.evidence).into(),
            observe_time: Some(timestamp(known.observed_at)),
            expire_time: known.expires_at.map(timestamp),
        }),
        EventBody::HumanMessage(message) => Body::HumanMessage(human_message(message)),
        EventBody::TicketReplied {
            text,
            intents,
            attachments,
            raw,
        } => Body::TicketReplied(v1::TicketReplied {
            text: text.clone(),
            intents: intents.iter().map(intent).collect(),
            attachments: attachments.clone(),
            raw: raw.clone(),
        }),
        EventBody::ParametersUpdated {
            parameters: given,
            command_id,
            kept,
        } => Body::ParametersUpdated(v1::ParametersUpdated {
            parameters: parameters(given),
            command_id: command_id.clone(),
            kept: *kept,
        }),
        EventBody::PlatformAlert { name, raw } => Body::PlatformAlert(v1::PlatformAlert {
            name: name.clone(),
            raw: raw.clone(),
        }),
        EventBody::UnknownPlatformEvent { event_type, raw } => {
            Body::UnknownPlatformEvent(v1::UnknownPlatformEvent {
                event_type: event_type.clone(),
                raw: raw.clone(),
            })
        }
        EventBody::Erased {
            receipt_id,
            through_sequence,
        } => Body::Erased(v1::Erased {
            receipt_id: receipt_id.clone(),
            through_sequence: *through_sequence,
        }),
        EventBody::Unread { .. } => return None,
    })
}

fn subject(subject: &Subject) -> delivery_changed::Subject {
    match subject {
        Subject::Message(id) => delivery_changed::Subject::MessageId(id.clone()),
        Subject::Command(id) => delivery_changed::Subject::CommandId(id.clone()),
        Subject::Request(id) => delivery_changed::Subject::RequestId(id.clone()),
        Subject::Event(id) => delivery_changed::Subject::EventId(id.clone()),
    }
}

fn requested(
    request: Option<&OpenQuestion>,
    answered_online: Option<bool>,
    question: &Question,
) -> Body {
    let request_id = request.map_or_else(String::new, |open| open.request_id.to_string());
    let respond_by = request.map(|open| timestamp(open.respond_by));
    let time_limit = request.map(|open| duration(open.time_limit));
    match question {
        Question::Action {
            name,
            parameters,
            raw,
        } => Body::ActionRequested(v1::ActionRequested {
            request_id,
            respond_by,
            time_limit,
            name: name.clone(),
            parameters: action_parameters(parameters),
            raw: raw.clone(),
        }),
        Question::Escalation { target, raw } => {
            Body::EscalationRequested(v1::EscalationRequested {
                request_id,
                respond_by,
                time_limit,
                target: target.clone(),
                raw: raw.clone(),
            })
        }
        Question::Availability { team, raw } => {
            Body::AvailabilityRequested(v1::AvailabilityRequested {
                request_id,
                respond_by,
                time_limit,
                team: team.clone(),
                answered_online,
                raw: raw.clone(),
            })
        }
    }
}

fn intent(intent: &Intent) -> v1::Intent {
    v1::Intent {
        intent_id: intent.intent_id.clone(),
        name: intent.name.clone(),
        confidence: intent.confidence,
    }
}
