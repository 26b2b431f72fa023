//! What a waiting webhook is answered.

use http::StatusCode;
use serde::Serialize;

use super::{
    config::EmptyResults,
    wire::{SessionParameter, session_parameters},
};
use crate::domain::{Answer, Parameter, RequestKind, inbound::WebhookReply};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Availability {
    is_online: bool,
}

#[derive(Serialize)]
struct Results<'a> {
    results: Vec<SessionParameter<'a>>,
}

/// The answer to a question of that kind. An answer of another kind counts as a failure.
pub(super) fn reply(kind: RequestKind, answer: &Answer, empty: EmptyResults) -> WebhookReply {
    match (kind, answer) {
        (RequestKind::Action, Answer::Results(parameters)) => results(parameters, empty),
        (RequestKind::Action, Answer::Deferred) => results(&[], empty),
        (RequestKind::Escalation, Answer::Escalation { accepted: true }) => WebhookReply::ok(),
        // Anything but a boolean leaves the dialogue in a branch that its author may not have drawn.
        (RequestKind::Availability, answer) => json(&Availability {
            is_online: matches!(answer, Answer::Availability { online: true }),
        }),
        // A refused escalation has failed in the platform's eyes. Not 503: that would invite it to ask again.
        (RequestKind::Action | RequestKind::Escalation, _) => failure(),
    }
}

fn results(parameters: &[Parameter], empty: EmptyResults) -> WebhookReply {
    if parameters.is_empty() && empty == EmptyResults::Omit {
        return WebhookReply::ok();
    }
    json(&Results {
        results: session_parameters(parameters),
    })
}

fn json(body: &impl Serialize) -> WebhookReply {
    match serde_json::to_vec(body) {
        Ok(body) => WebhookReply::json(StatusCode::OK, body),
        Err(error) => {
            tracing::error!(%error, "an answer to the agent cannot be written");
            failure()
        }
    }
}

fn failure() -> WebhookReply {
    WebhookReply::status(StatusCode::INTERNAL_SERVER_ERROR)
}
