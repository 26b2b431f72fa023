//! What an error of the Graph API means. Its code and subcode decide, never its words: those change, and may repeat
//! what must not be shown.

use http::StatusCode;
use serde_json::Value;

use crate::domain::outbound::{Refusal, Sent};

/// What a failed call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Another application controls the conversation.
    NotOwner,
    /// Too fast, or the platform itself holds the conversation just now: certainly not processed.
    Later,
    /// The visitor spoke too long ago.
    WindowClosed,
    /// The visitor blocked the page, or is no more.
    Unreachable,
    /// The token itself is refused: no call will pass until there is another.
    Token,
    /// The token is fine, and lacks a permission, or the app is not live.
    Permission,
    /// The request, or our configuration.
    Request,
    /// Nobody can tell whether it was processed.
    Unclear,
}

/// An error as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) meaning: Meaning,
    code: i64,
    subcode: i64,
}

impl Fault {
    /// Reads an answer that is not a success. Without a code its status decides.
    pub(super) fn read(status: StatusCode, body: &Value) -> Self {
        let number = |name: &str| body["error"][name].as_i64().unwrap_or_default();
        let (code, subcode) = (number("code"), number("error_subcode"));
        Self {
            meaning: by_code(code, subcode).unwrap_or_else(|| by_status(status)),
            code,
            subcode,
        }
    }

    /// A token that was refused before.
    pub(super) fn known_token() -> Self {
        Self {
            meaning: Meaning::Token,
            code: 190,
            subcode: 0,
        }
    }

    /// For people: fixed words and the platform's numbers.
    pub(super) fn detail(self) -> String {
        let Self { code, subcode, .. } = self;
        let meaning = match (self.meaning, code, subcode) {
            (Meaning::Request, _, 2_018_164) => "there is no such app: see handover_app_id",
            (Meaning::Request, ..) if is_role(code, subcode) => {
                "our app lacks the role for this on the page: see its conversation routing"
            }
            (Meaning::NotOwner, ..) => "another application controls the conversation",
            (Meaning::Later, ..) => "too fast, or the platform holds the conversation",
            (Meaning::WindowClosed, ..) => "the visitor spoke too long ago",
            (Meaning::Unreachable, ..) => "the visitor cannot be reached",
            (Meaning::Token, ..) => {
                "the page's token is refused: nothing is sent until page_token holds another"
            }
            (Meaning::Permission, ..) => "the app is not live, or lacks a permission",
            (Meaning::Request, ..) => "the request was refused",
            (Meaning::Unclear, ..) => "the platform failed",
        };
        format!("{meaning} (code {code}, subcode {subcode})")
    }

    /// How a message that met it ended; `after` is when to try again where that helps.
    pub(super) fn sent(self, after: impl FnOnce() -> std::time::Duration) -> Sent {
        let refusal = match self.meaning {
            Meaning::Later => {
                return Sent::NotNow {
                    after: Some(after()),
                };
            }
            Meaning::Unclear => return Sent::Unclear,
            Meaning::NotOwner => Refusal::NotOwner,
            Meaning::WindowClosed => Refusal::WindowClosed,
            Meaning::Unreachable => Refusal::Unreachable,
            Meaning::Token | Meaning::Permission => Refusal::Credentials,
            Meaning::Request => Refusal::Request,
        };
        Sent::Refused {
            refusal,
            detail: self.detail(),
        }
    }
}

/// Some subcodes also come alone, as the code.
fn by_code(code: i64, subcode: i64) -> Option<Meaning> {
    Some(match (code, subcode) {
        (2_018_300, _) | (_, 2_018_300) | (100, 2_534_037) => Meaning::NotOwner,
        // The platform's own automation; the rates of an app, a user, a page and of Messenger; the abuse warning.
        (2_018_321 | 4 | 17 | 32 | 613 | 80_006, _) | (_, 2_018_321) => Meaning::Later,
        (10, 2_018_278 | 2_534_022 | 2_018_065) => Meaning::WindowClosed,
        // Blocked, and gone.
        (10, 2_018_108) | (551, _) | (200, 1_545_041) | (100, 2_018_001 | 33) => {
            Meaning::Unreachable
        }
        (190, _) => Meaning::Token,
        (1 | 2, _) => Meaning::Unclear,
        _ if is_role(code, subcode) => Meaning::Request,
        (10 | 200..=299, _) => Meaning::Permission,
        (100, _) => Meaning::Request,
        _ => return None,
    })
}

/// Only primary and secondary receivers; only its own self among the receivers.
fn is_role(code: i64, subcode: i64) -> bool {
    [code, subcode]
        .iter()
        .any(|number| matches!(number, 2_018_171 | 2_018_234))
}

fn by_status(status: StatusCode) -> Meaning {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Meaning::Permission,
        StatusCode::TOO_MANY_REQUESTS => Meaning::Later,
        StatusCode::REQUEST_TIMEOUT => Meaning::Unclear,
        status if status.is_client_error() => Meaning::Request,
        _ => Meaning::Unclear,
    }
}
