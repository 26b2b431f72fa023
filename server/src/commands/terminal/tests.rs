//! One line for each event that a person may meet.

use parloir_proto::v1::{
    ActionParameter, ActionRequested, ActionResults, AgentMessage, Button, ButtonKind, Card,
    Choice, ConversationEnded, DeliveredEvent, DeliveryChanged, DeliveryState, EndCause, Event,
    EventKind, HumanMessage, HumanMessageKind, Owner, OwnerChangeCause, OwnerChanged,
    OwnerEvidence, Parameter, RequestClosed, RequestDelivery, RequestOutcome, VisitorMessage,
    delivery_changed::Subject, event::Body, request_closed::Answer, visitor_message::Content,
};

use super::*;

fn event(body: Body) -> Event {
    Event {
        account: "demo".into(),
        agent: "helper".into(),
        conversation_id: "c-1".into(),
        session: 2,
        sequence: 7,
        recorded_at: Some(prost_types::Timestamp {
            seconds: 1_785_326_584,
            nanos: 120_000_000,
        }),
        body: Some(body),
        ..Event::default()
    }
}

fn said(text: &str) -> Body {
    Body::AgentMessage(AgentMessage {
        text: text.into(),
        ..AgentMessage::default()
    })
}

fn reply(label: &str) -> Button {
    Button {
        kind: ButtonKind::Reply.into(),
        label: label.into(),
        link: String::new(),
    }
}

#[test]
fn a_line_says_when_where_which_and_what() {
    let delivered = DeliveredEvent {
        event: Some(event(said("Hello"))),
        ..DeliveredEvent::default()
    };
    assert_eq!(
        line(&delivered),
        "2026-07-29T12:03:04Z  demo/c-1  #7  agent_message         Hello"
    );
}

#[test]
fn an_event_without_a_conversation_names_the_agent() {
    let event = Event {
        conversation_id: String::new(),
        sequence: 0,
        ..event(said(""))
    };
    assert_eq!(place(&event), "agent helper");
}

#[test]
fn superseded_events_are_marked() {
    let event = Event {
        superseded: true,
        ..event(said("Hello"))
    };
    let delivered = DeliveredEvent {
        event: Some(event),
        ..DeliveredEvent::default()
    };
    assert!(
        line(&delivered).ends_with("(superseded) Hello"),
        "{}",
        line(&delivered)
    );
}

#[test]
fn nothing_that_was_written_can_move_the_cursor_or_forge_a_line() {
    let words = words(&event(said("a\u{1b}[2Jb\r\n2026-01-01 forged\u{9b}c\0")));
    assert!(!words.contains(char::is_control), "{words:?}");
    assert!(!many_lines("a\u{1b}[2J\rb\nc").contains(['\u{1b}', '\r']));
    assert!(many_lines("b\nc").contains('\n'));
}

#[test]
fn buttons_links_and_cards_are_shown() {
    let link = Button {
        kind: ButtonKind::Link.into(),
        label: "Shop".into(),
        link: "https://shop.example".into(),
    };
    let card = |title: &str| Card {
        title: title.into(),
        buttons: vec![reply("Buy")],
        ..Card::default()
    };
    let message = AgentMessage {
        text: "Choose".into(),
        buttons: vec![reply("Track"), link],
        cards: vec![card("Red"), card("Blue")],
        ..AgentMessage::default()
    };
    assert_eq!(
        words(&event(Body::AgentMessage(message))),
        "Choose [Track] [Shop -> https://shop.example] | 1. Red [Buy] | 2. Blue [Buy]"
    );
}

#[test]
fn a_choice_on_a_card_counts_cards_from_one() {
    let choice = Choice {
        label: "Buy".into(),
        card_index: Some(1),
        event_id: "e".into(),
    };
    let message = VisitorMessage {
        content: Some(Content::Choice(choice)),
        held: true,
        ..VisitorMessage::default()
    };
    assert_eq!(
        words(&event(Body::VisitorMessage(message))),
        "[Buy] on card 2 (held: not sent to the agent)"
    );
}

#[test]
fn personal_values_are_left_out() {
    let parameter = |key: &str, personal| ActionParameter {
        key: key.into(),
        values: vec!["A-1009".into()],
        personal,
        ..ActionParameter::default()
    };
    let action = ActionRequested {
        name: "fetch_order".into(),
        parameters: vec![parameter("order", false), parameter("phone", true)],
        ..ActionRequested::default()
    };
    assert_eq!(
        words(&event(Body::ActionRequested(action))),
        "fetch_order(order=A-1009, phone=(personal))"
    );
    let result = Parameter {
        key: "name".into(),
        value: "Ada".into(),
        personal: true,
    };
    let closed = RequestClosed {
        outcome: RequestOutcome::Answered.into(),
        answered_by: "crm".into(),
        delivery: RequestDelivery::NotDelivered.into(),
        answer: Some(Answer::ActionResults(ActionResults {
            results: vec![result],
        })),
        ..RequestClosed::default()
    };
    assert_eq!(
        words(&event(Body::RequestClosed(closed))),
        "answered by crm with name=(personal) (the platform was gone)"
    );
}

#[test]
fn a_delivery_says_what_became_of_what() {
    let changed = DeliveryChanged {
        subject: Some(Subject::MessageId("m-1".into())),
        state: DeliveryState::Failed.into(),
        reason: "AGENT_REJECTED".into(),
        attempt: 3,
        detail: "unknown bot".into(),
        ..DeliveryChanged::default()
    };
    assert_eq!(
        words(&event(Body::DeliveryChanged(changed))),
        "message m-1 failed (AGENT_REJECTED), attempt 3: unknown bot"
    );
}

#[test]
fn an_end_and_a_change_of_owner_name_their_cause() {
    let ended = ConversationEnded {
        cause: EndCause::Expired.into(),
        command_id: String::new(),
    };
    assert_eq!(
        words(&event(Body::ConversationEnded(ended))),
        "session 2 ended because nothing was said for too long"
    );
    let changed = OwnerChanged {
        from: Owner::Agent.into(),
        to: Owner::Human.into(),
        cause: OwnerChangeCause::EscalationAccepted.into(),
        note: "angry".into(),
        ..OwnerChanged::default()
    };
    assert_eq!(
        words(&event(Body::OwnerChanged(changed))),
        "a human after the agent (an escalation was accepted): angry"
    );
}

#[test]
fn what_a_source_says_of_the_owner_names_what_it_rests_on() {
    let changed = OwnerChanged {
        from: Owner::Human.into(),
        to: Owner::Agent.into(),
        cause: OwnerChangeCause::Observed.into(),
        evidence: OwnerEvidence::Read.into(),
        ..OwnerChanged::default()
    };
    assert_eq!(
        words(&event(Body::OwnerChanged(changed))),
        "the agent after a human (the source says so, as the source answered when asked)"
    );
}

#[test]
fn news_of_the_queue_tells_the_place_and_the_time() {
    let queue = HumanMessage {
        kind: HumanMessageKind::Queue.into(),
        queue_position: Some(2),
        waiting_time: Some(prost_types::Duration {
            seconds: 61,
            nanos: 0,
        }),
        ..HumanMessage::default()
    };
    assert_eq!(
        words(&event(Body::HumanMessage(queue))),
        "waiting for a human, place 2, about 2 min"
    );
}

#[test]
fn trouble_is_a_sentence_and_success_is_silent() {
    for quiet in [DeliveryState::Delivered, DeliveryState::Attempting] {
        assert_eq!(delivery_trouble(quiet, ""), None);
    }
    for trouble in [
        DeliveryState::Queued,
        DeliveryState::Unknown,
        DeliveryState::Failed,
        DeliveryState::Held,
        DeliveryState::Superseded,
    ] {
        let sentence = delivery_trouble(trouble, "WHY").expect("trouble");
        assert!(sentence.ends_with(" (WHY)."), "{sentence}");
    }
}

#[test]
fn every_kind_has_the_name_of_its_enum_value() {
    assert_eq!(kinds().count(), 16);
    for kind in kinds() {
        assert_eq!(
            kind.as_str_name(),
            format!("EVENT_KIND_{}", kind_name(kind).to_uppercase())
        );
    }
    assert_eq!(kinds().last(), Some(EventKind::Erased));
}

#[test]
fn no_time_is_beyond_what_can_be_shown() {
    for seconds in [i64::MIN, -1, 0, i64::MAX] {
        assert!(second(seconds).ends_with('Z'));
    }
}

#[test]
fn a_closed_pipe_is_no_failure_and_other_failures_are() {
    let closed = io::Error::from(io::ErrorKind::BrokenPipe);
    assert!(unless_nobody_reads(Err(closed.into())).is_ok());
    let full = io::Error::from(io::ErrorKind::StorageFull);
    assert!(unless_nobody_reads(Err(full.into())).is_err());
}
