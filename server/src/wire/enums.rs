//! Enumerations, each in both directions. A number that this version does not know reads as absent.

use parloir_proto::v1;

use crate::domain::{
    ButtonKind, ConversationKind, DeliveryState, EndCause, EventKind, Evidence, HumanMessageKind,
    Owner, OwnerChangeCause, RequestDelivery, RequestKind, RequestOutcome, SessionState,
    UpstreamState,
};

/// Writes the two functions of one enumeration: `write` to the contract and `read` from its number.
macro_rules! enumeration {
    ($write:ident, $read:ident, $kind:ident { $($variant:ident),+ $(,)? }) => {
        pub fn $write(value: $kind) -> v1::$kind {
            match value {
                $($kind::$variant => v1::$kind::$variant,)+
            }
        }

        pub fn $read(number: i32) -> Option<$kind> {
            match v1::$kind::try_from(number).ok()? {
                $(v1::$kind::$variant => Some($kind::$variant),)+
                _ => None,
            }
        }
    };
}

enumeration!(
    owner,
    read_owner,
    Owner {
        Agent,
        Human,
        None,
        Unknown
    }
);
enumeration!(
    owner_change_cause,
    read_owner_change_cause,
    OwnerChangeCause {
        EscalationAccepted,
        Transfer,
        Ended,
        Reopened,
        HandoverPhrase,
        Observed,
        RefusedBySource,
        WidgetEscalation,
        UnknownTooLong,
        HandoverFailed,
    }
);
enumeration!(
    conversation_kind,
    read_conversation_kind,
    ConversationKind {
        Chat,
        Ticket,
        Widget
    }
);
enumeration!(
    human_message_kind,
    read_human_message_kind,
    HumanMessageKind {
        Text,
        Joined,
        Queue,
        Left,
        Failed
    }
);
enumeration!(
    session_state,
    read_session_state,
    SessionState {
        None,
        Active,
        Ended
    }
);
enumeration!(
    delivery_state,
    read_delivery_state,
    DeliveryState {
        Queued,
        Attempting,
        Delivered,
        Unknown,
        Failed,
        Held,
        Superseded,
    }
);
enumeration!(
    end_cause,
    read_end_cause,
    EndCause {
        Caller,
        Expired,
        Escalated,
        Visitor
    }
);
enumeration!(button_kind, read_button_kind, ButtonKind { Reply, Link });
enumeration!(
    request_kind,
    read_request_kind,
    RequestKind {
        Action,
        Escalation,
        Availability
    }
);
enumeration!(
    request_outcome,
    read_request_outcome,
    RequestOutcome {
        Answered,
        FellBack,
        Abandoned,
        ConversationEnded,
    }
);
enumeration!(
    request_delivery,
    read_request_delivery,
    RequestDelivery {
        Written,
        NotDelivered,
        Unconfirmed,
    }
);

/// What the contract calls `OwnerEvidence`.
pub fn evidence(evidence: Evidence) -> v1::OwnerEvidence {
    match evidence {
        Evidence::Assumed => v1::OwnerEvidence::Assumed,
        Evidence::OwnAction => v1::OwnerEvidence::OwnAction,
        Evidence::Pushed => v1::OwnerEvidence::Pushed,
        Evidence::Read => v1::OwnerEvidence::Read,
        Evidence::SendError => v1::OwnerEvidence::SendError,
    }
}

pub fn read_evidence(number: i32) -> Option<Evidence> {
    match v1::OwnerEvidence::try_from(number).ok()? {
        v1::OwnerEvidence::Unspecified => None,
        v1::OwnerEvidence::Assumed => Some(Evidence::Assumed),
        v1::OwnerEvidence::OwnAction => Some(Evidence::OwnAction),
        v1::OwnerEvidence::Pushed => Some(Evidence::Pushed),
        v1::OwnerEvidence::Read => Some(Evidence::Read),
        v1::OwnerEvidence::SendError => Some(Evidence::SendError),
    }
}

/// The numbers of the kinds are those of the contract.
pub fn event_kind(kind: EventKind) -> i32 {
    kind.number()
}

/// The kind's name in the contract, in small letters: that of its part of `Event.body`. One of a later version is called by
/// its number.
pub fn event_kind_name(kind: EventKind) -> String {
    if let EventKind::Later(number) = kind {
        return format!("kind_{number}");
    }
    let wire = v1::EventKind::try_from(event_kind(kind)).unwrap_or_default();
    let name = wire.as_str_name();
    name.strip_prefix("EVENT_KIND_")
        .unwrap_or(name)
        .to_ascii_lowercase()
}

/// A kind as callers name it: one that this version knows.
pub fn read_event_kind(number: i32) -> Option<EventKind> {
    let kind = EventKind::from_number(number);
    (!matches!(kind, EventKind::Later(_))).then_some(kind)
}

pub fn upstream_state(value: UpstreamState) -> v1::UpstreamErasureState {
    match value {
        UpstreamState::Requested => v1::UpstreamErasureState::Requested,
        UpstreamState::Confirmed => v1::UpstreamErasureState::Confirmed,
        UpstreamState::IdNeverSeen => v1::UpstreamErasureState::IdNeverSeen,
        UpstreamState::Failed => v1::UpstreamErasureState::Failed,
    }
}

pub fn read_upstream_state(number: i32) -> Option<UpstreamState> {
    match v1::UpstreamErasureState::try_from(number).ok()? {
        v1::UpstreamErasureState::Unspecified => None,
        v1::UpstreamErasureState::Requested => Some(UpstreamState::Requested),
        v1::UpstreamErasureState::Confirmed => Some(UpstreamState::Confirmed),
        v1::UpstreamErasureState::IdNeverSeen => Some(UpstreamState::IdNeverSeen),
        v1::UpstreamErasureState::Failed => Some(UpstreamState::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_has_its_number_in_the_contract() {
        for kind in EventKind::ALL {
            let wire = v1::EventKind::try_from(event_kind(kind)).expect("known to the contract");
            let name = wire
                .as_str_name()
                .replace("EVENT_KIND_", "")
                .replace('_', "");
            assert_eq!(name, format!("{kind:?}").to_uppercase());
            assert_eq!(read_event_kind(wire.into()), Some(kind));
        }
    }

    #[test]
    fn every_value_of_the_contract_but_the_unspecified_is_known_and_comes_back() {
        for number in 1..=7 {
            let state = read_delivery_state(number).expect("known");
            assert_eq!(delivery_state(state) as i32, number);
        }
        for number in 1..=4 {
            assert_eq!(owner(read_owner(number).expect("known")) as i32, number);
        }
        for number in 1..=3 {
            let state = read_session_state(number).expect("known");
            assert_eq!(session_state(state) as i32, number);
        }
    }

    #[test]
    fn a_kind_has_the_name_of_its_part_of_the_contract_or_its_number() {
        for (kind, name) in [
            (EventKind::VisitorMessage, "visitor_message"),
            (EventKind::Later(9999), "kind_9999"),
        ] {
            assert_eq!(event_kind_name(kind), name);
            assert_eq!(EventKind::from_number(event_kind(kind)), kind);
        }
    }

    #[test]
    fn an_unknown_number_reads_as_absent() {
        for number in [i32::MIN, -1, 0, 99, i32::MAX] {
            assert_eq!(read_owner(number), None);
            assert_eq!(read_delivery_state(number), None);
            assert_eq!(read_event_kind(number), None);
        }
    }
}
