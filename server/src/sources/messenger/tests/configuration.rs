//! Settings that are wrong are refused with the key and a remedy.

use super::{
    super::{GraphId, MessengerConfig},
    fake::{APP, INBOX, PAGE},
    fixture::{self, Secrets},
};
use crate::config::{self, problem::Problems};

const PAGE_FOR_PEOPLE: &str = include_str!("../../../../../docs/sources/messenger.md");

type Change = fn(&mut MessengerConfig);

fn problems(change: impl FnOnce(&mut MessengerConfig)) -> Vec<(String, String)> {
    let secrets = Secrets::new();
    let mut config = fixture::config("https://graph.facebook.com", &secrets);
    change(&mut config);
    let mut problems = Problems::default();
    config.check_all("m", &mut problems);
    let found = problems.0.into_iter();
    found.map(|problem| (problem.key, problem.text)).collect()
}

#[test]
fn ids_are_written_as_numbers_or_as_text_and_nothing_else() {
    let read = |id: &str| toml::from_str::<MessengerConfig>(&format!("page_id = {id}"));
    for id in [PAGE.to_owned(), format!("\"{PAGE}\"")] {
        assert_eq!(read(&id).expect("an id").page_id, GraphId::new(PAGE));
    }
    for odd in ["true", "-1", "[1]", "1.5"] {
        assert!(read(odd).is_err(), "{odd}");
    }
}

#[test]
fn what_is_right_has_no_problems_and_what_is_wrong_is_named() {
    assert_eq!(problems(|_| {}), []);
    let wrong: [(Change, &str, &str); 8] = [
        (
            |config| config.page_id = GraphId::default(),
            "m.page_id",
            "missing",
        ),
        (
            |config| config.page_id = GraphId::new("my page"),
            "m.page_id",
            "digits",
        ),
        (
            |config| config.app_secrets.clear(),
            "m.app_secrets",
            "missing",
        ),
        (
            |config| config.verify_tokens.clear(),
            "m.verify_tokens",
            "missing",
        ),
        (
            |config| config.handover_app_id = Some(GraphId::new(APP)),
            "m.handover_app_id",
            "our own",
        ),
        (
            |config| config.version = "25".to_owned(),
            "m.version",
            "v25.0",
        ),
        (
            |config| config.base_url = "http://graph.facebook.com".to_owned(),
            "m.base_url",
            "https",
        ),
        (
            |config| config.base_url = "https://graph.facebook.com/?access_token=x".to_owned(),
            "m.base_url",
            "credentials",
        ),
    ];
    for (change, key, words) in wrong {
        let found = problems(change);
        let is_it = |(at, text): &(String, String)| at == key && text.contains(words);
        assert!(found.iter().any(is_it), "{key} {words}: {found:?}");
    }
}

#[test]
fn every_secret_is_looked_up_at_the_start_under_its_own_setting() {
    let secrets = Secrets::new();
    let config = fixture::config("https://graph.facebook.com", &secrets);
    let named: Vec<_> = config
        .secrets()
        .into_iter()
        .map(|(name, _, least)| (name, least))
        .collect();
    let expected = [
        ("page_token", 1),
        ("app_secrets[0]", 1),
        ("app_secrets[1]", 1),
        ("verify_tokens[0]", 16),
    ];
    assert_eq!(
        named,
        expected.map(|(name, least)| (name.to_owned(), least))
    );
}

#[test]
fn the_page_shows_a_configuration_that_loads_and_every_setting() {
    let (_, rest) = PAGE_FOR_PEOPLE.split_once("```toml\n").expect("a block");
    let (block, _) = rest.split_once("```").expect("its end");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("parloir.toml");
    std::fs::write(&file, block).expect("a writable folder");
    let loaded = config::load(Some(&file), std::iter::empty());
    assert!(loaded.is_ok(), "{:?}", loaded.err());
    for (entry, _) in &MessengerConfig::reference("m")[0].settings {
        let row = format!("| `{}` |", entry.name);
        assert!(PAGE_FOR_PEOPLE.contains(&row), "{row}");
    }
}

#[test]
fn settings_survive_being_written_and_read() {
    let secrets = Secrets::new();
    let mut config = fixture::config("https://graph.facebook.com", &secrets);
    config.handover_app_id = Some(GraphId::new(INBOX));
    config.extend_control = Some(std::time::Duration::from_hours(48));
    let text = toml::to_string(&config).expect("text");
    assert_eq!(
        toml::from_str::<MessengerConfig>(&text).expect("settings"),
        config
    );
    assert!(!text.contains("5ecret"), "{text}");
}
