//! Every numbered check of the platform contract has a test that carries its number, and `tests/checks.md` lists them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
};

use crate::architecture::source::{Source, root, sources};

/// The parts of the check list that this version covers.
const PARTS: &[(&str, std::ops::RangeInclusive<u32>)] = &[
    ("A: requests to the platform", 1..=32),
    ("B: the simulated platform", 33..=53),
    ("C: webhooks from the platform", 54..=92),
];

/// Where Parloir does other than the check's wording, on purpose.
const DIFFERS: &[(u32, &str)] = &[
    (
        22,
        "FAILED_PRECONDITION, reason AGENT_REJECTED: the caller's fields were fine",
    ),
    (
        23,
        "FAILED_PRECONDITION, reason AGENT_CREDENTIALS_REJECTED: the caller's own credentials are fine",
    ),
    (
        24,
        "FAILED_PRECONDITION, reason AGENT_NOT_FOUND_UPSTREAM: what the caller named exists",
    ),
    (
        26,
        "OK and QUEUED after bounded tries: an agent that is down is no error of the call",
    ),
    (
        27,
        "OK and UNKNOWN: it was sent once, and nobody can tell whether it arrived",
    ),
    (
        75,
        "the limit is a setting, 2 s unless configured otherwise",
    ),
    (
        81,
        "with no actions declared on the agent every name is offered; with a list, an unlisted one is recorded and \
         answered at once, 200 empty or 400 by setting",
    ),
    (
        83,
        "decoded, recorded and answered; handing over through the widget is not part of this version",
    ),
    (
        84,
        "decoded, recorded and answered; sending tickets is not part of this version",
    ),
    (
        85,
        "decoded, recorded and answered; sending tickets is not part of this version",
    ),
    (
        92,
        "always 200 while the store accepts: events are on disk, so there is no buffer to fill",
    ),
];

/// Set to write the table instead of comparing with it.
const WRITE: &str = "PARLOIR_WRITE_CHECKS";

/// Names that two files share stand once.
type Covered = BTreeMap<u32, BTreeSet<String>>;

#[test]
fn every_numbered_check_has_a_test() {
    let covered = covered(&sources());
    let missing: Vec<_> = numbers()
        .filter(|number| !covered.contains_key(number))
        .collect();
    assert!(
        missing.is_empty(),
        "no test is named after these checks: {missing:?}"
    );
}

#[test]
fn the_table_of_checks_is_up_to_date() {
    let path = root().join("tests/checks.md");
    let table = table(&covered(&sources()));
    if env::var_os(WRITE).is_some() {
        fs::write(&path, &table).expect("the table can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == table,
        "tests/checks.md is out of date: {WRITE}=1 cargo test --workspace --test it checks::"
    );
}

#[test]
fn no_test_carries_a_number_that_is_no_check() {
    let strangers: Vec<_> = covered(&sources())
        .into_iter()
        .filter(|(number, _)| !numbers().any(|known| known == *number))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

fn numbers() -> impl Iterator<Item = u32> {
    PARTS.iter().flat_map(|(_, numbers)| numbers.clone())
}

/// Which tests carry which numbers.
fn covered(sources: &[Source]) -> Covered {
    let mut covered = Covered::new();
    for (numbers, name) in sources.iter().flat_map(tests_in) {
        for number in numbers {
            covered.entry(number).or_default().insert(name.clone());
        }
    }
    covered
}

/// The numbered tests of a file: functions under a test attribute whose names begin with `check_` and numbers.
fn tests_in(source: &Source) -> Vec<(Vec<u32>, String)> {
    let mut under_test = false;
    let mut found = Vec::new();
    for line in source.text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            under_test = true;
        } else if let Some(name) = function_name(line) {
            if let Some(sentence) = name.strip_prefix("check_").filter(|_| under_test) {
                let numbers = sentence
                    .split('_')
                    .map_while(|part| part.parse().ok())
                    .collect();
                found.push((numbers, name.to_owned()));
            }
            under_test = false;
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

fn table(covered: &Covered) -> String {
    let mut text = String::from(
        "# Numbered checks of the platform contract and the tests that make them\n\n\
         Generated: `PARLOIR_WRITE_CHECKS=1 cargo test --workspace --test it checks::`. The wording of a check is its tests' names;\n\
         the third column says where Parloir does something else than the check asks for, on purpose.\n",
    );
    for (title, numbers) in PARTS {
        write!(
            text,
            "\n## {title}\n\n| check | tests | differs |\n|---|---|---|\n"
        )
        .expect("a string takes it");
        for number in numbers.clone() {
            let tests = covered
                .get(&number)
                .map(|names| {
                    names
                        .iter()
                        .map(String::as_str)
                        .collect::<Vec<_>>()
                        .join("`<br>`")
                })
                .unwrap_or_default();
            writeln!(text, "| {number} | `{tests}` | {} |", differs(number))
                .expect("a string takes it");
        }
    }
    text
}

fn differs(number: u32) -> &'static str {
    DIFFERS
        .iter()
        .find(|(differing, _)| *differing == number)
        .map_or("", |(_, how)| how)
}

#[test]
fn numbers_are_read_from_names_of_tests_only() {
    // Line by line: this file is scanned as well.
    let text = [
        "#[test]",
        "fn check_07_a_button_sends_its_label() {}",
        "#[tokio::test(start_paused = true)]",
        "async fn check_36_37_bad_events_are_refused() {}",
        "fn check_09_is_no_test() {}",
    ];
    let covered = covered(&[Source::planted("a.rs", &text.join("\n"))]);
    assert_eq!(covered.keys().copied().collect::<Vec<_>>(), [7, 36, 37]);
}
