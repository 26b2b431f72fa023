//! Errors of the domain as gRPC statuses: the only place that knows both.

mod details;
mod reason;
#[cfg(test)]
mod tests;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::domain::{Error, administration::ActRefused};

pub use details::FIRST_AVAILABLE_CURSOR;
pub use reason::{DOMAIN, STREAM_LIFETIME, STREAM_REPLACED, reason};

/// Ends a stream that is to be opened anew.
pub fn lifetime_over() -> Status {
    let message = "the stream reached its lifetime: resume after its last cursor";
    let details = ErrorDetails::with_error_info(STREAM_LIFETIME, DOMAIN, []);
    Status::with_error_details(Code::Unavailable, message, details)
}

/// Ends a member's stream whose place a newer one has taken.
pub fn replaced() -> Status {
    let message = "a newer stream with the same member_id took over";
    let details = ErrorDetails::with_error_info(STREAM_REPLACED, DOMAIN, []);
    Status::with_error_details(Code::Unavailable, message, details)
}

/// The longest message, in bytes. Non-ASCII text triples on the wire, and some clients refuse headers above 8 KiB.
const MAX_MESSAGE_BYTES: usize = 512;

/// What a caller is answered. `epoch` is the database's, for the cursors in an error.
pub fn status(error: &Error, epoch: u64) -> Status {
    let message = cut(&error.to_string(), MAX_MESSAGE_BYTES);
    Status::with_error_details(code(error), message, details::details(error, epoch))
}

fn code(error: &Error) -> Code {
    match error {
        Error::Invalid(_) => Code::InvalidArgument,
        Error::NotFound { .. } => Code::NotFound,
        Error::KeyReused { .. } | Error::SubscriptionExists { .. } => Code::AlreadyExists,
        Error::AgentRejected { .. }
        | Error::AgentCredentialsRejected { .. }
        | Error::AgentNotFoundUpstream { .. }
        | Error::NotDelivered { .. }
        | Error::UpstreamIdTaken { .. }
        | Error::NotOwner
        | Error::HumanNotJoined
        | Error::OtherKind
        | Error::ContactTaken
        | Error::SubscriptionDiffers { .. }
        | Error::CursorUnknown => Code::FailedPrecondition,
        Error::Act(refused) => act_code(refused),
        Error::SessionMoved { .. } | Error::OwnerEpochMoved { .. } => Code::Aborted,
        Error::CursorExpired { .. } => Code::OutOfRange,
        Error::QueueFull { .. } | Error::StoreUnavailable | Error::Stopping => Code::Unavailable,
        Error::CredentialsMissing | Error::CredentialsInvalid => Code::Unauthenticated,
        Error::ScopeMissing { .. } | Error::MethodClosed => Code::PermissionDenied,
        Error::Limit { .. } | Error::Limited { .. } | Error::StoreFull => Code::ResourceExhausted,
        Error::Unsupported(_) => Code::Unimplemented,
        Error::Internal => Code::Internal,
    }
}

fn act_code(refused: &ActRefused) -> Code {
    match refused {
        ActRefused::NameTaken { .. } => Code::AlreadyExists,
        ActRefused::EtagMismatch { .. } => Code::Aborted,
        ActRefused::TooManyKeys { .. } | ActRefused::TooManyObjects { .. } => {
            Code::ResourceExhausted
        }
        ActRefused::DeclaredInConfiguration { .. }
        | ActRefused::InUse { .. }
        | ActRefused::FirstCallerNotAdmin
        | ActRefused::LastAdmin => Code::FailedPrecondition,
    }
}

/// At most `limit` bytes of the text; what was cut off shows as an ellipsis.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(limit - 3)])
}
