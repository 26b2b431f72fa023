//! What an answer of the API means: its envelope, and the table of its errors.

use http::StatusCode;
use serde_json::Value;

use crate::domain::outbound::Refusal;

/// Bytes of an error's name that are kept; the vendor's own are shorter by far.
const MAX_NAME: usize = 100;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The limit of calls is reached.
    RateLimited,
    /// It asks to come back later.
    Busy,
    /// It does not tell whether it did what was asked.
    Unclear,
    /// For good.
    Refused(Refused),
}

/// A refusal for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// The vendor's name of the error, with the status. Its sentences are left out: they may repeat what was sent.
    pub(super) error: String,
}

/// What `response` holds of a success: 2xx, and 200 within. `body` is absent where it did not come whole.
pub(super) fn read(status: StatusCode, body: Option<&[u8]>) -> Result<Value, Verdict> {
    let mut body: Value = body
        .and_then(|body| serde_json::from_slice(body).ok())
        .unwrap_or_default();
    let error = name(&body);
    if !status.is_success() {
        return Err(failed(status, &error));
    }
    let code = body["meta"]["code"].as_u64();
    let code = code.and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
    match code {
        Some(StatusCode::OK) => Ok(body["response"].take()),
        Some(code) => Err(failed(code, &error)),
        None => Err(Verdict::Unclear),
    }
}

fn failed(status: StatusCode, error: &str) -> Verdict {
    let refused = |refusal| {
        let error = match error {
            "" => format!("HTTP {}", status.as_u16()),
            error => format!("{error} (HTTP {})", status.as_u16()),
        };
        Verdict::Refused(Refused { refusal, error })
    };
    match (status, error) {
        (StatusCode::TOO_MANY_REQUESTS, _) | (_, "rate_limit_reached") => Verdict::RateLimited,
        (StatusCode::SERVICE_UNAVAILABLE, _) => Verdict::Busy,
        (StatusCode::REQUEST_TIMEOUT, _) | (_, "internal_server_error") => Verdict::Unclear,
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) | (_, "no_permission") => {
            refused(Refusal::Credentials)
        }
        (_, "not_found") => refused(Refusal::Unreachable),
        (status, _) if status.is_client_error() => refused(Refusal::Request),
        _ => Verdict::Unclear,
    }
}

/// The identifier, known or not; of a stranger only what can be shown.
fn name(body: &Value) -> String {
    let name = body["error"].as_str().unwrap_or_default();
    let mut name: String = name.chars().filter(|c| !c.is_control()).collect();
    name.truncate(name.floor_char_boundary(MAX_NAME));
    name
}
