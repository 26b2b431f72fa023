//! Settings from TOML to a Struct and back, and as JSON.

use prost_types::{Struct, Value, value::Kind};
use serde_json::json;
use toml::Table;

use crate::commands::admin::structs::{to_json, to_struct, to_table};

const ALL: &str = r#"
    text = "10s"
    whole = 200
    negative = -3
    broken = 0.25
    truth = true
    list = ["a", "b"]
    nothing = []
    [table.in.table]
    deep = 1
    [[tables]]
    name = "refund"
    [[tables]]
    name = "lookup"
"#;

fn table(text: &str) -> Table {
    text.parse().expect("TOML")
}

#[test]
fn what_goes_to_the_server_comes_back_as_it_was_written() {
    let there = to_struct(&table(ALL)).expect("every kind");
    assert_eq!(to_table(&there), table(ALL));
}

#[test]
fn programs_read_whole_numbers_as_such() {
    let there = to_struct(&table(ALL)).expect("every kind");
    let expected = json!({
        "text": "10s", "whole": 200, "negative": -3, "broken": 0.25, "truth": true,
        "list": ["a", "b"], "nothing": [], "table": { "in": { "table": { "deep": 1 } } },
        "tables": [{ "name": "refund" }, { "name": "lookup" }],
    });
    assert_eq!(to_json(&there), expected);
}

#[test]
fn what_cannot_travel_is_named_by_its_path() {
    for (text, path) in [
        ("a.b = 9007199254740993", "a.b"),
        ("a = [1, 9223372036854775807]", "a[1]"),
        ("a.day = 2026-11-27", "a.day"),
    ] {
        let error = to_struct(&table(text)).expect_err(text).to_string();
        assert!(error.starts_with(path), "{error}");
    }
}

#[test]
fn null_is_an_unset_setting() {
    let null = Value {
        kind: Some(Kind::NullValue(0)),
    };
    let fields = [("unset".to_owned(), null)].into_iter().collect();
    assert!(to_table(&Struct { fields }).is_empty());
}
