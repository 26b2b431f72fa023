//! The words of the contract's enums, for people and for `--kind`.

use parloir_proto::v1::{
    DeliveryState, EndCause, Event, EventKind, Owner, OwnerChangeCause, OwnerEvidence,
    RequestDelivery, RequestOutcome, event::Body,
};

/// Every kind of event that can be asked for.
pub fn kinds() -> impl Iterator<Item = EventKind> {
    // Kinds are numbered without holes; the first number that is none is the end.
    (1..).map_while(|number| EventKind::try_from(number).ok())
}

/// The name of a kind: that of its part of `Event.body` in the contract.
pub fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Unspecified => "unknown",
        EventKind::ConversationStarted => "conversation_started",
        EventKind::ConversationEnded => "conversation_ended",
        EventKind::VisitorMessage => "visitor_message",
        EventKind::DeliveryChanged => "delivery_changed",
        EventKind::AgentMessage => "agent_message",
        EventKind::ActionRequested => "action_requested",
        EventKind::EscalationRequested => "escalation_requested",
        EventKind::AvailabilityRequested => "availability_requested",
        EventKind::RequestClosed => "request_closed",
        EventKind::OwnerChanged => "owner_changed",
        EventKind::HumanMessage => "human_message",
        EventKind::TicketReplied => "ticket_replied",
        EventKind::ParametersUpdated => "parameters_updated",
        EventKind::PlatformAlert => "platform_alert",
        EventKind::UnknownPlatformEvent => "unknown_platform_event",
        EventKind::Erased => "erased",
    }
}

pub(super) fn kind_of(event: &Event) -> Option<EventKind> {
    Some(match event.body.as_ref()? {
        Body::ConversationStarted(_) => EventKind::ConversationStarted,
        Body::ConversationEnded(_) => EventKind::ConversationEnded,
        Body::VisitorMessage(_) => EventKind::VisitorMessage,
        Body::DeliveryChanged(_) => EventKind::DeliveryChanged,
        Body::AgentMessage(_) => EventKind::AgentMessage,
        Body::ActionRequested(_) => EventKind::ActionRequested,
        Body::EscalationRequested(_) => EventKind::EscalationRequested,
        Body::AvailabilityRequested(_) => EventKind::AvailabilityRequested,
        Body::RequestClosed(_) => EventKind::RequestClosed,
        Body::OwnerChanged(_) => EventKind::OwnerChanged,
        Body::HumanMessage(_) => EventKind::HumanMessage,
        Body::TicketReplied(_) => EventKind::TicketReplied,
        Body::ParametersUpdated(_) => EventKind::ParametersUpdated,
        Body::PlatformAlert(_) => EventKind::PlatformAlert,
        Body::UnknownPlatformEvent(_) => EventKind::UnknownPlatformEvent,
        Body::Erased(_) => EventKind::Erased,
    })
}

/// Who answers the visitor.
pub fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Agent => "the agent",
        Owner::Human => "a human",
        Owner::None => "nobody",
        Owner::Unspecified | Owner::Unknown => "somebody unknown",
    }
}

/// What the knowledge of the owner rests on.
pub fn evidence(evidence: OwnerEvidence) -> &'static str {
    match evidence {
        OwnerEvidence::Unspecified => "on grounds that this version does not know",
        OwnerEvidence::Assumed => "as nobody said otherwise",
        OwnerEvidence::OwnAction => "by our own action",
        OwnerEvidence::Pushed => "as the source told",
        OwnerEvidence::Read => "as the source answered when asked",
        OwnerEvidence::SendError => "as the source refused a message",
    }
}

pub(super) fn state(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Unspecified => "in a state that this version does not know",
        DeliveryState::Queued => "queued",
        DeliveryState::Attempting => "being sent",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Unknown => "sent, not known to have arrived",
        DeliveryState::Failed => "failed",
        DeliveryState::Held => "held",
        DeliveryState::Superseded => "not sent, the owner changed",
    }
}

pub(super) fn end_cause(cause: EndCause) -> &'static str {
    match cause {
        EndCause::Unspecified => "for a reason that this version does not know",
        EndCause::Caller => "by a caller",
        EndCause::Expired => "because nothing was said for too long",
        EndCause::Escalated => "because a human took over",
        EndCause::Visitor => "by the visitor",
    }
}

pub(in crate::commands) fn owner_change_cause(cause: OwnerChangeCause) -> &'static str {
    match cause {
        OwnerChangeCause::Unspecified => "for a reason that this version does not know",
        OwnerChangeCause::EscalationAccepted => "an escalation was accepted",
        OwnerChangeCause::Transfer => "handed over by a caller",
        OwnerChangeCause::Ended => "the conversation was ended",
        OwnerChangeCause::Reopened => "the visitor came back",
        OwnerChangeCause::HandoverPhrase => "the visitor asked for a human",
        OwnerChangeCause::Observed => "the source says so",
        OwnerChangeCause::RefusedBySource => "the source refused the agent's words",
        OwnerChangeCause::WidgetEscalation => "the agent handed over in the platform's widget",
        OwnerChangeCause::UnknownTooLong => "nobody could tell for too long",
        OwnerChangeCause::HandoverFailed => "the source could not hand over",
    }
}

pub(super) fn outcome(outcome: RequestOutcome) -> &'static str {
    match outcome {
        RequestOutcome::Unspecified => "closed",
        RequestOutcome::Answered => "answered",
        RequestOutcome::FellBack => "fell back",
        RequestOutcome::Abandoned => "abandoned: the server stopped while it waited",
        RequestOutcome::ConversationEnded => "fell back: the conversation was ended",
    }
}

/// What is worth saying about an answer's way to the platform; nothing where it went as it should.
pub(super) fn request_delivery(delivery: RequestDelivery) -> &'static str {
    match delivery {
        RequestDelivery::Unspecified | RequestDelivery::Written => "",
        RequestDelivery::NotDelivered => " (the platform was gone)",
        RequestDelivery::Unconfirmed => " (sent before it could be recorded)",
    }
}
