//! `RespondToAgent`.

use parloir_proto::v1::{self, respond_to_agent_request::Answer as Given};

use super::super::{checks::Checks, view};
use crate::{
    conversations::{Disposition, Respond, Responded},
    domain::{Answer, Result, id::MAX_ID_BYTES},
};

/// The longest reason of a failure, in bytes: a sentence or two for the log.
const MAX_REASON_BYTES: usize = 512;

pub(in crate::grpc) fn command(request: v1::RespondToAgentRequest) -> Result<Respond> {
    let mut checks = Checks::default();
    let request_id = checks.id("request_id", &request.request_id);
    let answer = answer(&mut checks, request.answer);
    let responder = checks.line("responder", request.responder, MAX_ID_BYTES);
    checks.finish(|| {
        Some(Respond {
            request_id: request_id?,
            answer: answer?,
            responder: responder?,
        })
    })
}

pub(in crate::grpc) fn response(responded: Responded, epoch: u64) -> v1::RespondToAgentResponse {
    let disposition = match responded.disposition {
        Disposition::Accepted => v1::Disposition::Accepted,
        Disposition::Duplicate => v1::Disposition::Duplicate,
        Disposition::Lost => v1::Disposition::Lost,
        Disposition::TooLate => v1::Disposition::TooLate,
    };
    v1::RespondToAgentResponse {
        disposition: disposition.into(),
        cursor: view::cursor(responded.position, epoch),
    }
}

fn answer(checks: &mut Checks, given: Option<Given>) -> Option<Answer> {
    match given {
        Some(Given::ActionResults(action)) => checks
            .parameters("action_results.results", action.results)
            .map(Answer::Results),
        Some(Given::Escalation(decision)) => Some(Answer::Escalation {
            accepted: decision.accepted,
        }),
        Some(Given::Availability(answer)) => Some(Answer::Availability {
            online: answer.online,
        }),
        Some(Given::Failure(failure)) => checks
            .line("failure.reason", failure.reason, MAX_REASON_BYTES)
            .map(|reason| Answer::Failure { reason }),
        Some(Given::Deferred(_)) => Some(Answer::Deferred),
        None => {
            let why =
                "is missing: set action_results, escalation, availability, failure or deferred";
            checks.wrong("answer", why);
            None
        }
    }
}
