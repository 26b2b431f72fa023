//! Every check notes what is wrong under its field, and goes on.

use super::*;
use std::time::Duration;

/// The fields that are wrong.
fn wrong(checks: Checks) -> Vec<String> {
    match checks.finish(|| Some(())) {
        Ok(()) => Vec::new(),
        Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn everything_that_is_wrong_is_collected() {
    let mut checks = Checks::default();
    assert!(checks.id("account", "").is_none());
    assert!(checks.id("conversation_id", "a\0b").is_none());
    assert!(checks.id("message_id", &"m".repeat(257)).is_none());
    assert!(checks.id("command_id", "fine").is_some());
    assert_eq!(wrong(checks), ["account", "conversation_id", "message_id"]);
}

#[test]
fn an_optional_id_may_be_empty_but_not_malformed() {
    let mut checks = Checks::default();
    assert_eq!(checks.optional_id("command_id", ""), None);
    assert!(checks.optional_id("command_id", "a\nb").is_none());
    assert_eq!(wrong(checks), ["command_id"]);
}

#[test]
fn a_line_holds_no_control_characters_and_prose_no_nul() {
    let mut checks = Checks::default();
    assert!(checks.line("a", "ok".into(), 2).is_some());
    assert!(checks.line("a", "long".into(), 3).is_none());
    assert!(checks.line("b", "two\nlines".into(), 100).is_none());
    assert!(checks.prose("c", "two\nlines".into(), 100).is_some());
    assert!(checks.prose("c", "a\0b".into(), 100).is_none());
    assert!(checks.prose("d", "éé".into(), 2).is_some());
    assert!(checks.prose("d", "ééé".into(), 2).is_none());
    assert_eq!(wrong(checks), ["a", "b", "c", "d"]);
}

#[test]
fn a_time_that_is_none_is_refused_and_a_missing_one_is_not() {
    let mut checks = Checks::default();
    assert_eq!(checks.time("from", None), None);
    let bad = prost_types::Timestamp {
        seconds: 0,
        nanos: -1,
    };
    assert!(checks.time("from", Some(&bad)).is_none());
    assert_eq!(wrong(checks), ["from"]);
}

#[test]
fn a_span_must_be_there_and_within_its_bounds() {
    let bounds = Duration::from_secs(1)..=Duration::from_mins(1);
    let seconds = |seconds| prost_types::Duration { seconds, nanos: 0 };
    for (given, fits) in [
        (Some(seconds(1)), true),
        (Some(seconds(60)), true),
        (Some(seconds(0)), false),
        (Some(seconds(61)), false),
        (Some(seconds(-1)), false),
        (None, false),
    ] {
        let mut checks = Checks::default();
        let read = checks.span("heartbeat", given.as_ref(), &bounds);
        assert_eq!(read.is_some(), fits, "{given:?}");
        assert_eq!(wrong(checks).is_empty(), fits, "{given:?}");
    }
}

#[test]
fn a_page_size_has_a_default_and_a_limit() {
    let mut checks = Checks::default();
    assert_eq!(checks.page_size(0, 50, 500), Some(50));
    assert_eq!(checks.page_size(500, 50, 500), Some(500));
    assert_eq!(checks.page_size(501, 50, 500), None);
    assert_eq!(checks.page_size(-1, 50, 500), None);
    assert_eq!(wrong(checks), ["page_size", "page_size"]);
}

#[test]
fn entries_of_a_list_are_named_by_their_index() {
    let parameter = |key: &str, value: &str| parloir_proto::v1::Parameter {
        key: key.into(),
        value: value.into(),
        personal: false,
    };
    let mut checks = Checks::default();
    let given = vec![
        parameter("ok", "v"),
        parameter("2nd", "v"),
        parameter("", "a\0b"),
    ];
    checks.parameters("parameters", given);
    checks.ids("accounts", &["a".into(), String::new()]);
    let expected = [
        "parameters[1].key",
        "parameters[2].key",
        "parameters[2].value",
        "accounts[1]",
    ];
    assert_eq!(wrong(checks), expected);
}

#[test]
fn a_list_has_a_limit() {
    let mut checks = Checks::default();
    let many = vec![parloir_proto::v1::Parameter::default(); 101];
    assert!(checks.parameters("parameters", many).is_none());
    assert!(checks.ids("accounts", &vec!["a".into(); 1001]).is_none());
    assert_eq!(wrong(checks), ["parameters", "accounts"]);
}

#[test]
fn an_unspecified_or_unknown_value_is_refused_in_a_filter() {
    let mut checks = Checks::default();
    let read = crate::wire::enums::read_owner;
    assert!(checks.values("owners", &[1, 0, 99, -5], read).is_none());
    assert_eq!(wrong(checks), ["owners[1]", "owners[2]", "owners[3]"]);
}
