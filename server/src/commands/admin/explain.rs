//! What the server refused, for whoever typed the verb: each field on its line, and what to do about it.

use std::fmt::Write;

use parloir_client::{Code, Error};

use crate::commands::terminal;

/// An error as this verb prints it. `again` is the command that shows the object as it is now.
pub(super) fn explain(error: &Error, again: &str) -> anyhow::Error {
    let message = terminal::one_line(error.message());
    let mut text = match error.reason() {
        Some(reason) => format!("{message} ({reason})"),
        None => format!("{message} ({:?})", error.code()),
    };
    for violation in error.field_violations() {
        let (field, what) = (
            terminal::one_line(violation.field),
            terminal::one_line(violation.description),
        );
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {field}: {what}");
    }
    if let Some(remedy) = remedy(error, again) {
        let _ = write!(text, "\n{remedy}");
    }
    anyhow::anyhow!(text)
}

fn remedy(error: &Error, again: &str) -> Option<String> {
    let by_reason = match error.reason().unwrap_or_default() {
        "ETAG_MISMATCH" => {
            format!("somebody changed it meanwhile: look with `{again}`, then try again with the etag it shows")
        }
        "NAME_TAKEN" => format!("`{again}` shows the one that has the name; choose another, or update that one"),
        "DECLARED_IN_CONFIGURATION" => {
            "the server's configuration file declares it: change it there, and restart the server".to_owned()
        }
        "IN_USE" => "take it out of what uses it first".to_owned(),
        "FIRST_CALLER_NOT_ADMIN" => {
            "make a caller with --scope admin first: once the server knows a caller, nobody gets in without a key".to_owned()
        }
        "LAST_ADMIN" => {
            "give another caller the scope admin, and a key, first: `parloir admin callers create`".to_owned()
        }
        "TOO_MANY_KEYS" => "revoke a key first: `parloir admin keys list` shows them".to_owned(),
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
