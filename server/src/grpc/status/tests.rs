//! Every error decodes at a client, stays small, and stands in the table for callers.

use std::{collections::BTreeSet, time::Duration};

use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::domain::{
    Cursor, Id, Position, Violation,
    administration::{ActRefused, ResourceKind},
    delivery::Reason,
};

const EPOCH: u64 = 77;

/// One of each, with what a caller shall see.
#[expect(clippy::too_many_lines, reason = "a table")]
fn catalogue() -> Vec<(Error, Code, &'static str)> {
    let agent = || Id::trusted("shop");
    let moved = (
        Error::SessionMoved {
            expected: 1,
            actual: 2,
        },
        Error::OwnerEpochMoved {
            expected: 1,
            actual: 2,
        },
    );
    vec![
        (
            Error::invalid("text", "must not be blank"),
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
        (
            Error::not_found("account", "acme"),
            Code::NotFound,
            "ACCOUNT_NOT_FOUND",
        ),
        (
            Error::not_found("agent", "shop"),
            Code::NotFound,
            "AGENT_NOT_FOUND",
        ),
        (
            Error::not_found("conversation", "c"),
            Code::NotFound,
            "CONVERSATION_NOT_FOUND",
        ),
        (
            Error::not_found("request", "r"),
            Code::NotFound,
            "REQUEST_NOT_FOUND",
        ),
        (
            Error::not_found("contact", "k"),
            Code::NotFound,
            "CONTACT_NOT_FOUND",
        ),
        (
            Error::not_found("erasure", "e"),
            Code::NotFound,
            "ERASURE_NOT_FOUND",
        ),
        (
            Error::not_found("message", "m"),
            Code::NotFound,
            "MESSAGE_NOT_FOUND",
        ),
        (
            Error::not_found("source", "s"),
            Code::NotFound,
            "SOURCE_NOT_FOUND",
        ),
        (
            Error::not_found("caller", "c"),
            Code::NotFound,
            "CALLER_NOT_FOUND",
        ),
        (
            Error::not_found("key", "k"),
            Code::NotFound,
            "KEY_NOT_FOUND",
        ),
        (Error::not_found("thing", "t"), Code::NotFound, "NOT_FOUND"),
        (
            Error::Act(ActRefused::DeclaredInConfiguration {
                kind: ResourceKind::Agent,
                name: "shop".into(),
            }),
            Code::FailedPrecondition,
            "DECLARED_IN_CONFIGURATION",
        ),
        (
            Error::Act(ActRefused::InUse {
                what: "agents/shop".into(),
                by: "accounts/care".into(),
            }),
            Code::FailedPrecondition,
            "IN_USE",
        ),
        (
            Error::Act(ActRefused::NameTaken {
                kind: ResourceKind::Agent,
                name: "shop".into(),
            }),
            Code::AlreadyExists,
            "NAME_TAKEN",
        ),
        (
            Error::Act(ActRefused::EtagMismatch {
                what: "agents/shop".into(),
            }),
            Code::Aborted,
            "ETAG_MISMATCH",
        ),
        (
            Error::Act(ActRefused::FirstCallerNotAdmin),
            Code::FailedPrecondition,
            "FIRST_CALLER_NOT_ADMIN",
        ),
        (
            Error::Act(ActRefused::LastAdmin),
            Code::FailedPrecondition,
            "LAST_ADMIN",
        ),
        (
            Error::Act(ActRefused::TooManyKeys { limit: 9 }),
            Code::ResourceExhausted,
            "TOO_MANY_KEYS",
        ),
        (
            Error::Act(ActRefused::TooManyObjects {
                kind: ResourceKind::Agent,
                limit: 9,
            }),
            Code::ResourceExhausted,
            "TOO_MANY_OBJECTS",
        ),
        (
            Error::KeyReused {
                field: "message_id",
            },
            Code::AlreadyExists,
            "IDEMPOTENCY_KEY_REUSED",
        ),
        (
            Error::AgentRejected {
                detail: "no such user".into(),
            },
            Code::FailedPrecondition,
            "AGENT_REJECTED",
        ),
        (
            Error::AgentCredentialsRejected { agent: agent() },
            Code::FailedPrecondition,
            "AGENT_CREDENTIALS_REJECTED",
        ),
        (
            Error::AgentNotFoundUpstream { agent: agent() },
            Code::FailedPrecondition,
            "AGENT_NOT_FOUND_UPSTREAM",
        ),
        (
            Error::NotDelivered {
                reason: "QUEUED_TOO_LONG",
            },
            Code::FailedPrecondition,
            "QUEUED_TOO_LONG",
        ),
        (
            Error::UpstreamIdTaken { agent: agent() },
            Code::FailedPrecondition,
            "UPSTREAM_ID_TAKEN",
        ),
        (
            Error::CredentialsMissing,
            Code::Unauthenticated,
            "CREDENTIALS_MISSING",
        ),
        (
            Error::CredentialsInvalid,
            Code::Unauthenticated,
            "CREDENTIALS_INVALID",
        ),
        (
            Error::ScopeMissing {
                needed: &[
                    crate::domain::Scope::Converse,
                    crate::domain::Scope::Subscribe,
                ],
            },
            Code::PermissionDenied,
            "SCOPE_MISSING",
        ),
        (Error::MethodClosed, Code::PermissionDenied, "METHOD_CLOSED"),
        (
            Error::Limited {
                setting: "limits.caller_streams",
                limit: 5,
                retry_after: Duration::from_millis(40),
            },
            Code::ResourceExhausted,
            "LIMIT_REACHED",
        ),
        (Error::NotOwner, Code::FailedPrecondition, "NOT_OWNER"),
        (
            Error::HumanNotJoined,
            Code::FailedPrecondition,
            "HUMAN_NOT_JOINED",
        ),
        (Error::OtherKind, Code::FailedPrecondition, "OTHER_KIND"),
        (
            Error::ContactTaken,
            Code::FailedPrecondition,
            "CONTACT_TAKEN",
        ),
        (
            Error::not_found("subscription", "s"),
            Code::NotFound,
            "SUBSCRIPTION_NOT_FOUND",
        ),
        (
            Error::SubscriptionDiffers {
                name: Id::trusted("crm"),
            },
            Code::FailedPrecondition,
            "SUBSCRIPTION_DIFFERS",
        ),
        (
            Error::SubscriptionExists {
                name: Id::trusted("crm"),
            },
            Code::AlreadyExists,
            "NAME_TAKEN",
        ),
        (moved.0, Code::Aborted, "SESSION_MOVED"),
        (moved.1, Code::Aborted, "OWNER_EPOCH_MOVED"),
        (
            Error::CursorExpired {
                first_available: Position(9),
            },
            Code::OutOfRange,
            "CURSOR_EXPIRED",
        ),
        (
            Error::CursorUnknown,
            Code::FailedPrecondition,
            "CURSOR_UNKNOWN",
        ),
        (
            Error::QueueFull {
                agent: agent(),
                limit: 5,
            },
            Code::Unavailable,
            "QUEUE_FULL",
        ),
        (
            Error::Limit {
                setting: "grpc.max_streams",
                limit: 5,
            },
            Code::ResourceExhausted,
            "LIMIT_REACHED",
        ),
        (
            Error::StoreUnavailable,
            Code::Unavailable,
            "STORE_UNAVAILABLE",
        ),
        (Error::StoreFull, Code::ResourceExhausted, "STORE_FULL"),
        (Error::Stopping, Code::Unavailable, "SERVER_STOPPING"),
        (
            Error::Unsupported("not in this version"),
            Code::Unimplemented,
            "UNSUPPORTED",
        ),
        (Error::Internal, Code::Internal, "INTERNAL"),
    ]
}

#[test]
fn every_error_has_its_code_and_a_reason_in_our_domain() {
    for (error, code, reason) in catalogue() {
        let status = status(&error, EPOCH);
        assert_eq!(status.code(), code, "{error:?}");
        let info = status.get_details_error_info().expect("ErrorInfo");
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            (reason, "parloir")
        );
        let upper_snake = |c: char| c.is_ascii_uppercase() || c == '_';
        assert!(info.reason.chars().all(upper_snake), "{reason}");
    }
}

#[test]
fn retry_info_comes_with_what_is_worth_trying_again_and_with_nothing_else() {
    let worth = [
        "QUEUE_FULL",
        "LIMIT_REACHED",
        "STORE_UNAVAILABLE",
        "STORE_FULL",
        "SERVER_STOPPING",
    ];
    for (error, _, reason) in catalogue() {
        let delay = status(&error, EPOCH)
            .get_details_retry_info()
            .and_then(|info| info.retry_delay);
        assert_eq!(delay.is_some(), worth.contains(&reason), "{reason}");
        // What a rate holds back is told to the moment it may come; the others have a second at least.
        let least = if reason == "LIMIT_REACHED" {
            Duration::from_millis(1)
        } else {
            Duration::from_secs(1)
        };
        assert!(
            delay.is_none_or(|delay| delay >= least),
            "{reason} {delay:?}"
        );
    }
}

#[test]
fn all_wrong_fields_are_told_with_their_paths() {
    let wrong = |field: &str| Violation {
        field: field.into(),
        description: "is wrong".into(),
    };
    let error = Error::Invalid(vec![wrong("account"), wrong("parameters[2].key")]);
    let told = status(&error, EPOCH)
        .get_details_bad_request()
        .expect("BadRequest");
    let fields: Vec<_> = told
        .field_violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(fields, ["account", "parameters[2].key"]);
}

#[test]
fn an_expired_cursor_carries_one_that_begins_with_the_first_event_left() {
    let error = Error::CursorExpired {
        first_available: Position(9),
    };
    let info = status(&error, EPOCH)
        .get_details_error_info()
        .expect("ErrorInfo");
    let cursor = Cursor::decode(&info.metadata[FIRST_AVAILABLE_CURSOR], EPOCH).expect("ours");
    assert_eq!(cursor.position, Position(8), "cursors are exclusive");
}

#[test]
fn an_unknown_thing_is_named_as_a_resource() {
    let told = status(&Error::not_found("account", "acme"), EPOCH);
    let resource = told.get_details_resource_info().expect("ResourceInfo");
    assert_eq!(
        (
            resource.resource_type.as_str(),
            resource.resource_name.as_str()
        ),
        ("account", "acme")
    );
}

#[test]
fn a_limit_names_its_setting_and_a_moved_state_what_moved() {
    let limit = Error::Limit {
        setting: "grpc.max_streams",
        limit: 5,
    };
    let quota = status(&limit, EPOCH)
        .get_details_quota_failure()
        .expect("QuotaFailure");
    assert_eq!(quota.violations[0].subject, "grpc.max_streams");
    let moved = Error::OwnerEpochMoved {
        expected: 1,
        actual: 2,
    };
    let state = status(&moved, EPOCH)
        .get_details_precondition_failure()
        .expect("PreconditionFailure");
    assert_eq!(state.violations[0].subject, "expected_owner_epoch");
}

#[test]
fn even_the_largest_error_stays_small() {
    let long = "é".repeat(2000);
    let wrong = (0..500).map(|at| Violation {
        field: format!("parameters[{at}].{long}"),
        description: long.clone(),
    });
    let errors = [
        Error::Invalid(wrong.collect()),
        Error::not_found("account", &long),
        Error::AgentRejected {
            detail: long.clone(),
        },
        Error::AgentCredentialsRejected {
            agent: Id::trusted(long.as_str()),
        },
        Error::QueueFull {
            agent: Id::trusted(long),
            limit: 5,
        },
    ];
    for error in errors {
        let status = status(&error, EPOCH);
        assert!(status.message().len() <= 512, "{}", status.message().len());
        assert!(
            status.details().len() <= 3 * 1024,
            "{}",
            status.details().len()
        );
    }
}

#[test]
fn violations_that_do_not_fit_are_counted() {
    let wrong = (0..100).map(|at| Violation {
        field: format!("parameters[{at}].key"),
        description: "must be 1 to 128 letters, digits and underscores".into(),
    });
    let told = status(&Error::Invalid(wrong.collect()), EPOCH)
        .get_details_bad_request()
        .expect("BadRequest")
        .field_violations;
    let left = 100 - (told.len() - 1);
    assert_eq!(
        told.last().expect("one").description,
        format!("and {left} more")
    );
}

#[test]
fn the_table_for_callers_lists_every_reason_and_no_other() {
    let table = include_str!("../../../../docs/errors.md");
    let listed: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(reason, _)| reason)
        .collect();
    let known: BTreeSet<_> = catalogue()
        .iter()
        .map(|(_, _, reason)| *reason)
        .chain(Reason::ALL.into_iter().map(Reason::as_str))
        .chain([STREAM_LIFETIME, STREAM_REPLACED])
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn the_table_for_callers_tells_the_code_of_every_reason() {
    let table = include_str!("../../../../docs/errors.md");
    for (_, code, reason) in catalogue() {
        let code = format!("{code:?}");
        let line = table
            .lines()
            .find(|line| line.starts_with(&format!("| `{reason}` ")));
        let told = line
            .and_then(|line| line.split('|').nth(2))
            .unwrap_or_default();
        let told: String = told.trim().split('_').map(capitalised).collect();
        assert_eq!(told, code, "{reason}");
    }
}

/// As Rust writes the word of a code.
fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1.min(word.len()));
    first.to_owned() + &rest.to_lowercase()
}
