//! Every numbered check of the contracts has a test that carries its number, and `tests/checks.md` lists them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    ops::RangeInclusive,
};

use crate::architecture::source::{Source, root, sources};

/// A list of numbered checks, or a part of one.
struct List {
    title: &'static str,
    /// What the names of its tests begin with.
    prefix: &'static str,
    numbers: RangeInclusive<u32>,
}

const LISTS: &[List] = &[
    List {
        title: "Zendesk AI agents, A: requests to the platform",
        prefix: "check",
        numbers: 1..=32,
    },
    List {
        title: "Zendesk AI agents, B: the simulated platform",
        prefix: "check",
        numbers: 33..=53,
    },
    List {
        title: "Zendesk AI agents, C: webhooks from the platform",
        prefix: "check",
        numbers: 54..=92,
    },
    List {
        title: "Zendesk AI agents, D: other endpoints",
        prefix: "check",
        numbers: 93..=102,
    },
    List {
        title: "Qualtrics Social Connect",
        prefix: "qsc",
        numbers: 1..=40,
    },
    List {
        title: "Facebook Messenger",
        prefix: "fb",
        numbers: 1..=37,
    },
    List {
        title: "WhatsApp Cloud API",
        prefix: "wa",
        numbers: 1..=15,
    },
    List {
        title: "LivePerson",
        prefix: "lp",
        numbers: 1..=15,
    },
    List {
        title: "Help Scout",
        prefix: "hs",
        numbers: 1..=12,
    },
];

/// Where Parloir does other than the check's wording, on purpose.
const DIFFERS: &[(Check, &str)] = &[
    (
        ("check", 22),
        "FAILED_PRECONDITION, reason AGENT_REJECTED: the caller's fields were fine",
    ),
    (
        ("check", 23),
        "FAILED_PRECONDITION, reason AGENT_CREDENTIALS_REJECTED: the caller's own credentials are fine",
    ),
    (
        ("check", 24),
        "FAILED_PRECONDITION, reason AGENT_NOT_FOUND_UPSTREAM: what the caller named exists",
    ),
    (
        ("check", 26),
        "OK and QUEUED after bounded tries: an agent that is down is no error of the call",
    ),
    (
        ("check", 27),
        "OK and UNKNOWN: it was sent once, and nobody can tell whether it arrived",
    ),
    (
        ("check", 75),
        "the limit is a setting, 2 s unless configured otherwise",
    ),
    (
        ("check", 81),
        "with no actions declared on the agent every name is offered; with a list, an unlisted one is recorded and \
         answered at once, 200 empty or 400 by setting",
    ),
    (
        ("check", 92),
        "always 200 while the store accepts: events are on disk, so there is no buffer to fill",
    ),
    (
        ("wa", 10),
        "written out as numbered text: both can be told apart, and the agent is told the label it gave",
    ),
];

/// Set to write the table instead of comparing with it.
const WRITE: &str = "PARLOIR_WRITE_CHECKS";

/// The prefix of its list, and its number.
type Check = (&'static str, u32);

/// Names that two files share stand once.
type Covered = BTreeMap<Check, BTreeSet<String>>;

#[test]
fn every_numbered_check_has_a_test() {
    let covered = covered(&sources());
    let missing: Vec<_> = LISTS
        .iter()
        .flat_map(List::checks)
        .filter(|check| !covered.contains_key(check))
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
        .filter(|(check, _)| !LISTS.iter().any(|list| list.holds(check)))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

impl List {
    fn checks(&self) -> impl Iterator<Item = Check> {
        let prefix = self.prefix;
        self.numbers.clone().map(move |number| (prefix, number))
    }

    fn holds(&self, (prefix, number): &Check) -> bool {
        self.prefix == *prefix && self.numbers.contains(number)
    }
}

/// Which tests carry which numbers.
fn covered(sources: &[Source]) -> Covered {
    let mut covered = Covered::new();
    for (checks, name) in sources.iter().flat_map(tests_in) {
        for check in checks {
            covered.entry(check).or_default().insert(name.clone());
        }
    }
    covered
}

/// The numbered tests of a file: functions under a test attribute whose names begin with a list's prefix and numbers.
fn tests_in(source: &Source) -> Vec<(Vec<Check>, String)> {
    let mut under_test = false;
    let mut found = Vec::new();
    for line in source.text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            under_test = true;
        } else if let Some(name) = function_name(line) {
            if under_test {
                found.push((checks_in(name), name.to_owned()));
            }
            under_test = false;
        }
    }
    found
}

/// None for a name that begins otherwise.
fn checks_in(name: &str) -> Vec<Check> {
    let mut parts = name.split('_');
    let first = parts.next();
    let Some(list) = LISTS.iter().find(|list| Some(list.prefix) == first) else {
        return Vec::new();
    };
    parts
        .map_while(|part| part.parse().ok())
        .map(|number| (list.prefix, number))
        .collect()
}

fn function_name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

fn table(covered: &Covered) -> String {
    let mut text = String::from(
        "# Numbered checks of the contracts and the tests that make them\n\n\
         Generated: `PARLOIR_WRITE_CHECKS=1 cargo test --workspace --test it checks::`. The wording of a check is its tests' names;\n\
         the third column says where Parloir does something else than the check asks for, on purpose.\n",
    );
    for list in LISTS {
        write!(
            text,
            "\n## {}\n\n| check | tests | differs |\n|---|---|---|\n",
            list.title
        )
        .expect("a string takes it");
        for check in list.checks() {
            let tests = covered.get(&check).into_iter().flatten();
            let tests: Vec<_> = tests.map(|name| format!("`{name}`")).collect();
            let (check, tests, differs) = (label(check), tests.join("<br>"), differs(check));
            writeln!(text, "| {check} | {tests} | {differs} |").expect("a string takes it");
        }
    }
    text
}

/// As the contract spells it: the oldest list has bare numbers.
fn label((prefix, number): Check) -> String {
    match prefix {
        "check" => number.to_string(),
        prefix => format!("{}-{number}", prefix.to_uppercase()),
    }
}

fn differs(check: Check) -> &'static str {
    DIFFERS
        .iter()
        .find(|(differing, _)| *differing == check)
        .map_or("", |(_, how)| how)
}

#[test]
fn what_differs_is_a_check() {
    for (check, _) in DIFFERS {
        assert!(LISTS.iter().any(|list| list.holds(check)), "{check:?}");
    }
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
        "#[tokio::test]",
        "async fn qsc_18_19_raw_bytes_are_signed() {}",
        "#[test]",
        "fn fb_32_a_text_of_4500_characters_is_three() {}",
        "#[test]",
        "fn wa_is_no_number() {}",
        "#[test]",
        "fn fbx_03_is_no_list() {}",
        "#[test]",
        "fn a_test_of_lp_07() {}",
        "fn hs_01_is_no_test() {}",
    ];
    let covered = covered(&[Source::planted("a.rs", &text.join("\n"))]);
    let found: Vec<_> = covered.keys().copied().collect();
    assert_eq!(
        found,
        [
            ("check", 7),
            ("check", 36),
            ("check", 37),
            ("fb", 32),
            ("qsc", 18),
            ("qsc", 19)
        ]
    );
}

#[test]
fn a_number_belongs_to_its_own_list() {
    let holds = |check| LISTS.iter().any(|list| list.holds(&check));
    for check in [
        ("check", 102),
        ("qsc", 40),
        ("fb", 37),
        ("wa", 15),
        ("lp", 15),
        ("hs", 12),
    ] {
        let (prefix, last) = check;
        assert!(holds(check) && !holds((prefix, last + 1)), "{check:?}");
        assert!(holds((prefix, 1)) && !holds((prefix, 0)), "{check:?}");
    }
    let covered = Covered::from([(("wa", 3), BTreeSet::from(["wa_03_a".to_owned()]))]);
    let table = table(&covered);
    assert!(table.contains("\n| WA-3 | `wa_03_a` |  |\n"));
    assert!(table.contains("\n| LP-3 |  |  |\n"));
    assert!(table.contains("\n| 3 |  |  |\n"));
}
