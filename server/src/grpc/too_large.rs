//! A request that is too large: tonic calls it `OUT_OF_RANGE`, every other stack `RESOURCE_EXHAUSTED`.

use std::collections::HashMap;

use http::Response;
use tonic::{Code, Status, body::Body};
use tonic_types::{ErrorDetails, StatusExt};

use super::{observe::code, status::DOMAIN};

/// How tonic begins that message.
const TONIC_SAYS: &str = "Error, decoded message length too large";

/// The response, unless it is tonic's refusal of a message above `limit` bytes: then that with the code and the
/// details that callers know.
pub(super) fn corrected(response: Response<Body>, limit: usize) -> Response<Body> {
    let headers = response.headers();
    let refused = code(headers) == Some(Code::OutOfRange)
        && Status::from_header_map(headers)
            .is_some_and(|status| status.message().starts_with(TONIC_SAYS));
    if refused {
        refusal(limit).into_http()
    } else {
        response
    }
}

/// What the sender of a message above `limit` bytes is answered.
pub(super) fn refusal(limit: usize) -> Status {
    refusal_of("max_message_bytes", limit)
}

/// As [`refusal`], for the limit that is set by `setting`.
pub(super) fn refusal_of(setting: &'static str, limit: usize) -> Status {
    let named = ("setting".to_owned(), setting.to_owned());
    let metadata = HashMap::from([named, ("limit".to_owned(), limit.to_string())]);
    let text = format!("the message is larger than {limit} bytes");
    let mut details = ErrorDetails::with_error_info("LIMIT_REACHED", DOMAIN, metadata);
    details.add_quota_failure_violation(setting, text.clone());
    Status::with_error_details(Code::ResourceExhausted, text, details)
}
