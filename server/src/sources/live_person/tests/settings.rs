//! What is wrong with a configuration is told at the start.

use crate::{
    config::{load, problem::Problems, section::Section},
    secret::Secret,
    sources::live_person::LivePersonConfig,
};

fn valid() -> LivePersonConfig {
    LivePersonConfig {
        account_id: "le12345".to_owned(),
        bots: vec!["bot".to_owned()],
        public_keys: vec![Secret::in_environment("KEY")],
        default_skill: "Humans".to_owned(),
        ..LivePersonConfig::default()
    }
}

fn wrong(change: impl FnOnce(&mut LivePersonConfig)) -> Vec<String> {
    let mut config = valid();
    change(&mut config);
    let mut problems = Problems::default();
    config.check_all("at", &mut problems);
    problems.0.into_iter().map(|problem| problem.key).collect()
}

#[test]
fn what_is_missing_or_out_of_bounds_is_named() {
    assert!(wrong(|_| {}).is_empty());
    let required = [
        "at.account_id",
        "at.bots",
        "at.public_keys",
        "at.default_skill",
    ];
    assert_eq!(
        wrong(|config| *config = LivePersonConfig::default()),
        required
    );
    let late = std::time::Duration::from_secs(56);
    assert_eq!(
        wrong(|config| config.answer_within = late),
        ["at.answer_within"]
    );
}

#[test]
fn what_stands_in_an_address_is_plain_and_draft_is_among_the_environments() {
    for name in ["", "a/b", "a b", "é"] {
        let names = vec![name.to_owned()];
        assert_eq!(wrong(|config| config.bots = names), ["at.bots"], "{name}");
    }
    let production = vec!["production".to_owned()];
    assert_eq!(
        wrong(|config| config.environments = production),
        ["at.environments"]
    );
}

#[test]
fn the_connector_must_know_who_we_are() {
    let secret = || vec![Secret::in_environment("CONNECTOR")];
    let key = "at.connector_own_ids";
    assert_eq!(wrong(|config| config.connector_secrets = secret()), [key]);
    let known = wrong(|config| {
        config.connector_secrets = secret();
        config.connector_own_ids = vec!["bot".to_owned()];
    });
    assert!(known.is_empty());
}

#[test]
fn every_secret_is_looked_up_at_the_start() {
    let mut config = valid();
    config.public_keys.push(Secret::in_environment("NEXT"));
    config.connector_secrets = vec![Secret::in_environment("CONNECTOR")];
    let named: Vec<_> = config
        .secrets()
        .into_iter()
        .map(|(setting, secret, _)| (setting, secret.clone()))
        .collect();
    let expected = [
        ("public_keys[0]", "KEY"),
        ("public_keys[1]", "NEXT"),
        ("connector_secrets[0]", "CONNECTOR"),
    ];
    let expected =
        expected.map(|(setting, name)| (setting.to_owned(), Secret::in_environment(name)));
    assert_eq!(named, expected);
}

#[test]
fn the_settings_of_the_documentation_are_read() {
    let page = include_str!("../../../../../docs/sources/live_person.md");
    let (_, example) = page.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("parloir.toml");
    std::fs::write(&path, example).expect("a writable folder");
    load(Some(&path), std::iter::empty()).expect("it loads as a whole");
    let file: toml::Table = example.parse().expect("TOML");
    let written = file["sources"][0]["system"]["live_person"].clone();
    let config: LivePersonConfig = written.try_into().expect("known settings");
    let mut problems = Problems::default();
    config.check_all("at", &mut problems);
    assert!(problems.is_empty(), "{problems}");
    for entry in LivePersonConfig::entries() {
        let row = format!("| `{}` |", entry.name);
        assert!(page.contains(&row), "{} is not documented", entry.name);
    }
}
