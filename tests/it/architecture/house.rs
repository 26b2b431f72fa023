//! House rules that a compiler cannot check.

use std::fs;

use super::source::{Source, root, sources};

/// What may stand at the root beside dotfiles and build output.
const AT_THE_ROOT: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "build.rs",
    "client",
    "docs",
    "migrations",
    "proto",
    "server",
    "target",
    "tests",
];

/// A file longer than this holds two ideas.
const LONGEST_FILE: usize = 400;

/// `main` only hands over.
const LONGEST_MAIN: usize = 40;

/// Names of folders and files that say nothing about what is in them.
const SAYS_NOTHING: &[&str] = &[
    "utils", "util", "common", "helpers", "types", "models", "misc",
];

/// Written in two halves, because this file is checked as well.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unim", "plemented!("),
    concat!("#[ig", "nore"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("#[al", "low("),
    concat!("#![al", "low("),
];

#[test]
fn every_source_file_keeps_the_house_rules() {
    let found: Vec<_> = sources().iter().flat_map(broken_rules).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn broken_rules(source: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    let mut note = |what: String| broken.push(format!("{}: {what}", source.path));
    if !source.text.starts_with("//!") {
        note("the first line does not say what the file is for".to_owned());
    }
    if !source.is_test() && source.production_lines() > LONGEST_FILE {
        note(format!("more than {LONGEST_FILE} lines"));
    }
    if source.path.ends_with("/src/main.rs") && source.text.lines().count() >= LONGEST_MAIN {
        note(format!("main has {LONGEST_MAIN} lines or more"));
    }
    for word in UNFINISHED
        .iter()
        .filter(|word| source.text.contains(**word))
    {
        note(format!("contains {word}"));
    }
    for name in SAYS_NOTHING
        .iter()
        .filter(|name| source.path.split(['/', '.']).any(|part| part == **name))
    {
        note(format!("the name '{name}' says nothing"));
    }
    broken
}

#[test]
fn a_broken_house_rule_planted_on_purpose_is_found() {
    let long = format!("//! Long.\n{}", "fn a() {}\n".repeat(LONGEST_FILE));
    let main = format!("//! Main.\n{}", "// a\n".repeat(LONGEST_MAIN));
    let planted = [
        ("server/src/a.rs", "fn a() {}"),
        ("server/src/a.rs", &long),
        ("server/src/main.rs", &main),
        ("server/src/utils/a.rs", "//! A."),
    ];
    for (path, text) in planted {
        assert_eq!(
            broken_rules(&Source::planted(path, text)).len(),
            1,
            "{path}"
        );
    }
    for word in UNFINISHED {
        let text = format!("//! A.\n{word}");
        assert_eq!(
            broken_rules(&Source::planted("server/src/a.rs", &text)).len(),
            1,
            "{word}"
        );
    }
}

#[test]
fn the_root_holds_only_what_belongs_there() {
    let strangers: Vec<_> = fs::read_dir(root())
        .expect("the root is readable")
        .map(|entry| entry.expect("an entry is readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !AT_THE_ROOT.contains(&name.as_str()))
        // Made by a server that was started here without a configuration.
        .filter(|name| !name.starts_with("parloir.db"))
        .collect();
    assert!(strangers.is_empty(), "at the root: {strangers:?}");
}

#[test]
fn the_workspace_has_one_binary() {
    let mains: Vec<_> = sources()
        .into_iter()
        .map(|source| source.path)
        .filter(|path| path.ends_with("src/main.rs") || path.contains("src/bin/"))
        .collect();
    assert_eq!(mains, ["server/src/main.rs"]);
    for manifest in [
        "Cargo.toml",
        "server/Cargo.toml",
        "client/Cargo.toml",
        "migrations/Cargo.toml",
    ] {
        let text = fs::read_to_string(root().join(manifest)).expect("a manifest is readable");
        assert!(!text.contains("[[bin]]"), "{manifest} declares a binary");
    }
}
