//! Every body comes back as it went, and what makes no sense is an error.

use std::time::Duration;

use fastrand::Rng;
use parloir_proto::v1::{self, event::Body};
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::domain::{
    AgentMessage, Answer, Button, ButtonKind, Card, Choice, DeliveryState, EndCause, EventKind,
    Evidence, HumanMessage, HumanMessageKind, Id, Known, Owner, OwnerChangeCause, Parameter,
    Question, Reason, RequestDelivery, RequestOutcome, Subject, Timestamp, Visitor, VisitorContent,
    VisitorMessage,
    event::{Intent, OpenQuestion},
    request::ActionParameter,
};

/// Kinds that this version writes.
const WRITTEN: [EventKind; 15] = [
    EventKind::ConversationStarted,
    EventKind::ConversationEnded,
    EventKind::VisitorMessage,
    EventKind::DeliveryChanged,
    EventKind::AgentMessage,
    EventKind::ActionRequested,
    EventKind::EscalationRequested,
    EventKind::AvailabilityRequested,
    EventKind::RequestClosed,
    EventKind::OwnerChanged,
    EventKind::HumanMessage,
    EventKind::TicketReplied,
    EventKind::ParametersUpdated,
    EventKind::PlatformAlert,
    EventKind::UnknownPlatformEvent,
];

proptest! {
    #[test]
    fn every_body_comes_back_as_it_went(seed: u64) {
        for kind in WRITTEN {
            let body = Draw(Rng::with_seed(seed)).body(kind);
            prop_assert_eq!(body.kind(), kind);
            prop_assert!(decode(&encode(&body)) == Ok(body), "{:?}", kind);
        }
    }

    #[test]
    fn bytes_from_nowhere_are_read_or_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        seed: u64,
        at: usize,
    ) {
        decode(&bytes).ok();
        for kind in WRITTEN {
            let mut damaged = encode(&Draw(Rng::with_seed(seed)).body(kind));
            let at = at % damaged.len();
            damaged[at] ^= 0x15;
            decode(&damaged).ok();
        }
    }
}

#[test]
fn the_envelope_in_front_of_a_body_is_passed_over() {
    let body = EventBody::PlatformAlert {
        name: "DOWN".into(),
        raw: String::new(),
    };
    let envelope = v1::Event {
        event_id: "e".into(),
        ..v1::Event::default()
    };
    let whole = [envelope.encode_to_vec(), encode(&body)].concat();
    assert!(decode(&whole) == Ok(body));
}

#[test]
fn an_unknown_number_is_an_error_that_names_its_field() {
    let nonsense = [
        (
            Body::ConversationEnded(v1::ConversationEnded {
                cause: 99,
                ..v1::ConversationEnded::default()
            }),
            "conversation_ended.cause",
        ),
        (
            Body::OwnerChanged(v1::OwnerChanged {
                from: 1,
                to: -1,
                cause: 1,
                ..v1::OwnerChanged::default()
            }),
            "owner_changed.to",
        ),
        (
            Body::DeliveryChanged(v1::DeliveryChanged {
                subject: Some(v1::delivery_changed::Subject::MessageId("m".into())),
                state: 3,
                reason: "FULL_MOON".into(),
                ..v1::DeliveryChanged::default()
            }),
            "delivery_changed.reason",
        ),
        (
            Body::ActionRequested(v1::ActionRequested {
                request_id: "r".into(),
                ..v1::ActionRequested::default()
            }),
            "respond_by",
        ),
    ];
    for (body, field) in nonsense {
        let event = v1::Event {
            body: Some(body),
            ..v1::Event::default()
        };
        assert!(
            decode(&event.encode_to_vec()) == Err(Nonsense(field)),
            "{field}"
        );
    }
    assert!(decode(&[]) == Err(Nonsense("event.body")));
}

/// Draws values: half of all texts, lists and options are empty.
struct Draw(Rng);

impl Draw {
    fn text(&mut self) -> String {
        let length = self.0.usize(0..8);
        (0..length).map(|_| self.0.char(..)).collect()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.usize(0..all.len())]
    }

    fn list<T>(&mut self, one: fn(&mut Self) -> T) -> Vec<T> {
        let length = self.0.usize(0..3);
        (0..length).map(|_| one(self)).collect()
    }

    fn maybe<T>(&mut self, one: fn(&mut Self) -> T) -> Option<T> {
        self.0.bool().then(|| one(self))
    }

    fn parameter(&mut self) -> Parameter {
        Parameter {
            key: self.text(),
            value: self.text(),
            personal: self.0.bool(),
        }
    }

    fn visitor(&mut self) -> Visitor {
        Visitor {
            visitor_id: self.text(),
            display_name: self.text(),
            language: self.text(),
        }
    }

    fn choice(&mut self) -> Choice {
        Choice {
            label: self.text(),
            card_index: self.maybe(|draw| draw.0.u32(0..1 << 31)),
            event_id: self.text(),
        }
    }

    fn button(&mut self) -> Button {
        Button {
            kind: self.of(&[ButtonKind::Reply, ButtonKind::Link]),
            label: self.text(),
            link: self.text(),
        }
    }

    fn card(&mut self) -> Card {
        Card {
            title: self.text(),
            description: self.text(),
            image_url: self.text(),
            buttons: self.list(Self::button),
        }
    }

    fn action_parameter(&mut self) -> ActionParameter {
        ActionParameter {
            key: self.text(),
            values: self.list(Self::text),
            save_as: self.text(),
            personal: self.0.bool(),
        }
    }

    fn intent(&mut self) -> Intent {
        Intent {
            intent_id: self.text(),
            name: self.text(),
            confidence: self.maybe(|draw| draw.0.f64()),
        }
    }

    fn open_question(&mut self) -> OpenQuestion {
        OpenQuestion {
            request_id: Id::generate(),
            respond_by: Timestamp(self.0.i64(..)),
            time_limit: Duration::from_micros(self.0.u64(..)),
        }
    }

    fn answer(&mut self) -> Answer {
        match self.0.u8(0..5) {
            0 => Answer::Results(self.list(Self::parameter)),
            1 => Answer::Escalation {
                accepted: self.0.bool(),
            },
            2 => Answer::Availability {
                online: self.0.bool(),
            },
            3 => Answer::Failure {
                reason: self.text(),
            },
            _ => Answer::Deferred,
        }
    }

    /// Whole microseconds, as the wire keeps them.
    fn time(&mut self) -> Timestamp {
        Timestamp(self.0.i64(1..1_000_000_000_000))
    }

    fn owner(&mut self) -> Owner {
        self.of(&[Owner::Agent, Owner::Human, Owner::None, Owner::Unknown])
    }

    fn subject(&mut self) -> Subject {
        let id = self.text();
        self.of(&[
            Subject::Message,
            Subject::Command,
            Subject::Request,
            Subject::Event,
        ])(id)
    }

    fn requested(&mut self, question: Question, answered_online: Option<bool>) -> EventBody {
        EventBody::Requested {
            request: self.maybe(Self::open_question),
            answered_online,
            question,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a flat list, one arm a kind")]
    fn body(&mut self, kind: EventKind) -> EventBody {
        let raw = self.text();
        match kind {
            EventKind::ConversationStarted => EventBody::ConversationStarted {
                resumed: self.0.bool(),
                visitor: self.maybe(Self::visitor),
                parameters: self.list(Self::parameter),
                command_id: self.text(),
            },
            EventKind::ConversationEnded => EventBody::ConversationEnded {
                cause: self.of(&[
                    EndCause::Caller,
                    EndCause::Expired,
                    EndCause::Escalated,
                    EndCause::Visitor,
                ]),
                command_id: self.text(),
            },
            EventKind::VisitorMessage => EventBody::VisitorMessage(VisitorMessage {
                message_id: self.text(),
                content: if self.0.bool() {
                    VisitorContent::Text(self.text())
                } else {
                    VisitorContent::Choice(self.choice())
                },
                parameters: self.list(Self::parameter),
                held: self.0.bool(),
                raw: self.text(),
            }),
            EventKind::DeliveryChanged => EventBody::DeliveryChanged {
                subject: self.subject(),
                session: self.0.u32(..),
                state: self.of(&[
                    DeliveryState::Queued,
                    DeliveryState::Attempting,
                    DeliveryState::Delivered,
                    DeliveryState::Unknown,
                    DeliveryState::Failed,
                    DeliveryState::Held,
                    DeliveryState::Superseded,
                ]),
                reason: self.maybe(|draw| draw.of(&[Reason::AgentRejected, Reason::Interrupted])),
                attempt: self.0.u32(..),
                detail: self.text(),
            },
            EventKind::AgentMessage => EventBody::AgentMessage(AgentMessage {
                text: self.text(),
                buttons: self.list(Self::button),
                cards: self.list(Self::card),
                confidence: self.maybe(|draw| draw.0.f64()),
                platform_message_id: self.text(),
                platform_reply_id: self.text(),
                unknown_type: self.text(),
                raw,
            }),
            EventKind::ActionRequested => {
                let question = Question::Action {
                    name: self.text(),
                    parameters: self.list(Self::action_parameter),
                    raw,
                };
                self.requested(question, None)
            }
            EventKind::EscalationRequested => {
                let question = Question::Escalation {
                    target: self.text(),
                    raw,
                };
                self.requested(question, None)
            }
            EventKind::AvailabilityRequested => {
                let team = self.text();
                let online = self.maybe(|draw| draw.0.bool());
                self.requested(Question::Availability { team, raw }, online)
            }
            EventKind::RequestClosed => EventBody::RequestClosed {
                request_id: Id::generate(),
                outcome: self.of(&[
                    RequestOutcome::Answered,
                    RequestOutcome::FellBack,
                    RequestOutcome::Abandoned,
                    RequestOutcome::ConversationEnded,
                ]),
                answered_by: self.text(),
                delivery: self.of(&[
                    RequestDelivery::Written,
                    RequestDelivery::NotDelivered,
                    RequestDelivery::Unconfirmed,
                ]),
                answer: self.maybe(Self::answer),
            },
            EventKind::OwnerChanged => EventBody::OwnerChanged {
                from: self.owner(),
                to: self.owner(),
                owner_epoch: self.0.u64(..),
                cause: self.of(&[
                    OwnerChangeCause::EscalationAccepted,
                    OwnerChangeCause::Transfer,
                    OwnerChangeCause::Ended,
                    OwnerChangeCause::Reopened,
                    OwnerChangeCause::HandoverPhrase,
                    OwnerChangeCause::Observed,
                    OwnerChangeCause::RefusedBySource,
                    OwnerChangeCause::WidgetEscalation,
                    OwnerChangeCause::UnknownTooLong,
                    OwnerChangeCause::HandoverFailed,
                ]),
                note: self.text(),
                request_id: self.text(),
                command_id: self.text(),
                known: Known {
                    evidence: self.of(&[
                        Evidence::Assumed,
                        Evidence::OwnAction,
                        Evidence::Pushed,
                        Evidence::Read,
                        Evidence::SendError,
                    ]),
                    observed_at: self.time(),
                    expires_at: self.maybe(Self::time),
                },
            },
            EventKind::HumanMessage => EventBody::HumanMessage(HumanMessage {
                message_id: self.text(),
                kind: self.of(&[
                    HumanMessageKind::Text,
                    HumanMessageKind::Joined,
                    HumanMessageKind::Queue,
                    HumanMessageKind::Left,
                    HumanMessageKind::Failed,
                ]),
                text: self.text(),
                name: self.text(),
                avatar_url: self.text(),
                queue_position: self.maybe(|draw| draw.0.u32(1..)),
                waiting_time: self.maybe(|draw| Duration::from_secs(draw.0.u64(..100_000))),
                from_source: self.0.bool(),
                raw,
            }),
            EventKind::TicketReplied => EventBody::TicketReplied {
                text: self.text(),
                intents: self.list(Self::intent),
                attachments: self.list(Self::text),
                raw,
            },
            EventKind::ParametersUpdated => EventBody::ParametersUpdated {
                parameters: self.list(Self::parameter),
                command_id: self.text(),
                kept: self.0.bool(),
            },
            EventKind::PlatformAlert => EventBody::PlatformAlert {
                name: self.text(),
                raw,
            },
            EventKind::UnknownPlatformEvent => EventBody::UnknownPlatformEvent {
                event_type: self.text(),
                raw,
            },
            EventKind::Erased => EventBody::Erased {
                receipt_id: self.text(),
                through_sequence: self.0.u64(..),
            },
            EventKind::Later(_) => EventBody::Unread {
                kind,
                body: Vec::new(),
            },
        }
    }
}
