//! Answers to an agent's questions. The contract says them twice: in the call that answers and in the event.

use parloir_proto::v1::{self, request_closed, respond_to_agent_request};

use super::parameter::{parameters, read_parameters};
use crate::domain::Answer;

/// The answer as the event tells it.
pub fn closed(answer: &Answer) -> request_closed::Answer {
    use request_closed::Answer as Closed;
    match answer {
        Answer::Results(results) => Closed::ActionResults(v1::ActionResults {
            results: parameters(results),
        }),
        Answer::Escalation { accepted } => Closed::Escalation(v1::EscalationDecision {
            accepted: *accepted,
        }),
        Answer::Availability { online } => {
            Closed::Availability(v1::AvailabilityAnswer { online: *online })
        }
        Answer::Failure { reason } => Closed::Failure(v1::RequestFailure {
            reason: reason.clone(),
        }),
        Answer::Deferred => Closed::Deferred(v1::DeferredAnswer {}),
    }
}

pub fn read_closed(answer: request_closed::Answer) -> Answer {
    use request_closed::Answer as Closed;
    match answer {
        Closed::ActionResults(results) => Answer::Results(read_parameters(results.results)),
        Closed::Escalation(decision) => Answer::Escalation {
            accepted: decision.accepted,
        },
        Closed::Availability(answer) => Answer::Availability {
            online: answer.online,
        },
        Closed::Failure(failure) => Answer::Failure {
            reason: failure.reason,
        },
        Closed::Deferred(_) => Answer::Deferred,
    }
}

/// The answer as a caller gives it.
pub fn read_given(answer: respond_to_agent_request::Answer) -> Answer {
    use request_closed::Answer as Closed;
    use respond_to_agent_request::Answer as Given;
    read_closed(match answer {
        Given::ActionResults(results) => Closed::ActionResults(results),
        Given::Escalation(decision) => Closed::Escalation(decision),
        Given::Availability(answer) => Closed::Availability(answer),
        Given::Failure(failure) => Closed::Failure(failure),
        Given::Deferred(answer) => Closed::Deferred(answer),
    })
}
