//! The kinds of event as JSON. A `oneof` becomes the field that is set; the others are absent.

use parloir_proto::v1::{
    ActionRequested, ActionResults, AgentMessage, AvailabilityAnswer, AvailabilityRequested,
    ConversationEnded, ConversationStarted, DeferredAnswer, DeliveryChanged, Erased,
    EscalationDecision, EscalationRequested, HumanMessage, OwnerChanged, ParametersUpdated,
    PlatformAlert, RequestClosed, RequestFailure, TicketReplied, UnknownPlatformEvent,
    VisitorMessage, delivery_changed::Subject, event::Body, request_closed::Answer,
    visitor_message::Content,
};
use serde_json::{Value, json};

use super::parts::{
    action_parameters, buttons, cards, choice, duration, intents, parameters, timestamp, visitor,
};

pub(super) fn value(body: &Body) -> Value {
    match body {
        Body::ConversationStarted(body) => conversation_started(body),
        Body::ConversationEnded(body) => conversation_ended(body),
        Body::VisitorMessage(body) => visitor_message(body),
        Body::DeliveryChanged(body) => delivery_changed(body),
        Body::AgentMessage(body) => agent_message(body),
        Body::ActionRequested(body) => action_requested(body),
        Body::EscalationRequested(body) => escalation_requested(body),
        Body::AvailabilityRequested(body) => availability_requested(body),
        Body::RequestClosed(body) => request_closed(body),
        Body::OwnerChanged(body) => owner_changed(body),
        Body::HumanMessage(body) => human_message(body),
        Body::TicketReplied(body) => ticket_replied(body),
        Body::ParametersUpdated(body) => parameters_updated(body),
        Body::PlatformAlert(PlatformAlert { name, raw }) => json!({ "name": name, "raw": raw }),
        Body::UnknownPlatformEvent(UnknownPlatformEvent { event_type, raw }) => {
            json!({ "event_type": event_type, "raw": raw })
        }
        Body::Erased(Erased {
            receipt_id,
            through_sequence,
        }) => json!({ "receipt_id": receipt_id, "through_sequence": through_sequence }),
    }
}

fn conversation_started(body: &ConversationStarted) -> Value {
    let ConversationStarted {
        resumed,
        visitor: who,
        parameters: given,
        command_id,
    } = body;
    json!({
        "resumed": resumed,
        "visitor": who.as_ref().map(visitor),
        "parameters": parameters(given),
        "command_id": command_id,
    })
}

fn conversation_ended(body: &ConversationEnded) -> Value {
    let ConversationEnded {
        cause: _,
        command_id,
    } = body;
    json!({ "cause": body.cause().as_str_name(), "command_id": command_id })
}

fn visitor_message(body: &VisitorMessage) -> Value {
    let VisitorMessage {
        message_id,
        content,
        parameters: given,
        held,
        raw,
    } = body;
    let mut value = json!({
        "message_id": message_id,
        "parameters": parameters(given),
        "held": held,
        "raw": raw,
    });
    match content {
        Some(Content::Text(text)) => value["text"] = json!(text),
        Some(Content::Choice(chosen)) => value["choice"] = choice(chosen),
        None => {}
    }
    value
}

fn delivery_changed(body: &DeliveryChanged) -> Value {
    let DeliveryChanged {
        subject,
        session,
        state: _,
        reason,
        attempt,
        detail,
    } = body;
    let mut value = json!({
        "session": session,
        "state": body.state().as_str_name(),
        "reason": reason,
        "attempt": attempt,
        "detail": detail,
    });
    match subject {
        Some(Subject::MessageId(id)) => value["message_id"] = json!(id),
        Some(Subject::CommandId(id)) => value["command_id"] = json!(id),
        Some(Subject::RequestId(id)) => value["request_id"] = json!(id),
        Some(Subject::EventId(id)) => value["event_id"] = json!(id),
        None => {}
    }
    value
}

fn agent_message(body: &AgentMessage) -> Value {
    let AgentMessage {
        text,
        buttons: below,
        cards: carousel,
        confidence,
        platform_message_id,
        platform_reply_id,
        unknown_type,
        raw,
    } = body;
    json!({
        "text": text,
        "buttons": buttons(below),
        "cards": cards(carousel),
        "confidence": confidence,
        "platform_message_id": platform_message_id,
        "platform_reply_id": platform_reply_id,
        "unknown_type": unknown_type,
        "raw": raw,
    })
}

fn action_requested(body: &ActionRequested) -> Value {
    let ActionRequested {
        request_id,
        respond_by,
        time_limit,
        name,
        parameters,
        raw,
    } = body;
    json!({
        "request_id": request_id,
        "respond_by": timestamp(respond_by.as_ref()),
        "time_limit": duration(time_limit.as_ref()),
        "name": name,
        "parameters": action_parameters(parameters),
        "raw": raw,
    })
}

fn escalation_requested(body: &EscalationRequested) -> Value {
    let EscalationRequested {
        request_id,
        respond_by,
        time_limit,
        target,
        raw,
    } = body;
    json!({
        "request_id": request_id,
        "respond_by": timestamp(respond_by.as_ref()),
        "time_limit": duration(time_limit.as_ref()),
        "target": target,
        "raw": raw,
    })
}

fn availability_requested(body: &AvailabilityRequested) -> Value {
    let AvailabilityRequested {
        request_id,
        respond_by,
        time_limit,
        team,
        answered_online,
        raw,
    } = body;
    json!({
        "request_id": request_id,
        "respond_by": timestamp(respond_by.as_ref()),
        "time_limit": duration(time_limit.as_ref()),
        "team": team,
        "answered_online": answered_online,
        "raw": raw,
    })
}

fn request_closed(body: &RequestClosed) -> Value {
    let RequestClosed {
        request_id,
        outcome: _,
        answered_by,
        delivery: _,
        answer,
    } = body;
    let mut value = json!({
        "request_id": request_id,
        "outcome": body.outcome().as_str_name(),
        "answered_by": answered_by,
        "delivery": body.delivery().as_str_name(),
    });
    match answer {
        Some(Answer::ActionResults(ActionResults { results })) => {
            value["action_results"] = json!({ "results": parameters(results) });
        }
        Some(Answer::Escalation(EscalationDecision { accepted })) => {
            value["escalation"] = json!({ "accepted": accepted });
        }
        Some(Answer::Availability(AvailabilityAnswer { online })) => {
            value["availability"] = json!({ "online": online });
        }
        Some(Answer::Failure(RequestFailure { reason })) => {
            value["failure"] = json!({ "reason": reason });
        }
        Some(Answer::Deferred(DeferredAnswer {})) => value["deferred"] = json!({}),
        None => {}
    }
    value
}

fn owner_changed(body: &OwnerChanged) -> Value {
    let OwnerChanged {
        from: _,
        to: _,
        owner_epoch,
        cause: _,
        note,
        request_id,
        command_id,
        evidence: _,
        observe_time,
        expire_time,
    } = body;
    json!({
        "evidence": body.evidence().as_str_name(),
        "observe_time": timestamp(observe_time.as_ref()),
        "expire_time": timestamp(expire_time.as_ref()),
        "from": body.from().as_str_name(),
        "to": body.to().as_str_name(),
        "owner_epoch": owner_epoch,
        "cause": body.cause().as_str_name(),
        "note": note,
        "request_id": request_id,
        "command_id": command_id,
    })
}

fn human_message(body: &HumanMessage) -> Value {
    let HumanMessage {
        message_id,
        kind: _,
        text,
        name,
        avatar_url,
        queue_position,
        waiting_time,
        from_source,
        raw,
    } = body;
    json!({
        "message_id": message_id,
        "kind": body.kind().as_str_name(),
        "text": text,
        "name": name,
        "avatar_url": avatar_url,
        "queue_position": queue_position,
        "waiting_time": duration(waiting_time.as_ref()),
        "from_source": from_source,
        "raw": raw,
    })
}

fn ticket_replied(body: &TicketReplied) -> Value {
    let TicketReplied {
        text,
        intents: taken_for,
        attachments,
        raw,
    } = body;
    json!({
        "text": text,
        "intents": intents(taken_for),
        "attachments": attachments,
        "raw": raw,
    })
}

fn parameters_updated(body: &ParametersUpdated) -> Value {
    let ParametersUpdated {
        parameters: set,
        command_id,
        kept,
    } = body;
    json!({ "parameters": parameters(set), "command_id": command_id, "kept": kept })
}
