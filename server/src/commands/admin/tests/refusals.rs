//! What the server refused, as it is printed.

use parloir_client::{Code, Error};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use crate::commands::admin::{asked::confirmed, explain::explain};

fn printed(code: Code, details: ErrorDetails) -> String {
    let status = Status::with_error_details(code, "it cannot\x1b be done", details);
    let error = Error::from(status);
    format!("{:#}", explain(&error, "parloir admin agents get support"))
}

fn reason(word: &str) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    details.set_error_info(word, "parloir", std::collections::HashMap::new());
    details
}

#[test]
fn every_field_stands_on_its_line() {
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("agent.settings.send_timeout", "must be between 10ms and 5m");
    details.add_bad_request_violation("agent.name", "is missing");
    assert_eq!(
        printed(Code::InvalidArgument, details),
        "refused (InvalidArgument)\n  agent.settings.send_timeout: must be between 10ms and 5m\n  \
         agent.name: is missing"
    );
}

#[test]
fn a_secret_that_is_missing_is_asked_for_by_its_option() {
    let mut details = ErrorDetails::new();
    let why = "no secret is configured: give { env = \"NAME\" } or { file = \"/path\" }";
    details.add_bad_request_violation("secrets[platform.zendesk.api_key]", why);
    let text = printed(Code::InvalidArgument, details);
    let remedy = "is missing: give it with --secret platform.zendesk.api_key=@FILE";
    assert!(text.ends_with(remedy), "{text}");
}

#[test]
fn a_refusal_comes_with_what_to_do() {
    for (word, remedy) in [
        ("ETAG_MISMATCH", "`parloir admin agents get support`"),
        ("NAME_TAKEN", "choose another"),
        ("DECLARED_IN_CONFIGURATION", "configuration file"),
        ("FIRST_CALLER_NOT_ADMIN", "--scope admin"),
        ("LAST_ADMIN", "callers create"),
        ("TOO_MANY_KEYS", "keys list"),
    ] {
        let text = printed(Code::FailedPrecondition, reason(word));
        assert!(text.contains(word) && text.contains(remedy), "{text}");
    }
    for (code, remedy) in [
        (Code::Unauthenticated, "--key-file"),
        (Code::PermissionDenied, "scope admin"),
        (Code::DeadlineExceeded, "nobody knows"),
    ] {
        let text = printed(code, ErrorDetails::new());
        assert!(text.contains(remedy), "{text}");
    }
}

#[test]
fn only_yes_deletes() {
    for (typed, yes) in [
        ("y\n", true),
        ("YES\n", true),
        ("\n", false),
        ("", false),
        ("no\n", false),
    ] {
        let mut asked = Vec::new();
        let answered = confirmed(&mut typed.as_bytes(), &mut asked, "Delete it?");
        assert_eq!(answered.expect("a terminal"), yes, "{typed:?}");
        assert_eq!(asked, b"Delete it? [y/N] ");
    }
}
