//! The agent's questions and their ends, in words.

use parloir_proto::v1::{
    ActionRequested, AvailabilityRequested, EscalationRequested, RequestClosed,
    request_closed::Answer,
};

use super::{
    super::names::{outcome, request_delivery},
    cause,
    parameters::{pair, with},
};

/// An action as a call: `fetch_order(order_number=A-1009)`.
pub(super) fn call(action: &ActionRequested) -> String {
    let arguments: Vec<_> = action
        .parameters
        .iter()
        .map(|p| pair(&p.key, &p.values.join(", "), p.personal))
        .collect();
    format!("{}({})", action.name, arguments.join(", "))
}

pub(super) fn escalation_words(escalation: &EscalationRequested) -> String {
    match escalation.target.as_str() {
        "" => "to a human".to_owned(),
        target => format!("to a human: {target}"),
    }
}

pub(super) fn availability_words(check: &AvailabilityRequested) -> String {
    let team = if check.team.is_empty() {
        "anybody"
    } else {
        &check.team
    };
    let answer = match check.answered_online {
        Some(true) => " yes, as published",
        Some(false) => " no, as published",
        None => "",
    };
    format!("is {team} online?{answer}")
}

pub(super) fn closed_words(closed: &RequestClosed) -> String {
    let answer = match &closed.answer {
        Some(Answer::ActionResults(given)) => with(&given.results),
        Some(Answer::Escalation(given)) if given.accepted => " accepted".to_owned(),
        Some(Answer::Escalation(_)) => " refused".to_owned(),
        Some(Answer::Availability(given)) if given.online => " online".to_owned(),
        Some(Answer::Availability(_)) => " not online".to_owned(),
        Some(Answer::Failure(failure)) => format!(" failed{}", cause(&failure.reason)),
        Some(Answer::Deferred(_)) => " deferred".to_owned(),
        None => String::new(),
    };
    let by = match closed.answered_by.as_str() {
        "" => String::new(),
        who => format!(" by {who}"),
    };
    format!(
        "{}{by}{answer}{}",
        outcome(closed.outcome()),
        request_delivery(closed.delivery())
    )
}
