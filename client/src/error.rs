//! What a call can fail with: the gRPC code and the details that Parloir sends with it.

use std::{fmt, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Why a call or a subscription failed.
///
/// Decide by [`code`](Self::code) and, where one code has several causes, by [`reason`](Self::reason). The message is
/// for people and may change.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    status: Status,
    details: ErrorDetails,
}

/// One field of a request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldViolation<'a> {
    /// Its path in the request, for example `choice.card_index`.
    pub field: &'a str,
    /// What is wrong with it and what would be right.
    pub description: &'a str,
}

impl Error {
    /// The gRPC status code. A server that cannot be reached gives [`Code::Unavailable`], a passed deadline
    /// [`Code::DeadlineExceeded`].
    pub fn code(&self) -> Code {
        self.0.status.code()
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        self.0.status.message()
    }

    /// The stable word for the cause, for example `CURSOR_EXPIRED`. `None` when the error did not come from Parloir.
    pub fn reason(&self) -> Option<&str> {
        self.0.details.error_info().map(|info| info.reason.as_str())
    }

    /// A value that came with the reason, for example `first_available_cursor` with `CURSOR_EXPIRED`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.0
            .details
            .error_info()?
            .metadata
            .get(key)
            .map(String::as_str)
    }

    /// The fields that were refused; empty unless the code is [`Code::InvalidArgument`].
    pub fn field_violations(&self) -> impl Iterator<Item = FieldViolation<'_>> {
        let violations = self
            .0
            .details
            .bad_request()
            .map(|bad| bad.field_violations.as_slice());
        violations
            .unwrap_or_default()
            .iter()
            .map(|v| FieldViolation {
                field: &v.field,
                description: &v.description,
            })
    }

    /// How long the server asks to wait before trying again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.details.retry_info()?.retry_delay
    }

    /// The status as tonic gave it.
    pub fn status(&self) -> &Status {
        &self.0.status
    }

    /// Whether the call may not have been handled at all, so that repeating it with the same key makes sense.
    pub(crate) fn is_worth_repeating(&self) -> bool {
        match self.code() {
            Code::Unavailable => true,
            // What tonic answers for a call that meets the end of its connection: hyper's words for it, no code.
            Code::Cancelled => self.message().contains("operation was canceled"),
            _ => false,
        }
    }

    /// Whether a subscription can hope to be served by trying again.
    pub(crate) fn ends_a_subscription(&self) -> bool {
        matches!(
            self.code(),
            Code::InvalidArgument
                | Code::NotFound
                | Code::AlreadyExists
                | Code::PermissionDenied
                | Code::FailedPrecondition
                | Code::OutOfRange
                | Code::Unimplemented
                | Code::DataLoss
                | Code::Unauthenticated
        )
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Status::invalid_argument(message).into()
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Status::unavailable(message).into()
    }

    pub(crate) fn out_of_time(limit: Duration) -> Self {
        Status::deadline_exceeded(format!("no answer within {limit:?}")).into()
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        // tonic reports a deadline that passes on this side as CANCELLED.
        let status = if status.code() == Code::Cancelled && status.message() == "Timeout expired" {
            Status::deadline_exceeded("no answer within the deadline")
        } else {
            status
        };
        let details = status.get_error_details();
        Self(Box::new(Inner { status, details }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self.code()))?;
        if let Some(reason) = self.reason() {
            write!(f, " ({reason})")?;
        }
        write!(f, ": {}", self.message())?;
        for violation in self.field_violations() {
            write!(f, "; {}: {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.status.source()
    }
}

/// The code as the gRPC documents spell it; tonic's own words are a sentence.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_a_status_are_read() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info(
                "CURSOR_EXPIRED",
                "parloir",
                [("first_available_cursor".to_owned(), "c7".to_owned())],
            )
            .set_retry_info(Some(Duration::from_millis(1_500)))
            .add_bad_request_violation("after_cursor", "is too old");
        let error = Error::from(Status::with_error_details(
            Code::OutOfRange,
            "the log begins later",
            details,
        ));

        assert_eq!(error.code(), Code::OutOfRange);
        assert_eq!(error.reason(), Some("CURSOR_EXPIRED"));
        assert_eq!(error.metadata("first_available_cursor"), Some("c7"));
        assert_eq!(error.retry_after(), Some(Duration::from_millis(1_500)));
        assert_eq!(
            error.field_violations().collect::<Vec<_>>(),
            [FieldViolation {
                field: "after_cursor",
                description: "is too old"
            }]
        );
        assert_eq!(
            error.to_string(),
            "OUT_OF_RANGE (CURSOR_EXPIRED): the log begins later; after_cursor: is too old"
        );
    }

    #[test]
    fn a_deadline_that_passes_on_this_side_is_deadline_exceeded() {
        let error = Error::from(Status::cancelled("Timeout expired"));
        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert!(!error.is_worth_repeating());
    }

    #[test]
    fn a_call_that_met_the_end_of_its_connection_is_worth_repeating() {
        assert!(Error::from(Status::cancelled("operation was canceled")).is_worth_repeating());
        assert!(!Error::from(Status::cancelled("the caller gave up")).is_worth_repeating());
    }
}
