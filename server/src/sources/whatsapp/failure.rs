//! The platform's error codes, in answers and in webhooks alike, and what each asks for.

use serde_json::Value;

use crate::domain::{Reason, outbound::Refusal};

/// What an error means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// More than 24 hours since the visitor's last word: only a template would be taken.
    WindowClosed,
    /// This visitor cannot be reached.
    Unreachable,
    /// This kind of message is not taken.
    Unsupported,
    /// The number, the app or the account sends too much.
    Busy,
    /// This visitor was sent too much.
    TooFast,
    /// Token, policy or account: every further call makes it worse.
    Stopped,
    /// The token lacks a permission.
    Forbidden,
    /// Something went wrong over there, before or after the message was taken.
    Temporary,
    /// None of the above: the request itself.
    Other,
}

/// An error's code, which comes as a number or as text.
pub(super) fn code(error: &Value) -> Option<i64> {
    let code = &error["code"];
    code.as_i64().or_else(|| code.as_str()?.trim().parse().ok())
}

impl Failure {
    /// `None`: there is no error with a code.
    pub(super) fn of(error: &Value) -> Option<Self> {
        Some(match code(error)? {
            131_047 => Self::WindowClosed,
            131_026 => Self::Unreachable,
            131_051 => Self::Unsupported,
            4 | 80_007 | 130_429 => Self::Busy,
            131_056 => Self::TooFast,
            0 | 190 | 368 | 131_031 | 131_048 => Self::Stopped,
            10 | 200..=299 => Self::Forbidden,
            131_000 | 131_016 => Self::Temporary,
            _ => Self::Other,
        })
    }

    /// As the refusal of a request; nothing for what may be tried again.
    pub(super) fn refusal(self) -> Option<Refusal> {
        Some(match self {
            Self::WindowClosed => Refusal::WindowClosed,
            Self::Unreachable => Refusal::Unreachable,
            Self::Stopped | Self::Forbidden => Refusal::Credentials,
            Self::Unsupported | Self::Other => Refusal::Request,
            Self::Busy | Self::TooFast | Self::Temporary => return None,
        })
    }

    /// As the reason of a delivery that the platform took first and gave up later.
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::WindowClosed => Reason::WindowClosed,
            Self::Unreachable => Reason::VisitorUnreachable,
            Self::Stopped | Self::Forbidden => Reason::SourceCredentialsRejected,
            Self::Unsupported | Self::Other => Reason::SourceRejected,
            Self::Busy | Self::TooFast | Self::Temporary => Reason::SourceUnavailable,
        }
    }
}

/// What an error says, for people: its code and words.
pub(super) fn said(error: &Value) -> String {
    let words = [
        &error["message"],
        &error["title"],
        &error["error_data"]["details"],
    ];
    let code = code(error).map(|code| code.to_string());
    let words = words
        .into_iter()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let mut parts: Vec<_> = code.into_iter().chain(words).collect();
    parts.dedup();
    parts.join(": ")
}
