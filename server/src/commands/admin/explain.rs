//! What the server refused, for whoever typed the verb: each field on its line, and what to do about it.

use std::fmt::Write;

use parloir_client::{Code, Error, FieldViolation};

use crate::commands::terminal;

/// How the server begins to say that a secret is missing.
const NOT_GIVEN: &str = "no secret is configured";

/// An error as this verb prints it. `again` is the command that shows the object as it is now.
pub(super) fn explain(error: &Error, again: &str) -> anyhow::Error {
    let word = match error.reason() {
        Some(reason) => reason.to_owned(),
        None => format!("{:?}", error.code()),
    };
    let fields: String = error.field_violations().map(field).collect();
    // Where there are fields, the message repeats them.
    let message = match fields.as_str() {
        "" => terminal::one_line(error.message()),
        _ => "refused".into(),
    };
    let mut text = format!("{message} ({word}){fields}");
    if let Some(remedy) = remedy(error, again) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{remedy}");
    }
    anyhow::anyhow!(text)
}

/// One field on a line of its own.
fn field(violation: FieldViolation<'_>) -> String {
    let FieldViolation { field, description } = violation;
    let secret = field
        .strip_prefix("secrets[")
        .and_then(|rest| rest.strip_suffix(']'));
    let what = match secret {
        // The server's own files and variables, which it would suggest, are not for administrators.
        Some(path) if description.starts_with(NOT_GIVEN) => {
            format!("is missing: give it with --secret {path}=@FILE")
        }
        _ => description.to_owned(),
    };
    format!(
        "\n  {}: {}",
        terminal::one_line(field),
        terminal::one_line(&what)
    )
}

fn remedy(error: &Error, again: &str) -> Option<String> {
    let by_reason = match error.reason().unwrap_or_default() {
        "ETAG_MISMATCH" => {
            format!(
                "somebody changed it meanwhile: look with `{again}`, then try again with the etag it shows"
            )
        }
        "NAME_TAKEN" => {
            format!("`{again}` shows the one that has the name; choose another, or update that one")
        }
        "DECLARED_IN_CONFIGURATION" => {
            "what the configuration file says counts from the next start of the server".to_owned()
        }
        "FIRST_CALLER_NOT_ADMIN" => "give it --scope admin, and a key".to_owned(),
        "LAST_ADMIN" => {
            "`parloir admin callers create` and `parloir admin keys create` do that".to_owned()
        }
        "TOO_MANY_KEYS" => "`parloir admin keys list` shows them".to_owned(),
        _ => return by_code(error.code(), again),
    };
    Some(by_reason)
}

fn by_code(code: Code, again: &str) -> Option<String> {
    let remedy = match code {
        Code::Unauthenticated => {
            "give a key: --key-file FILE, or the variable PARLOIR_KEY".to_owned()
        }
        Code::PermissionDenied => {
            "the key is good, but its caller may not do this: it needs the scope admin".to_owned()
        }
        Code::DeadlineExceeded | Code::Unavailable => {
            format!("whether it was done nobody knows: `{again}` shows it")
        }
        Code::Unimplemented => {
            "the server is older than this program and has no administration".to_owned()
        }
        _ => return None,
    };
    Some(remedy)
}
