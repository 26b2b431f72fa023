//! What a configuration must say, and what is said of one that does not.

use super::{
    super::{Ownership, SocialConnectConfig, Verification},
    fixture::Place,
};
use crate::config::problem::Problems;

fn problems(change: impl FnOnce(&mut SocialConnectConfig, &Place)) -> Vec<String> {
    let place = Place::new(|_| {});
    let mut config = place.config("https://api.engagor.com");
    change(&mut config, &place);
    let mut problems = Problems::default();
    config.check_all("at", &mut problems);
    problems.0.into_iter().map(|problem| problem.key).collect()
}

#[test]
fn what_holds_together_is_taken() {
    assert!(problems(|_, _| {}).is_empty());
    assert!(
        problems(|config, _| {
            config.base_url = "http://127.0.0.1:1".to_owned();
        })
        .is_empty()
    );
    let with_a_token_alone = |config: &mut SocialConnectConfig, place: &Place| {
        config.client_secret = None;
        config.client_id = String::new();
        config.verification = Verification::UrlToken;
        config.url_tokens = vec![place.secret("url", "0123456789abcdefghijklm")];
    };
    assert!(problems(with_a_token_alone).is_empty());
}

#[test]
fn what_does_not_is_named() {
    type Change = fn(&mut SocialConnectConfig, &Place);
    let wrong: &[(&str, Change)] = &[
        ("at.base_url", |config, _| {
            config.base_url = "http://api.engagor.com".to_owned();
        }),
        ("at.oauth_host", |config, _| {
            config.oauth_host = "https://a:b@c".to_owned();
        }),
        ("at.account_id", |config, _| {
            config.account_id = "1417/".to_owned();
        }),
        ("at.topic_ids", |config, _| {
            config.topic_ids = "1; 2".to_owned();
        }),
        ("at.token", |config, _| {
            config.token = None;
        }),
        ("at.token", |config, place| {
            config.token_file = Some(place.file("tokens"));
        }),
        ("at.client_secret", |config, _| {
            config.client_secret = None;
        }),
        ("at.client_id", |config, place| {
            config.token = None;
            config.token_file = Some(place.file("tokens"));
            config.client_id = String::new();
        }),
        ("at.url_tokens", |config, _| {
            config.verification = Verification::UrlToken;
        }),
        ("at.tag", |config, _| {
            config.tag = " ".to_owned();
        }),
        ("at.reserve_for_handovers", |config, _| {
            config.calls_per_hour = 30;
        }),
        ("at.application_name", |config, _| {
            config.record_brand_messages = true;
        }),
    ];
    for (key, change) in wrong {
        assert_eq!(problems(change), [*key]);
    }
}

#[test]
fn every_secret_is_looked_up_at_the_start() {
    let place = Place::new(|_| {});
    let mut config = place.config("https://api.engagor.com");
    config.former_client_secrets = vec![place.secret("former", "x")];
    config.url_tokens = vec![place.secret("one", "x"), place.secret("two", "x")];
    let secrets = config.secrets();
    let named: Vec<_> = secrets
        .iter()
        .map(|(name, _, least)| (name.as_str(), *least))
        .collect();
    let expected = [
        ("client_secret", 1),
        ("token", 1),
        ("former_client_secrets[0]", 1),
        ("url_tokens[0]", 22),
        ("url_tokens[1]", 22),
    ];
    assert_eq!(named, expected);
}

#[test]
fn a_configuration_file_reads_as_the_page_shows_it() {
    let text = r#"
        account_id = "1417"
        token = { env = "TOKEN" }
        ownership = "handover"
        owner_words = { engage = "human", parloir = "agent" }
        profiles = { twitter = "99887766" }
        looks_every = "0s"
    "#;
    let config: SocialConnectConfig = toml::from_str(text).expect("it reads");
    assert_eq!(config.ownership, Ownership::Handover);
    assert_eq!(config.owner_words.len(), 2);
    assert!(toml::from_str::<SocialConnectConfig>("acount_id = \"1\"").is_err());
}
