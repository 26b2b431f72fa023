//! What stands beside an error's message, in the forms of `google.rpc` that clients of every language decode.

use std::{collections::HashMap, time::Duration};

use tonic_types::{ErrorDetails, FieldViolation};

use crate::domain::{
    Cursor, Error, Position, Violation, administration::ActRefused, error::scopes,
};

use super::{
    cut,
    reason::{DOMAIN, reason},
};

/// Metadata key of `CURSOR_EXPIRED`: with this as `after_cursor`, a stream begins with the first event that is left.
pub const FIRST_AVAILABLE_CURSOR: &str = "first_available_cursor";

/// The bytes that violations may take. With the message (512), the `ErrorInfo` and the framing, details stay below the
/// 3 KiB that every client accepts.
const MAX_VIOLATION_BYTES: usize = 1536;
/// The longest field path and the longest metadata value, in bytes: an id fits.
const MAX_NAME_BYTES: usize = 256;

pub(super) fn details(error: &Error, epoch: u64) -> ErrorDetails {
    let mut details = ErrorDetails::with_error_info(reason(error), DOMAIN, metadata(error, epoch));
    add_cause(&mut details, error);
    if let Some(delay) = retry_after(error) {
        details.set_retry_info(Some(delay));
    }
    details
}

/// What a program may want to act on, by stable keys.
fn metadata(error: &Error, epoch: u64) -> HashMap<String, String> {
    let pairs: Vec<(&str, String)> = match error {
        Error::NotFound { kind, name } => vec![("kind", (*kind).into()), ("name", name.clone())],
        Error::KeyReused { field } => vec![("field", (*field).into())],
        Error::AgentCredentialsRejected { agent }
        | Error::AgentNotFoundUpstream { agent }
        | Error::UpstreamIdTaken { agent } => vec![("agent", agent.to_string())],
        Error::SessionMoved { expected, actual } => moved(expected, actual),
        Error::OwnerEpochMoved { expected, actual } => moved(expected, actual),
        Error::CursorExpired { first_available } => {
            vec![(
                FIRST_AVAILABLE_CURSOR,
                cursor_before(*first_available, epoch),
            )]
        }
        Error::SubscriptionDiffers { name } | Error::SubscriptionExists { name } => {
            vec![("subscription", name.to_string())]
        }
        Error::QueueFull { agent, limit } => vec![
            ("agent", agent.to_string()),
            ("setting", "max_queued".into()),
            ("limit", limit.to_string()),
        ],
        Error::Limit { setting, limit } => {
            vec![("setting", (*setting).into()), ("limit", limit.to_string())]
        }
        Error::Limited { setting, limit, .. } => {
            vec![("setting", (*setting).into()), ("limit", limit.to_string())]
        }
        Error::ScopeMissing { needed } => vec![("scope", scopes(needed))],
        Error::Act(_)
        | Error::Invalid(_)
        | Error::CredentialsMissing
        | Error::CredentialsInvalid
        | Error::MethodClosed
        | Error::AgentRejected { .. }
        | Error::NotDelivered { .. }
        | Error::NotOwner
        | Error::HumanNotJoined
        | Error::OtherKind
        | Error::ContactTaken
        | Error::CursorUnknown
        | Error::StoreUnavailable
        | Error::StoreFull
        | Error::Stopping
        | Error::Unsupported(_)
        | Error::Internal => Vec::new(),
    };
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), cut(&value, MAX_NAME_BYTES)))
        .collect()
}

fn moved(expected: &impl ToString, actual: &impl ToString) -> Vec<(&'static str, String)> {
    vec![
        ("expected", expected.to_string()),
        ("actual", actual.to_string()),
    ]
}

/// The cursor after which the event at `position` is the next: cursors are exclusive.
fn cursor_before(position: Position, epoch: u64) -> String {
    let position = Position(position.0.saturating_sub(1));
    Cursor {
        epoch,
        log_id: 0,
        position,
    }
    .encode()
}

fn add_cause(details: &mut ErrorDetails, error: &Error) {
    match error {
        Error::Invalid(violations) => {
            details.set_bad_request(field_violations(violations));
        }
        Error::NotFound { kind, name } => {
            details.set_resource_info(*kind, cut(name, MAX_NAME_BYTES), "", "not known");
        }
        Error::AgentRejected { .. }
        | Error::NotDelivered { .. }
        | Error::NotOwner
        | Error::HumanNotJoined
        | Error::OtherKind
        | Error::ContactTaken
        | Error::SubscriptionDiffers { .. }
        | Error::CursorUnknown => {
            details.add_precondition_failure_violation(reason(error), "", short(error));
        }
        Error::AgentCredentialsRejected { agent }
        | Error::AgentNotFoundUpstream { agent }
        | Error::UpstreamIdTaken { agent } => {
            let agent = cut(agent.as_str(), MAX_NAME_BYTES);
            details.add_precondition_failure_violation(reason(error), agent, short(error));
        }
        Error::SessionMoved { .. } => {
            details.add_precondition_failure_violation(
                reason(error),
                "expected_session",
                short(error),
            );
        }
        Error::OwnerEpochMoved { .. } => {
            details.add_precondition_failure_violation(
                reason(error),
                "expected_owner_epoch",
                short(error),
            );
        }
        Error::QueueFull { .. } => {
            details.add_quota_failure_violation("max_queued", short(error));
        }
        Error::Act(
            refused @ (ActRefused::TooManyKeys { .. } | ActRefused::TooManyObjects { .. }),
        ) => {
            details.add_quota_failure_violation(refused.setting(), short(error));
        }
        Error::Act(refused) => {
            details.add_precondition_failure_violation(
                refused.reason(),
                refused.setting(),
                short(error),
            );
        }
        Error::Limit { setting, .. } | Error::Limited { setting, .. } => {
            details.add_quota_failure_violation(*setting, short(error));
        }
        Error::StoreFull => {
            details.add_quota_failure_violation("disk of the store", short(error));
        }
        Error::KeyReused { .. }
        | Error::SubscriptionExists { .. }
        | Error::CredentialsMissing
        | Error::CredentialsInvalid
        | Error::ScopeMissing { .. }
        | Error::MethodClosed
        | Error::CursorExpired { .. }
        | Error::StoreUnavailable
        | Error::Stopping
        | Error::Unsupported(_)
        | Error::Internal => {}
    }
}

/// As many as fit, in the order of the fields; a last one tells how many more there are.
fn field_violations(violations: &[Violation]) -> Vec<FieldViolation> {
    let mut room = MAX_VIOLATION_BYTES;
    let mut told = Vec::new();
    for violation in violations {
        let field = cut(&violation.field, MAX_NAME_BYTES);
        let description = cut(&violation.description, MAX_NAME_BYTES);
        let size = field.len() + description.len() + 8;
        if size > room {
            let more = violations.len() - told.len();
            told.push(FieldViolation::new("", format!("and {more} more")));
            break;
        }
        room -= size;
        told.push(FieldViolation::new(field, description));
    }
    told
}

fn short(error: &Error) -> String {
    cut(&error.to_string(), MAX_NAME_BYTES)
}

/// How long a well-behaved caller waits before it tries again.
fn retry_after(error: &Error) -> Option<Duration> {
    let seconds = match error {
        // Known to the nanosecond; never 0, which would mean at once.
        Error::Limited { retry_after, .. } => {
            return Some((*retry_after).max(Duration::from_millis(1)));
        }
        // Long enough for a restarted server or a busy writer to be back.
        Error::StoreUnavailable | Error::Stopping | Error::Limit { .. } => 1,
        // A queue empties at the pace of an agent that has just been down.
        Error::QueueFull { .. } => 5,
        // Space comes back when an operator or retention makes some.
        Error::StoreFull => 30,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}
